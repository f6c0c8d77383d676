//! Who verifies signatures: the sealed module, or this host's own cryptography.

#[cfg(feature = "native")]
mod aws_lc;
mod native;

use std::{fmt, sync::Arc};

use crate::{
    bindings::exports::countersign::gate::gate as wit,
    module::{INTERFACE, SHA256},
};

pub(crate) use native::Native;

/// Who verifies signatures. Decisions are the same: the module parses tokens,
/// chooses the key, and checks lengths and ranges beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signatures {
    /// The sealed module.
    #[default]
    Module,
    /// AWS-LC, on the thread of the check. With the feature `fips` it is the
    /// validated module (FIPS 140-3).
    #[cfg(feature = "native")]
    Native,
}

/// The cryptography that verifies signatures, for logs and status pages. Its text
/// is `AWS-LC 5.1.0`, or `AWS-LC 4.0.0 (FIPS 140-3)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cryptography {
    /// Its name.
    pub name: &'static str,
    /// Its version. That of the sealed module has its digest.
    pub version: String,
    /// Whether it is a validated module in its validated mode (FIPS 140-3).
    pub fips: bool,
}

/// Cryptography of this host.
pub(crate) trait Provider: Send + Sync {
    fn cryptography(&self) -> Cryptography;

    /// The algorithms that it verifies, by their names in JWS (`alg`).
    fn algorithms(&self) -> &[&'static str];

    /// Prepares a key for this algorithm; `None` if it refuses the key.
    fn prepare(&self, algorithm: &str, key: &wit::HostKey) -> Option<Box<dyn Prepared>>;
}

/// A key, prepared for one algorithm.
pub(crate) trait Prepared: Send + Sync {
    fn verify(&self, signed: &[u8], signature: &[u8]) -> wit::Verification;
}

impl Signatures {
    /// `None`: the module verifies them itself.
    pub(crate) fn provider(self) -> Option<Arc<dyn Provider>> {
        match self {
            Self::Module => None,
            #[cfg(feature = "native")]
            Self::Native => Some(Arc::new(aws_lc::AwsLc)),
        }
    }
}

impl Cryptography {
    pub(crate) fn of(provider: Option<&Arc<dyn Provider>>) -> Self {
        provider.map_or_else(Self::module, |provider| provider.cryptography())
    }

    fn module() -> Self {
        let (_, version) = INTERFACE.split_once('@').unwrap_or_default();
        Self {
            name: "Countersign",
            version: format!("{version} (sha256 {SHA256})"),
            fips: false,
        }
    }
}

impl fmt::Display for Cryptography {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            version,
            fips,
        } = self;
        let mode = if *fips { " (FIPS 140-3)" } else { "" };
        write!(f, "{name} {version}{mode}")
    }
}
