//! Says what is wrong with a token in its own words, for people.

use alloc::{borrow::ToOwned, format, string::String};

use countersign_kernel::bytes::base64url;

use crate::{
    base::Limits,
    jose::{Jws, Parts},
    json::{self, FaultKind, Pointer, Value, describe},
    refusal::{Code, quoted},
};

/// Says what is wrong with the header of a token, or what the token looks like.
pub(crate) fn describe_form(token: &[u8], limits: &Limits) -> String {
    let refusal = Jws::open(token, limits).err();
    let failed = match &refusal {
        Some(refusal) if refusal.code == Code::HeaderInvalid => refusal.claim.as_deref(),
        Some(refusal) if refusal.code == Code::AlgorithmNotAllowed => Some("alg"),
        _ => return shape(token),
    };
    let header = Parts::split(token).and_then(|parts| base64url::decode(parts.header));
    "header: ".to_owned() + &describe_claims(&header.unwrap_or_default(), limits, failed)
}

/// Says which length and parts a token has, and which byte does not belong in
/// one.
fn shape(token: &[u8]) -> String {
    let parts = token.split(|b| *b == b'.').count();
    let plural = if parts == 1 { "" } else { "s" };
    let mut shape = format!("{} bytes in {parts} part{plural}", token.len());
    match parts {
        1 => shape.push_str(": not a JWT; some issuers send one only for an audience"),
        5 => shape.push_str(": an encrypted token (JWE)"),
        _ => {}
    }
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if let Some(place) = token.iter().position(|byte| !legal(*byte))
        && let Some(byte) = token.get(place..place.saturating_add(1))
    {
        shape.push_str(&format!("; {} at byte {place}", quoted(byte)));
    }
    shape
}

/// Says what is wrong with claims or a header: with one member, if it is named,
/// or with their JSON.
pub(crate) fn describe_claims(text: &[u8], limits: &Limits, failed: Option<&str>) -> String {
    match (json::parse(text, limits.into()), failed) {
        (Err(fault), _) => match fault.kind {
            FaultKind::Duplicate => {
                // The name alone, unless it is deeper.
                let pointer = fault.pointer.as_bytes();
                let name = pointer.get(1..).filter(|name| !name.contains(&b'/'));
                format!("{} stands twice", quoted(name.unwrap_or(pointer)))
            }
            FaultKind::Depth => "nested too deeply".into(),
            FaultKind::Members => "an object has too many members".into(),
            FaultKind::Syntax => "not JSON".into(),
        },
        (Ok(claims), Some(name)) => {
            let held = Pointer::parse(name).map(|pointer| describe(pointer.resolve(&claims)));
            format!("{} {}", quoted(name.as_bytes()), held.unwrap_or_default())
        }
        (Ok(Value::Object(_)), None) => format!("{} bytes", text.len()),
        (Ok(_), None) => "no object".into(),
    }
}
