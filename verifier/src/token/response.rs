//! Reads the response of an authorization server: an object (RFC 7662 §2.2), or
//! that object in a signed answer (RFC 9701 §5).

use alloc::{borrow::Cow, format, string::String, sync::Arc};

use super::{HeaderFacts, Origin, Verified};
use crate::{
    base::limits,
    documents::Outcome,
    json::{self, FaultKind, Pointer, Value},
    model::{Issuer, Kind, Policy, Signed},
    refusal::{Code, Refusal},
};

/// What an answer says: the content of an active token, or why it is refused.
pub(crate) type Said = Result<Arc<Verified>, Refusal>;

/// Returns whether the server can answer no request now, whatever the token is.
/// A caller can choose a token that makes a server fail in another way.
pub(super) fn is_down(outcome: &Outcome<'_>) -> bool {
    match outcome {
        Outcome::Failed => true,
        Outcome::Response { status, .. } => matches!(status, 401 | 403 | 429 | 502..=504),
    }
}

/// Returns the body of a response, and whether it is signed. The error says in
/// words why it is no answer.
pub(super) fn body(outcome: Outcome<'_>, signed: Signed) -> Result<(Cow<'_, [u8]>, bool), String> {
    let Outcome::Response {
        status,
        length,
        body,
        ..
    } = outcome
    else {
        return Err("there is no response: it took too long, or the connection failed".into());
    };
    if status != 200 {
        return Err(format!("the response has status {status}, 200 is needed"));
    }
    if length > limits::ANSWER_BYTES as usize || length != body.len() {
        return Err(format!("at most {} bytes are read", limits::ANSWER_BYTES));
    }
    let is_object = body.trim_ascii_start().starts_with(b"{");
    match signed {
        Signed::Required if is_object => {
            Err("a signed answer is required, and this one is plain".into())
        }
        Signed::Never | Signed::Accepted if is_object => Ok((body, false)),
        Signed::Never => Err("the answer is no JSON object".into()),
        _ => Ok((Cow::Owned(body.trim_ascii().into()), true)),
    }
}

/// Reads an answer. The error says in words why it is none.
pub(super) fn read(
    policy: &Policy,
    index: usize,
    number: u64,
    body: &[u8],
    now_ms: u64,
) -> Result<Said, &'static str> {
    let claims = match json::parse(body, (&policy.limits).into()) {
        Ok(Value::Object(claims)) => claims,
        Ok(_) => return Err("the answer is no JSON object"),
        Err(fault) => {
            return Err(match fault.kind {
                FaultKind::Duplicate => "a member of the answer stands twice",
                FaultKind::Syntax => "the answer is no JSON object",
                FaultKind::Depth | FaultKind::Members => {
                    "the answer is nested too deeply, or has too many members"
                }
            });
        }
    };
    match claims.get("active") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Ok(Err(Code::TokenInactive.into())),
        _ => return Err("`active` of the answer is neither `true` nor `false`"),
    }
    let issuer = policy.issuers.get(index);
    let iss = claims.get("iss");
    let other_iss = issuer.is_some_and(|issuer| {
        !issuer.issuer.is_empty() && iss.is_some_and(|iss| iss.as_str() != Some(&issuer.issuer))
    });
    let header = HeaderFacts {
        origin: Origin::Introspection {
            since_ms: now_ms,
            until_ms: until_ms(issuer, claims.get("exp"), now_ms),
        },
        typ: None,
    };
    let text = core::str::from_utf8(body).unwrap_or_default();
    let verified = Verified::new(number, policy, index, header, claims, Arc::from(text));
    Ok(verified.and_then(|verified| match &verified.audience {
        _ if other_iss => Err(Refusal::claim(Code::ClaimMismatch, "iss")),
        // Tokens for others take no place in the memory.
        Err(refusal) => Err(refusal.clone()),
        Ok(()) => Ok(Arc::new(verified)),
    }))
}

/// Returns until when an answer is used: not longer than the token is good, but
/// so long that the checks which wait for it can use it.
fn until_ms(issuer: Option<&Issuer>, exp: Option<&Value<'_>>, now_ms: u64) -> u64 {
    let cache_ms = match issuer.map(|issuer| &issuer.kind) {
        Some(Kind::Opaque(introspection)) => introspection.cache_ms,
        _ => 0,
    };
    let mut until_ms = now_ms.saturating_add(cache_ms);
    if let Some(exp) = exp.and_then(Value::as_milliseconds) {
        until_ms = until_ms.min(u64::try_from(exp).unwrap_or(0));
    }
    until_ms.max(now_ms.saturating_add(limits::ANSWER_MIN_MS))
}

/// Reads the payload of a signed answer whose signature is good. `None`: it is no
/// answer of this issuer, to this client, to this request.
pub(crate) fn read_signed(
    policy: &Policy,
    index: usize,
    number: u64,
    payload: &[u8],
    asked_ms: u64,
    now_ms: u64,
) -> Option<Said> {
    let issuer = policy.issuers.get(index)?;
    let Kind::Opaque(introspection) = &issuer.kind else {
        return None;
    };
    let Ok(Value::Object(answer)) = json::parse(payload, (&policy.limits).into()) else {
        return None;
    };
    let client = &*introspection.client_id;
    let is_client = |value: &Value<'_>| value.as_str() == Some(client);
    let aud = answer.get("aud")?;
    let is_for_us = is_client(aud) || aud.as_array().is_some_and(|all| all.iter().any(is_client));
    let leeway_ms = issuer.leeway_ms.unwrap_or(policy.leeway_ms);
    let leeway_ms = u64::try_from(leeway_ms).unwrap_or(0);
    let iat_ms = answer.get("iat")?.as_milliseconds()?;
    let iat_ms = u64::try_from(iat_ms).ok()?;
    // Its fraction of a second can be cut off.
    let asked_ms = asked_ms.saturating_sub(asked_ms % 1000);
    let is_new =
        asked_ms <= iat_ms.saturating_add(leeway_ms) && iat_ms <= now_ms.saturating_add(leeway_ms);
    let is_from = answer.get("iss")?.as_str() == Some(&issuer.issuer);
    let inner = answer.get("token_introspection")?;
    if !(is_for_us && is_new && is_from && inner.as_object().is_some()) {
        return None;
    }
    let text = core::str::from_utf8(payload).ok()?;
    let inner = json::raw(text, &Pointer::member("token_introspection"))?;
    read(policy, index, number, inner.as_bytes(), now_ms).ok()
}
