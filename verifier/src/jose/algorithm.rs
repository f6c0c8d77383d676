//! The table of algorithms, one row each (RFC 7518 §3.1). `README.md` lists the
//! other files that a new algorithm changes.

pub(crate) use countersign_kernel::hash::{Hash, sha256};

/// The kind of key that an algorithm uses (RFC 7518 §6.1, RFC 8037 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
    Oct,
}

macro_rules! algorithms {
    ($($(#[doc = $doc:literal])+ $name:ident, $kind:ident, $hash:ident;)+) => {
        /// A signature or MAC algorithm of JWS, named by its registered name.
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
    /// RSASSA-PSS with SHA-256, salt of 32 bytes (RFC 7518 §3.5).
    PS256, Rsa, Sha256;
    /// RSASSA-PSS with SHA-384, salt of 48 bytes (RFC 7518 §3.5).
    PS384, Rsa, Sha384;
    /// RSASSA-PSS with SHA-512, salt of 64 bytes (RFC 7518 §3.5).
    PS512, Rsa, Sha512;
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
    ES256, P256, Sha256;
    /// ECDSA on P-384 with SHA-384 (RFC 7518 §3.4).
    ES384, P384, Sha384;
    /// ECDSA on P-521 with SHA-512 (RFC 7518 §3.4).
    ES512, P521, Sha512;
    /// Ed25519 (RFC 8037 §3.1, RFC 9864 §2.2). `Ed25519` is another name for
    /// it.
    EdDSA, Ed25519, Sha512;
    /// HMAC with SHA-256 (RFC 7518 §3.2).
    HS256, Oct, Sha256;
    /// HMAC with SHA-384 (RFC 7518 §3.2).
    HS384, Oct, Sha384;
    /// HMAC with SHA-512 (RFC 7518 §3.2).
    HS512, Oct, Sha512;
}

impl Algorithm {
    /// Finds an algorithm by its registered name, case-sensitively. `Ed25519`
    /// (RFC 9864 §2.2) and `EdDSA` are two names of the same algorithm here.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = if name == "Ed25519" { "EdDSA" } else { name };
        Self::ALL
            .iter()
            .copied()
            .find(|algorithm| algorithm.as_str() == name)
    }

    /// Returns whether signer and verifier share a secret.
    pub const fn is_symmetric(self) -> bool {
        matches!(self.kind(), KeyKind::Oct)
    }
}
