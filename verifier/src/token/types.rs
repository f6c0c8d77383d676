//! Token types: finds the type of a token and checks what the type requires. A
//! token of one type must not pass as another (RFC 8725bis §3.11, RFC 9068 §4).

use alloc::boxed::Box;

use super::{Times, scope};
use crate::{
    json::{Pointer, Value},
    model::{Issuer, TokenType},
    refusal::{Code, Refusal},
};

/// Finds the one type of the token; `None` if the issuer has no types.
pub(crate) fn find<'p>(
    issuer: &'p Issuer,
    claims: &Value<'_>,
    typ: Option<&str>,
) -> Result<Option<&'p TokenType>, Refusal> {
    if issuer.token_types.is_empty() {
        return Ok(None);
    }
    let mut fitting = issuer.token_types.iter().filter(|t| fits(t, claims, typ));
    match (fitting.next(), fitting.next()) {
        (Some(found), None) => Ok(Some(found)),
        _ => Err(Code::TypeMismatch.into()),
    }
}

fn fits(token_type: &TokenType, claims: &Value<'_>, typ: Option<&str>) -> bool {
    let by_header = token_type.header_typ.is_empty()
        || typ.is_some_and(|typ| token_type.header_typ.iter().any(|t| **t == *typ));
    by_header
        && token_type.claims.iter().all(|c| {
            c.pointer
                .resolve(claims)
                .is_some_and(|value| c.condition.holds(value))
        })
}

/// Checks the requirements of the type, then the issuer's requirements for all
/// tokens.
pub(crate) fn check_required(
    found: Option<&TokenType>,
    issuer: &Issuer,
    claims: &Value<'_>,
    times: &Times,
    scopes: &[Box<str>],
) -> Result<(), Refusal> {
    if let Some(found) = found {
        if let Some(max_lifetime) = found.max_lifetime_ms {
            let exp = times.exp.ok_or_else(|| missing("exp"))?;
            let iat = times.iat.ok_or_else(|| missing("iat"))?;
            if exp.saturating_sub(iat) > max_lifetime {
                return Err(Refusal::claim(Code::ClaimMismatch, "exp"));
            }
        }
        if let Some(within) = &found.scopes_within {
            let inside = |scope: &str| within.iter().any(|pattern| scope::covers(pattern, scope));
            if !scopes.iter().all(|scope| inside(scope)) {
                let place = issuer
                    .mapping
                    .scopes
                    .claims
                    .first()
                    .map_or("scope", Pointer::as_str);
                return Err(Refusal::claim(Code::ClaimMismatch, place));
            }
        }
        for pointer in &found.required_claims {
            if matches!(pointer.resolve(claims), None | Some(Value::Null)) {
                return Err(missing(pointer.as_str()));
            }
        }
    }
    for wanted in &issuer.require {
        let claim = wanted.pointer.as_str();
        match wanted.pointer.resolve(claims) {
            None => return Err(missing(claim)),
            Some(value) if wanted.condition.holds(value) => {}
            Some(_) => return Err(Refusal::claim(Code::ClaimMismatch, claim)),
        }
    }
    Ok(())
}

fn missing(claim: &str) -> Refusal {
    Refusal::claim(Code::ClaimMissing, claim)
}
