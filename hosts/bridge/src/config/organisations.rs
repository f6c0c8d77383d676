//! Organisations that connect a provider of their own.

use countersign_policy_source::Place;

use super::pairing;

/// Who may connect one, and how many there may be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Organisations {
    /// A member with one of these roles may connect one, and say who has which role by it.
    pub roles: Vec<String>,
    /// Providers of one organisation.
    pub per_tenant: u32,
    /// Providers of all.
    pub in_all: u32,
}

impl Organisations {
    pub(super) fn read(place: Place<'_>) -> Option<Self> {
        let mut object = place.object()?;
        let roles = object.required("roles", pairing::roles);
        let mut number = |name, range, default: u32| {
            let read = object.optional(name, |place| place.integer(range));
            read.and_then(|number| number.try_into().ok())
                .unwrap_or(default)
        };
        let per_tenant = number("per_tenant", 1..=100, 5);
        let in_all = number("in_all", 1..=1_000_000, 10_000);
        object.end();
        Some(Self {
            roles: roles?,
            per_tenant,
            in_all,
        })
    }
}
