//! One JSON Web Key (RFC 7517 §4, RFC 7518 §6).

use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::sync::atomic::AtomicU32;

use countersign_kernel::bytes::base64url;

use super::{
    Accepted, Key, Material,
    hmac::Secret,
    pem,
    public::{Members, PublicKey},
};
use crate::{
    jose::{Algorithm, KeyKind},
    json::{Object, Value},
};

/// Members of private keys (RFC 7518 §6.2.2, §6.3.2).
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];
pub(super) const PRIVATE_KEY: &str = "it is a private key, which must not be published";

/// Why a key cannot be used: a clause that follows "this key is skipped: ".
pub(super) type Unusable = String;

/// Reads a public key, and whether its numbers are encoded in another way than
/// RFC 7518 says. It is for one algorithm: its `alg`, or the only accepted
/// algorithm that fits.
pub(super) fn public_key(jwk: &Object<'_>, accepted: &Accepted) -> Result<(Key, bool), Unusable> {
    if is_private(jwk) {
        return Err(PRIVATE_KEY.into());
    }
    match (text(jwk, "use")?, &accepted.usage) {
        (None | Some("sig"), None) => {}
        (Some(usage), Some(wanted)) if *usage == **wanted => {}
        (_, wanted) => {
            let wanted = wanted.as_deref().unwrap_or("sig");
            return Err(format!("its `use` is not `{wanted}`"));
        }
    }
    match jwk.get("key_ops") {
        None => {}
        Some(Value::Array(ops)) if ops.iter().any(|op| op.as_str() == Some("verify")) => {}
        Some(_) => return Err("its `key_ops` do not include `verify`".into()),
    }
    let (kind, members, tolerated) = numbers(jwk)?;
    let alg = text(jwk, "alg")?;
    let mut key = key(text(jwk, "kid")?, alg, (kind, members), accepted)?;
    key.issuer = text(jwk, "issuer")?.map(Box::from);
    Ok((key, tolerated))
}

/// Reads the kind of a key and its numbers, and whether they are encoded in
/// another way than RFC 7518 says.
pub(super) fn numbers(jwk: &Object<'_>) -> Result<(KeyKind, Members, bool), Unusable> {
    let kind = kind(jwk)?;
    let names = match kind {
        KeyKind::Rsa => ["n", "e"],
        _ => ["x", "y"],
    };
    let mut tolerated = false;
    let mut members = Members::default();
    for (name, member) in names.into_iter().zip(&mut members) {
        if kind == KeyKind::Ed25519 && name == "y" {
            continue;
        }
        let text = text(jwk, name)?.ok_or_else(|| format!("it has no `{name}`"))?;
        *member = match base64url::decode(text.as_bytes()) {
            Some(bytes) => bytes,
            None => {
                tolerated = true;
                let bytes = tolerant_base64(text.as_bytes());
                bytes.ok_or_else(|| format!("its `{name}` is not base64url"))?
            }
        };
        if kind == KeyKind::Rsa && member.first() == Some(&0) {
            tolerated = true;
            let zeros = member.iter().take_while(|byte| **byte == 0).count();
            member.drain(..zeros);
        }
    }
    Ok((kind, members, tolerated))
}

/// Returns whether a key is for another purpose by its `use`: encryption (RFC
/// 7517 §4.2), or the other kind of SVID. Such a key is no mistake.
pub(super) fn has_other_use(jwk: &Object<'_>, accepted: &Accepted) -> bool {
    let usage = jwk.get("use").and_then(Value::as_str).unwrap_or_default();
    matches!(usage, "enc" | "sig" | "jwt-svid" | "x509-svid")
        && usage != accepted.usage.as_deref().unwrap_or("sig")
        && !is_private(jwk)
}

pub(super) fn is_private(jwk: &Object<'_>) -> bool {
    PRIVATE.iter().any(|name| jwk.get(name).is_some())
}

fn key(
    kid: Option<&str>,
    alg: Option<&str>,
    (kind, members): (KeyKind, Members),
    accepted: &Accepted,
) -> Result<Key, Unusable> {
    let key = Key {
        kid: kid.map(Box::from),
        algorithm: algorithm(alg, kind, &accepted.algorithms)?,
        issuer: None,
        material: Material::Public(PublicKey::new(kind, members)?),
        number: AtomicU32::new(0),
    };
    match accepted.by_host && !key.is_approved() {
        true => Err("a host's own cryptography may refuse it: its modulus has an odd number of bits, or its exponent is not 65537".into()),
        false => Ok(key),
    }
}

/// Reads a public key in PEM.
pub(super) fn pem_key(
    kid: Option<&str>,
    alg: Option<&str>,
    pem: &str,
    accepted: &Accepted,
) -> Result<Key, Unusable> {
    key(kid, alg, pem::public_key(pem)?, accepted)
}

/// Reads a PEM key of the policy: `{ "kid"?, "pem", "alg"? }`.
pub(super) fn pem_entry(entry: &Object<'_>, accepted: &Accepted) -> Result<Key, Unusable> {
    let pem = text(entry, "pem")?.ok_or("it has no `pem`")?;
    pem_key(text(entry, "kid")?, text(entry, "alg")?, pem, accepted)
}

/// Decodes base64url or base64, with or without padding.
pub(crate) fn tolerant_base64(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let text = text.get(..text.len().saturating_sub(padding))?;
    let plain = text.iter().map(|byte| match byte {
        b'+' => b'-',
        b'/' => b'_',
        other => *other,
    });
    base64url::decode(&plain.collect::<Vec<u8>>())
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
pub(super) fn secret(entry: &Object<'_>, accepted: &Accepted) -> Result<Key, Unusable> {
    let algorithm = algorithm(text(entry, "alg")?, KeyKind::Oct, &accepted.algorithms)?;
    let secret = text(entry, "k")?.ok_or("it has no `k`")?;
    let secret =
        base64url::decode(secret.as_bytes()).ok_or("its `k` is not base64url without padding")?;
    let secret = Secret::new(secret.into(), algorithm.hash()).ok_or_else(|| {
        format!(
            "{} needs a secret of at least {} bytes",
            algorithm.as_str(),
            algorithm.hash().length()
        )
    })?;
    Ok(Key {
        kid: text(entry, "kid")?.map(Box::from),
        algorithm,
        issuer: None,
        material: Material::Hmac(secret),
        number: AtomicU32::new(0),
    })
}

/// Finds the one algorithm of a key: its `alg`, or the only accepted one that
/// fits.
fn algorithm(
    alg: Option<&str>,
    kind: KeyKind,
    allowed: &[Algorithm],
) -> Result<Algorithm, Unusable> {
    if let Some(name) = alg {
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

pub(super) fn text<'j>(jwk: &'j Object<'_>, name: &str) -> Result<Option<&'j str>, Unusable> {
    match jwk.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("its `{name}` is not a string")),
    }
}

/// Shortens an untrusted name for a message.
fn brief(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(32).collect()
}
