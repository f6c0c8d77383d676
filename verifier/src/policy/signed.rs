//! Signed policies: a compact JWS over the bytes of a policy, which a host puts in
//! force without trusting where it came from.

use alloc::{boxed::Box, string::String, vec::Vec};

use countersign_kernel::bytes::base64url;

use crate::{
    base::{Limits, Problem, limits},
    jose::{Algorithm, Keyring, Parts},
    json::{self, Bounds, Object, Value},
};

/// The only `typ` of a signed policy.
const TYPE: &str = "countersign-policy+jws";
/// The members of its header.
const MEMBERS: [&str; 7] = ["alg", "aud", "exp", "kid", "policy", "typ", "version"];
/// The members of a trust.
const TRUST: [&str; 4] = ["audience", "keys", "min_version", "policy"];
/// Two, so that they can rotate.
const KEYS: usize = 2;
/// Bytes of a header, before base64url.
const HEADER_BYTES: usize = 4096;

/// A policy whose signature held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPolicy {
    /// The bytes that were signed: JSON, or YAML that a host converts.
    pub policy: Vec<u8>,
    /// Its version. A host that keeps the highest one refuses older ones by the
    /// trust's `min_version`.
    pub version: u64,
    /// When it may no longer be put in force, in milliseconds since the epoch.
    pub expires_ms: u64,
    /// The key that has signed it.
    pub kid: Box<str>,
}

/// Verifies a signed policy: a compact JWS (RFC 7515) with `EdDSA` (RFC 8037) over
/// the bytes of a policy, whose header names what it is for. Nothing of it is parsed
/// before a signature held.
///
/// `trust` is a JWK Set of one or two Ed25519 keys with a `kid`, and three more
/// members: `policy` and `audience`, the names that the header must have in `policy`
/// and `aud`, and `min_version`, the lowest `version` (0 if it is absent).
///
/// # Errors
/// Why the trust cannot be used, or why the policy is refused.
pub fn open_signed(signed: &[u8], trust: &[u8], now_ms: u64) -> Result<SignedPolicy, Problem> {
    let trust = Trust::parse(trust)?;
    if signed.len() > limits::POLICY_BYTES.saturating_mul(2) {
        return Err(refuse("too_large", "it is larger than a policy can be"));
    }
    let not_signed = || {
        refuse(
            "signature_invalid",
            "none of the trusted keys has signed it",
        )
    };
    let parts = Parts::split(signed.trim_ascii()).ok_or_else(not_signed)?;
    let signature = base64url::decode(parts.signature).ok_or_else(not_signed)?;
    let message = parts.signing_input;
    let kid = trust.kids.iter().find(|kid| {
        let verified = trust
            .keys
            .verify_bytes(Some(kid), Algorithm::EdDSA, message, &signature);
        verified.is_ok()
    });
    let kid = kid.ok_or_else(not_signed)?;
    let decoded = base64url::decode(parts.header).zip(base64url::decode(parts.payload));
    let (header, policy) = decoded.ok_or_else(not_signed)?;
    let header = object(&header, HEADER_BYTES, "the header")?;
    let (version, expires_ms) = trust.admit(&header, kid, now_ms)?;
    Ok(SignedPolicy {
        policy,
        version,
        expires_ms,
        kid: kid.clone(),
    })
}

/// Whose policies a host puts in force, and which.
struct Trust {
    keys: Keyring,
    kids: Vec<Box<str>>,
    policy: Box<str>,
    audience: Box<str>,
    min_version: u64,
}

impl Trust {
    fn parse(text: &[u8]) -> Result<Self, Problem> {
        let trust = object(text, limits::POLICY_BYTES, "the trust")?;
        known(&trust, &TRUST)?;
        let (keys, skipped) = Keyring::parse(text, &[Algorithm::EdDSA], &Limits::DEFAULT)?;
        if let Some(problem) = skipped.into_iter().next() {
            return Err(problem);
        }
        let list = trust.get("keys").and_then(Value::as_array);
        let mut kids: Vec<Box<str>> = Vec::new();
        for key in list.into_iter().flatten() {
            let kid = key.as_object().and_then(|key| key.get("kid"));
            let kid = kid.and_then(Value::as_str).filter(|kid| !kid.is_empty());
            match kid {
                Some(kid) if !kids.iter().any(|known| **known == *kid) => kids.push(kid.into()),
                _ => return Err(refuse_at("/keys", "each key has a `kid` of its own")),
            }
        }
        if kids.is_empty() || kids.len() > KEYS {
            return Err(refuse_at("/keys", "one or two keys are trusted"));
        }
        let text = |name: &'static str| -> Result<Box<str>, Problem> {
            let text = trust.get(name).and_then(Value::as_str);
            let text = text.filter(|text| !text.is_empty());
            text.map(Box::from)
                .ok_or_else(|| refuse_at(["/", name].concat(), "a text is needed here"))
        };
        Ok(Self {
            keys,
            kids,
            policy: text("policy")?,
            audience: text("audience")?,
            min_version: match trust.get("min_version") {
                None => 0,
                Some(value) => whole(Some(value))
                    .ok_or_else(|| refuse_at("/min_version", "a whole number is needed here"))?,
            },
        })
    }

    /// Returns the version and the expiry, in milliseconds.
    fn admit(&self, header: &Object<'_>, kid: &str, now_ms: u64) -> Result<(u64, u64), Problem> {
        known(header, &MEMBERS)?;
        let is =
            |name: &str, wanted: &str| header.get(name).and_then(Value::as_str) == Some(wanted);
        if !is("alg", "EdDSA") || !is("typ", TYPE) || !is("kid", kid) {
            let message = "its header has another `alg`, `typ` or `kid` than a policy's";
            return Err(refuse("header_invalid", message));
        }
        if !is("policy", &self.policy) {
            return Err(refuse("policy_mismatch", "it is another policy"));
        }
        if !is("aud", &self.audience) {
            return Err(refuse("audience_mismatch", "it is for another audience"));
        }
        let number = |name: &str| {
            whole(header.get(name)).ok_or_else(|| {
                refuse(
                    "header_invalid",
                    ["`", name, "` of its header is no whole number"].concat(),
                )
            })
        };
        let (version, expires_s) = (number("version")?, number("exp")?);
        if version < self.min_version {
            return Err(refuse("version_old", "a later version was in force"));
        }
        let expires_ms = expires_s.saturating_mul(1000);
        if now_ms >= expires_ms {
            return Err(refuse("expired", "it has expired: sign it again"));
        }
        Ok((version, expires_ms))
    }
}

fn object<'t>(text: &'t [u8], max: usize, what: &str) -> Result<Object<'t>, Problem> {
    let bounds = Bounds {
        depth: 8,
        members: 100,
    };
    let parsed = match text.len() <= max {
        true => json::parse(text, bounds).ok(),
        false => None,
    };
    match parsed {
        Some(Value::Object(object)) => Ok(object),
        _ => Err(refuse("syntax", [what, " is no JSON object"].concat())),
    }
}

fn known(object: &Object<'_>, names: &[&str]) -> Result<(), Problem> {
    match object.iter().find(|(name, _)| !names.contains(name)) {
        None => Ok(()),
        Some((name, _)) => {
            let mut pointer = String::new();
            json::push_token(&mut pointer, name);
            Err(Problem::error(
                pointer,
                "field_unknown",
                "this member is not known",
            ))
        }
    }
}

fn whole(value: Option<&Value<'_>>) -> Option<u64> {
    match value {
        Some(Value::Number(number)) => number.as_integer().and_then(|n| u64::try_from(n).ok()),
        _ => None,
    }
}

fn refuse(code: &'static str, message: impl Into<String>) -> Problem {
    Problem::error("", code, message)
}

fn refuse_at(pointer: impl Into<String>, message: &str) -> Problem {
    Problem::error(pointer, "value_invalid", message)
}
