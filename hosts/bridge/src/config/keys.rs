//! The keys that sign tokens, and when they change.

use std::str::FromStr;

use countersign_policy_source::Place;
use countersign_server::{Folder, Secret};

/// How tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA with P-256.
    Es256,
    /// RSA with 2048 bits, PKCS #1 v1.5.
    Rs256,
}

impl Algorithm {
    /// As in `alg`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

impl FromStr for Algorithm {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Es256, Self::Rs256]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or("expected `ES256` or `RS256`")
    }
}

/// The keys that sign tokens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeySettings {
    /// Of new keys. Those that are there stay what they are.
    pub algorithm: Algorithm,
    /// `max-age` of the key set.
    pub max_age_s: u32,
    /// How long a key is published before it signs: [`Self::least_publish_s`] or more.
    pub publish_s: u32,
    /// How often the database gets a new key.
    pub rotate_every_s: u32,
    /// Private keys in PEM, the newest last. With them, the database has no private key.
    pub files: Vec<Secret>,
}

/// How often a replica looks which keys there are.
pub(crate) const REFRESH_S: u32 = 10;

impl KeySettings {
    /// A key set that was fetched just before a new key was published is forgotten by
    /// then: half a minute is for clocks, and for a replica that has not looked yet.
    fn least_publish_s(max_age_s: u32) -> u32 {
        max_age_s + 30 + REFRESH_S
    }

    fn of_max_age(max_age_s: u32) -> Self {
        Self {
            algorithm: Algorithm::Es256,
            max_age_s,
            publish_s: Self::least_publish_s(max_age_s),
            rotate_every_s: 30 * 86_400,
            files: Vec::new(),
        }
    }

    pub(super) fn read(folder: &Folder<'_>, place: Place<'_>) -> Option<Self> {
        let mut object = place.object()?;
        let mut number = |name, range| {
            let read = object.optional(name, |place| place.integer(range));
            read.and_then(|number| u32::try_from(number).ok())
        };
        // Gates take a shorter one for a minute.
        let max_age_s = number("max_age_s", 60..=86_400);
        let publish_s = number("publish_s", 60..=7 * 86_400);
        let rotate_every_s = number("rotate_every_s", 3600..=5 * 365 * 86_400);
        let defaults = max_age_s.map_or_else(Self::default, Self::of_max_age);
        let algorithm = object.optional("algorithm", |place| place.parsed());
        let files = object.optional("files", |place| {
            let files = place.list(|item| folder.secret(item))?;
            match place.length() {
                1..=8 => Some(files),
                _ => place.invalid("expected 1 to 8 private keys"),
            }
        });
        let least = defaults.publish_s;
        if publish_s.is_some_and(|publish_s| publish_s < least) {
            object.refuse(format!(
                "`publish_s` is at least {least}: `max_age_s` and {} seconds",
                30 + REFRESH_S
            ));
        }
        let publish_s = publish_s.unwrap_or(least);
        let rotate_every_s = rotate_every_s.unwrap_or(defaults.rotate_every_s);
        if rotate_every_s < 2 * publish_s {
            object.refuse("`rotate_every_s` is at least twice `publish_s`");
        }
        object.end();
        Some(Self {
            algorithm: algorithm.unwrap_or(defaults.algorithm),
            publish_s,
            rotate_every_s,
            files: files.unwrap_or_default(),
            ..defaults
        })
    }
}

impl Default for KeySettings {
    fn default() -> Self {
        Self::of_max_age(300)
    }
}
