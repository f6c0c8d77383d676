//! The algorithms, one row each (RFC 7518 §3.1).

use sha2::{Digest, Sha256, Sha384, Sha512};

/// The kind of key that an algorithm takes (RFC 7518 §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa,
    Oct,
}

/// The hash function of an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

macro_rules! algorithms {
    ($($(#[doc = $doc:literal])+ $name:ident, $kind:ident, $hash:ident;)+) => {
        /// A signature or MAC algorithm of JWS, by its registered name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Algorithm {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Algorithm {
            /// Every algorithm.
            pub const ALL: &'static [Algorithm] = &[$(Self::$name),+];

            /// The registered name (`alg`).
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            pub(crate) const fn kind(self) -> KeyKind {
                match self { $(Self::$name => KeyKind::$kind,)+ }
            }

            pub(crate) const fn hash(self) -> Hash {
                match self { $(Self::$name => Hash::$hash,)+ }
            }
        }
    };
}

algorithms! {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
    RS256, Rsa, Sha256;
    /// RSASSA-PKCS1-v1_5 with SHA-384 (RFC 7518 §3.3).
    RS384, Rsa, Sha384;
    /// RSASSA-PKCS1-v1_5 with SHA-512 (RFC 7518 §3.3).
    RS512, Rsa, Sha512;
    /// HMAC with SHA-256 (RFC 7518 §3.2).
    HS256, Oct, Sha256;
    /// HMAC with SHA-384 (RFC 7518 §3.2).
    HS384, Oct, Sha384;
    /// HMAC with SHA-512 (RFC 7518 §3.2).
    HS512, Oct, Sha512;
}

impl Algorithm {
    /// By registered name, case-sensitive.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|algorithm| algorithm.as_str() == name)
    }

    /// Whether signer and verifier share a secret.
    pub const fn is_symmetric(self) -> bool {
        matches!(self.kind(), KeyKind::Oct)
    }
}

impl Hash {
    /// Bytes of a digest.
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Hands the digest of `message` to `then`: digests differ in length.
    pub(crate) fn digest<T>(self, message: &[u8], then: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Self::Sha256 => then(&Sha256::digest(message)),
            Self::Sha384 => then(&Sha384::digest(message)),
            Self::Sha512 => then(&Sha512::digest(message)),
        }
    }
}
