//! One JSON Web Key (RFC 7517 §4, RFC 7518 §6).

use alloc::{boxed::Box, format, string::String, vec::Vec};

use countersign_kernel::bytes::base64url;

use super::{Key, Material, hmac::Secret, public::PublicKey};
use crate::{
    jose::{Algorithm, KeyKind},
    json::{Object, Value},
};

/// Members of private keys (RFC 7518 §6.2.2, §6.3.2).
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// Why a key cannot be used: a clause that follows "this key is skipped: ".
type Unusable = String;

/// Reads a public key. It is for one algorithm: its `alg`, or the only allowed
/// algorithm that fits.
pub(super) fn public_key(jwk: &Object<'_>, allowed: &[Algorithm]) -> Result<Key, Unusable> {
    if PRIVATE.iter().any(|name| jwk.get(name).is_some()) {
        return Err("it is a private key, which must not be published".into());
    }
    if text(jwk, "use")?.is_some_and(|usage| usage != "sig") {
        return Err("its `use` is not `sig`".into());
    }
    match jwk.get("key_ops") {
        None => {}
        Some(Value::Array(ops)) if ops.iter().any(|op| op.as_str() == Some("verify")) => {}
        Some(_) => return Err("its `key_ops` do not include `verify`".into()),
    }
    let kind = kind(jwk)?;
    let algorithm = algorithm(jwk, kind, allowed)?;
    let members = match kind {
        KeyKind::Rsa => [bytes(jwk, "n")?, bytes(jwk, "e")?],
        KeyKind::Ed25519 => [bytes(jwk, "x")?, Vec::new()],
        KeyKind::P256 | KeyKind::P384 | KeyKind::P521 | KeyKind::Oct => {
            [bytes(jwk, "x")?, bytes(jwk, "y")?]
        }
    };
    Ok(Key {
        kid: text(jwk, "kid")?.map(Box::from),
        algorithm,
        material: Material::Public(PublicKey::new(kind, members)?),
    })
}

/// Finds the kind of a key by `kty` and `crv` (RFC 7518 §6.2.1.1, RFC 8037 §2).
fn kind(jwk: &Object<'_>) -> Result<KeyKind, Unusable> {
    let kty = text(jwk, "kty")?.ok_or("it has no `kty`")?;
    match (kty, text(jwk, "crv")?) {
        ("RSA", _) => Ok(KeyKind::Rsa),
        ("EC", Some("P-256")) => Ok(KeyKind::P256),
        ("EC", Some("P-384")) => Ok(KeyKind::P384),
        ("EC", Some("P-521")) => Ok(KeyKind::P521),
        ("OKP", Some("Ed25519")) => Ok(KeyKind::Ed25519),
        ("oct", _) => Err("it is a secret, not a public key".into()),
        ("EC" | "OKP", Some(crv)) => Err(format!("its `crv` `{}` is not supported", brief(crv))),
        ("EC" | "OKP", None) => Err("it has no `crv`".into()),
        (other, _) => Err(format!("its `kty` `{}` is not supported", brief(other))),
    }
}

/// Reads an HMAC secret of the policy: `{ "kid"?, "k", "alg"? }`.
pub(super) fn secret(entry: &Object<'_>, allowed: &[Algorithm]) -> Result<Key, Unusable> {
    let algorithm = algorithm(entry, KeyKind::Oct, allowed)?;
    let secret = Secret::new(bytes(entry, "k")?.into(), algorithm.hash()).ok_or_else(|| {
        format!(
            "{} needs a secret of at least {} bytes",
            algorithm.as_str(),
            algorithm.hash().length()
        )
    })?;
    Ok(Key {
        kid: text(entry, "kid")?.map(Box::from),
        algorithm,
        material: Material::Hmac(secret),
    })
}

/// Finds the one algorithm of a key: its `alg`, or the only allowed one that
/// fits.
fn algorithm(
    jwk: &Object<'_>,
    kind: KeyKind,
    allowed: &[Algorithm],
) -> Result<Algorithm, Unusable> {
    if let Some(name) = text(jwk, "alg")? {
        return match Algorithm::from_name(name) {
            Some(algorithm) if algorithm.kind() == kind => Ok(algorithm),
            Some(_) => Err(format!("its `alg` `{name}` does not fit its `kty`")),
            None => Err(format!("its `alg` `{}` is not supported", brief(name))),
        };
    }
    let mut fitting = allowed
        .iter()
        .copied()
        .filter(|algorithm| algorithm.kind() == kind);
    match (fitting.next(), fitting.next()) {
        (Some(algorithm), None) => Ok(algorithm),
        (None, _) => Err("no algorithm of this issuer fits it".into()),
        (Some(_), Some(_)) => {
            Err("it has no `alg`, and more than one algorithm of this issuer fits it".into())
        }
    }
}

fn text<'j>(jwk: &'j Object<'_>, name: &str) -> Result<Option<&'j str>, Unusable> {
    match jwk.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("its `{name}` is not a string")),
    }
}

fn bytes(jwk: &Object<'_>, name: &str) -> Result<Vec<u8>, Unusable> {
    let text = text(jwk, name)?.ok_or_else(|| format!("it has no `{name}`"))?;
    base64url::decode(text.as_bytes())
        .ok_or_else(|| format!("its `{name}` is not base64url without padding"))
}

/// Shortens an untrusted name for a message.
fn brief(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(32).collect()
}
