//! The limits of a bridge.

use std::time::Duration;

use countersign_policy_source::Place;

/// The limits of a bridge. What is beyond them is refused at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Requests that are under way at a time.
    pub requests: usize,
    /// The body of a request.
    pub body_bytes: usize,
    /// How long a connection may be idle, and how long headers may take.
    pub idle: Duration,
    /// How long a request may take.
    pub request: Duration,
    /// How long the end may take: requests that are under way are answered.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            requests: 512,
            // Several tokens of 16 KiB in one form.
            body_bytes: 64 << 10,
            idle: Duration::from_secs(130),
            request: Duration::from_secs(30),
            drain: Duration::from_secs(20),
        }
    }
}

impl Limits {
    pub(super) fn read(place: Place<'_>) -> Option<Self> {
        let mut limits = Self::default();
        let mut object = place.object()?;
        let mut number = |name, range, to: &mut usize| {
            let read = object.optional(name, |place| place.integer(range));
            *to = read
                .and_then(|number| number.try_into().ok())
                .unwrap_or(*to);
        };
        number("connections", 1..=1_000_000, &mut limits.connections);
        number("requests", 1..=1_000_000, &mut limits.requests);
        number("body_bytes", 4096..=1 << 20, &mut limits.body_bytes);
        let mut seconds = |name, to: &mut Duration| {
            let read = object.optional(name, |place| place.integer(1..=3600));
            *to = read.map_or(*to, Duration::from_secs);
        };
        seconds("idle_s", &mut limits.idle);
        seconds("request_s", &mut limits.request);
        seconds("drain_s", &mut limits.drain);
        object.end();
        Some(limits)
    }
}
