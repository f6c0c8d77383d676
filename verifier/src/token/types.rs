//! Token types: what kind of token this is, and what such a token must be
//! (RFC 8725bis §3.11, RFC 9068 §4: one kind must not pass for another).

use alloc::boxed::Box;

use super::{Times, scope};
use crate::{
    json::{Pointer, Value},
    model::{Issuer, TokenType},
    refusal::{Code, Refusal},
};

/// The one type that the token is of; `None` where the issuer has no types.
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

fn fits(wanted: &TokenType, claims: &Value<'_>, typ: Option<&str>) -> bool {
    let by_header = wanted.header_typ.is_empty()
        || typ.is_some_and(|typ| wanted.header_typ.iter().any(|t| **t == *typ));
    by_header
        && wanted.claims.iter().all(|c| {
            c.pointer
                .resolve(claims)
                .is_some_and(|value| c.condition.holds(value))
        })
}

/// What the type demands of its tokens, then what the issuer demands of all.
pub(crate) fn check_required(
    found: Option<&TokenType>,
    issuer: &Issuer,
    claims: &Value<'_>,
    times: &Times,
    scopes: &[Box<str>],
) -> Result<(), Refusal> {
    if let Some(demands) = found {
        if let Some(longest) = demands.max_lifetime_ms {
            let exp = times.exp.ok_or_else(|| missing("exp"))?;
            let iat = times.iat.ok_or_else(|| missing("iat"))?;
            if exp.saturating_sub(iat) > longest {
                return Err(Refusal::claim(Code::ClaimMismatch, "exp"));
            }
        }
        if let Some(within) = &demands.scopes_within {
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
        for pointer in &demands.required_claims {
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
