//! The limits of a server.

use std::time::Duration;

use super::read::Place;

/// The limits of a server. What is beyond them is refused at once: a proxy then denies,
/// which is better than a client that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections of trusted proxies. Others have 16 of their own.
    pub connections: usize,
    /// Questions that are under way at a time.
    pub questions: usize,
    /// How many of them may wait for the documents of one issuer.
    pub waiting: usize,
    /// The header section of a question. Clients' headers are in it.
    pub header_bytes: u32,
    /// How long a connection over HTTP/1.1 may be idle, and how long the headers of a
    /// question may take.
    pub idle: Duration,
    /// How long the end may take: requests that are under way are answered.
    pub drain: Duration,
}

/// Connections of peers that are not trusted: they are told so, and take no place of
/// one that is.
pub(crate) const STRANGERS: usize = 16;

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            questions: 1024,
            waiting: 256,
            // What nginx and Envoy take at most is about 60 KiB.
            header_bytes: 96 << 10,
            // Longer than proxies keep idle connections (Caddy 120 s), so that none is
            // closed in the moment in which a question comes.
            idle: Duration::from_secs(130),
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
        number("questions", 1..=1_000_000, &mut limits.questions);
        number("waiting", 0..=1_000_000, &mut limits.waiting);
        let mut bytes = limits.header_bytes as usize;
        number("header_bytes", 8192..=1 << 20, &mut bytes);
        limits.header_bytes = bytes.try_into().unwrap_or(limits.header_bytes);
        let seconds = |place: Place<'_>| place.integer(1..=3600).map(Duration::from_secs);
        limits.idle = object.optional("idle_s", seconds).unwrap_or(limits.idle);
        limits.drain = object.optional("drain_s", seconds).unwrap_or(limits.drain);
        object.end();
        Some(limits)
    }
}
