//! The public key that a proof of possession carries (RFC 9449 §4.2). It is
//! anybody's: it is prepared only after its thumbprint is known to be that of a
//! token.

use core::sync::atomic::AtomicU32;

use super::{
    Key, Material, jwk,
    public::{Members, PublicKey},
};
use crate::{
    jose::{Algorithm, KeyKind, sha256},
    json::Object,
};

/// Bytes of the largest RSA modulus: 4,096 bits.
const MODULUS_BYTES: usize = 512;

/// A key that is read and not prepared.
pub(crate) struct Carried {
    pub(crate) algorithm: Algorithm,
    /// The SHA-256 thumbprint (RFC 7638 §3).
    pub(crate) thumbprint: [u8; 32],
    members: Members,
}

impl Carried {
    /// Reads a JWK. The error is a sentence for an explanation.
    pub(crate) fn read(jwk: &Object<'_>, algorithm: Algorithm) -> Result<Self, &'static str> {
        if jwk::is_private(jwk) || jwk.get("k").is_some() {
            return Err("its `jwk` has a private member");
        }
        let text = |name| jwk::text(jwk, name).ok().flatten().unwrap_or_default();
        let alg = text("alg");
        let is_other = !alg.is_empty() && Algorithm::from_name(alg) != Some(algorithm);
        let (kind, members, false) = jwk::numbers(jwk).map_err(|_| "its `jwk` is no public key")?
        else {
            return Err("a number of its `jwk` is not canonical base64url");
        };
        if kind != algorithm.kind() || is_other {
            return Err("its `jwk` is not for its `alg`");
        }
        let [first, _] = &members;
        if kind == KeyKind::Rsa && first.len() > MODULUS_BYTES {
            return Err("its RSA key has more than 4,096 bits");
        }
        // The required members, ordered by name (RFC 7638 §3.2, RFC 8037 §2). The
        // encoding is canonical: there is nothing to escape.
        let names: &[&str] = match kind {
            KeyKind::Rsa => &["e", "kty", "n"],
            KeyKind::Ed25519 => &["crv", "kty", "x"],
            _ => &["crv", "kty", "x", "y"],
        };
        let mut json = alloc::string::String::new();
        for name in names {
            json.push_str(if json.is_empty() { "{\"" } else { ",\"" });
            json.push_str(name);
            json.push_str("\":\"");
            json.push_str(text(name));
            json.push('"');
        }
        json.push('}');
        Ok(Self {
            algorithm,
            thumbprint: sha256(&[json.as_bytes()]),
            members,
        })
    }

    /// Prepares the key.
    pub(crate) fn prepare(self) -> Result<Key, &'static str> {
        let public = PublicKey::new(self.algorithm.kind(), self.members)?;
        Ok(Key {
            kid: None,
            algorithm: self.algorithm,
            issuer: None,
            material: Material::Public(public),
            number: AtomicU32::new(0),
        })
    }
}
