//! Pairing of nodes: who approves, and how long things live.

use countersign_policy_source::Place;

/// Pairing. Without this section no node can be paired.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pairing {
    /// A person with one of these roles may approve, list and revoke nodes.
    pub roles: Vec<String>,
    /// The least pause between two polls of a device.
    pub interval_s: u32,
    /// How long a node may be away without being paired again.
    pub renewal_s: u32,
}

impl Pairing {
    pub(super) fn read(place: Place<'_>) -> Option<Self> {
        let mut object = place.object()?;
        let roles = object.required("roles", roles);
        let mut seconds = |name, range, default: u32| {
            let read = object.optional(name, |place| place.integer(range));
            read.and_then(|number| number.try_into().ok())
                .unwrap_or(default)
        };
        let interval_s = seconds("interval_s", 1..=60, 5);
        let renewal_s = seconds("renewal_s", 3600..=365 * 86_400, 30 * 86_400);
        object.end();
        Some(Self {
            roles: roles?,
            interval_s,
            renewal_s,
        })
    }
}

/// Roles of which a person needs one.
pub(super) fn roles(place: Place<'_>) -> Option<Vec<String>> {
    let roles = place.list(|item| item.name().map(str::to_owned))?;
    match place.length() {
        1..=16 => Some(roles),
        _ => place.invalid("expected 1 to 16 roles"),
    }
}
