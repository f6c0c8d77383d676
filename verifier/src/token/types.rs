//! Token types: finds the type of a token and checks what the type requires. A
//! token of one type must not pass as another (RFC 8725bis §3.11, RFC 9068 §4).

use alloc::boxed::Box;

use super::{Times, scope};
use crate::{
    json::Value,
    model::{Context, Issuer, TokenType},
    refusal::{Code, Refusal},
};

/// Finds the one type of the token; `None` if the issuer has no types.
pub(crate) fn find<'p>(
    issuer: &'p Issuer,
    claims: &Value<'_>,
    typ: Option<&str>,
    context: &Context<'_>,
) -> Result<Option<&'p TokenType>, Refusal> {
    if typ.is_some_and(is_never) {
        return Err(Code::TypeMismatch.into());
    }
    if issuer.token_types.is_empty() {
        return Ok(None);
    }
    let fits = |t: &&TokenType| fits(t, claims, typ, context);
    let mut fitting = issuer.token_types.iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(found), None) => Ok(Some(found)),
        _ => Err(Code::TypeMismatch.into()),
    }
}

/// Returns whether a `typ` is that of JWTs which say something else than who may
/// do what: a proof of possession, an answer about a token, an event. An issuer
/// signs some of these with the keys of its access tokens.
pub(crate) fn is_never(typ: &str) -> bool {
    matches!(
        typ,
        "dpop+jwt" | "token-introspection+jwt" | "logout+jwt" | "secevent+jwt"
    )
}

fn fits(
    token_type: &TokenType,
    claims: &Value<'_>,
    typ: Option<&str>,
    context: &Context<'_>,
) -> bool {
    let by_header = token_type.header_typ.is_empty()
        || typ.is_some_and(|typ| token_type.header_typ.iter().any(|t| **t == *typ));
    let mut conditions = token_type.claims.iter();
    by_header && conditions.all(|condition| condition.truth(claims, context) == Some(true))
}

/// Checks the requirements of the type, then the issuer's requirements for all
/// tokens.
pub(crate) fn check_required(
    found: Option<&TokenType>,
    issuer: &Issuer,
    claims: &Value<'_>,
    times: &Times,
    scopes: &[Box<str>],
    context: &Context<'_>,
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
                    .map_or("scope", |source| source.pointer.as_str());
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
        if wanted.truth(claims, context) != Some(true) {
            let there = !matches!(wanted.source.read(claims, context.limits), Ok(None));
            let code = if there {
                Code::ClaimMismatch
            } else {
                Code::ClaimMissing
            };
            return Err(Refusal::claim(code, wanted.source.pointer.as_str()));
        }
    }
    Ok(())
}

fn missing(claim: &str) -> Refusal {
    Refusal::claim(Code::ClaimMissing, claim)
}
