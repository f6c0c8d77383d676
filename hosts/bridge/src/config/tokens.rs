//! The tokens: for whom, and how long.

use countersign_policy_source::Place;

/// The longest life of a token. Keys are published so long after they have signed.
pub(crate) const LONGEST_S: u32 = 3600;

/// The tokens that the bridge makes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenSettings {
    /// `aud`: each token is for one of these.
    pub audiences: Vec<String>,
    /// Life of a platform access token (`pat`).
    pub pat_s: u32,
    /// Life of a node's join token (`njt`).
    pub njt_s: u32,
    /// Life of a node's access token (`nat`).
    pub nat_s: u32,
}

impl TokenSettings {
    pub(super) fn read(place: Place<'_>) -> Option<Self> {
        let mut object = place.object()?;
        let audiences = object.required("audiences", |place| {
            let audiences = place.list(|item| item.name().map(str::to_owned))?;
            match place.length() {
                1..=64 => Some(audiences),
                _ => place.invalid("expected 1 to 64 audiences"),
            }
        });
        let mut seconds = |name, most: u32, default: u32| {
            let read = object.optional(name, |place| place.integer(60..=most.into()));
            read.and_then(|number| number.try_into().ok())
                .unwrap_or(default)
        };
        let pat_s = seconds("pat_s", 1800, 1800);
        let njt_s = seconds("njt_s", 600, 600);
        let nat_s = seconds("nat_s", LONGEST_S, 1800);
        object.end();
        Some(Self {
            audiences: audiences?,
            pat_s,
            njt_s,
            nat_s,
        })
    }
}
