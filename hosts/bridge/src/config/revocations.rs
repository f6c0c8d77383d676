//! The document of revocations, and API keys.

use std::{collections::BTreeSet, path::PathBuf};

use countersign_policy_source::Place;
use countersign_server::{Folder, Secret};

/// Where gates find what is revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationSettings {
    /// `max-age` of the document: 0 to 60.
    pub max_age_s: u32,
    /// A folder that has it as a file too.
    pub folder: Option<PathBuf>,
}

impl Default for RevocationSettings {
    fn default() -> Self {
        Self {
            max_age_s: 5,
            folder: None,
        }
    }
}

impl RevocationSettings {
    pub(super) fn read(folder: &Folder<'_>, place: Place<'_>) -> Option<Self> {
        let defaults = Self::default();
        let mut object = place.object()?;
        let max_age_s = object.optional("max_age_s", |place| place.integer(0..=60));
        let folder = object.optional("folder", |place| folder.path(&place));
        object.end();
        Some(Self {
            max_age_s: max_age_s
                .and_then(|seconds| seconds.try_into().ok())
                .unwrap_or(defaults.max_age_s),
            folder,
        })
    }
}

/// API keys that people make for programs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApiKeySettings {
    /// How each begins: a `prefix` of the policy.
    pub prefix: String,
    /// Secrets that are hashed with each key: the first for new ones.
    pub peppers: Vec<Pepper>,
    /// What gates show as `authorization: Bearer …` when they fetch the document.
    pub readers: Vec<Secret>,
    /// Good keys of one person.
    pub per_person: u32,
    /// Good keys of one tenant.
    pub per_tenant: u32,
    /// The longest life of a key.
    pub max_days: u32,
}

/// A secret that is hashed with keys.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pepper {
    /// As in the policy.
    pub version: String,
    /// At least 16 bytes.
    pub secret: Secret,
}

impl ApiKeySettings {
    pub(super) fn read(folder: &Folder<'_>, place: Place<'_>) -> Option<Self> {
        let mut object = place.object()?;
        let prefix = object.required("prefix", |place| match place.text()? {
            text if is_prefix(text) => Some(text.to_owned()),
            _ => place.invalid(
                "expected 3 to 32 letters, digits, `-` and `_`, such as `sk_live_`, and not `eyJ…`",
            ),
        });
        let peppers = object.required("peppers", |place| {
            let peppers = place.list(|item| Pepper::read(folder, item))?;
            let versions: BTreeSet<_> = peppers.iter().map(|pepper| &pepper.version).collect();
            match (peppers.len(), versions.len()) {
                (1..=4, versions) if versions == peppers.len() => Some(peppers),
                _ => place.invalid("expected 1 to 4 peppers, each with a version of its own"),
            }
        });
        let readers = object.required("readers", |place| {
            let readers = place.list(|item| folder.secret(item))?;
            match place.length() {
                1..=4 => Some(readers),
                _ => place.invalid("expected 1 to 4 secrets"),
            }
        });
        let mut number = |name, range, default: u32| {
            let read = object.optional(name, |place| place.integer(range));
            read.and_then(|number| number.try_into().ok())
                .unwrap_or(default)
        };
        let per_person = number("per_person", 1..=1000, 20);
        let per_tenant = number("per_tenant", 1..=100_000, 500);
        let max_days = number("max_days", 1..=3650, 365);
        object.end();
        Some(Self {
            prefix: prefix?,
            peppers: peppers?,
            readers: readers?,
            per_person,
            per_tenant,
            max_days,
        })
    }
}

impl Pepper {
    fn read(folder: &Folder<'_>, place: Place<'_>) -> Option<Self> {
        let mut object = place.object()?;
        let version = object.required("version", |place| match place.name()? {
            text if text.len() <= 64 => Some(text.to_owned()),
            _ => place.invalid("expected at most 64 bytes"),
        });
        let secret = object.required("secret", |place| folder.secret(place));
        object.end();
        Some(Self {
            version: version?,
            secret: secret?,
        })
    }
}

/// As a policy reads it.
fn is_prefix(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (3..=32).contains(&text.len()) && text.bytes().all(legal) && !text.starts_with("eyJ")
}
