//! The time checks of a token (RFC 7519 §4.1.4 to §4.1.6).

use crate::refusal::{Code, Refusal};

/// NumericDates (RFC 7519 §2) in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) exp: Option<i64>,
    pub(crate) nbf: Option<i64>,
    pub(crate) iat: Option<i64>,
}

/// Checks `exp`. A token with `exp == now` is expired (RFC 7519 §4.1.4: "on or
/// after").
pub(crate) fn admit_expiry(
    exp: Option<i64>,
    required: bool,
    leeway: i64,
    now: i64,
) -> Result<(), Refusal> {
    match exp {
        Some(exp) if now >= exp.saturating_add(leeway) => {
            Err(Refusal::claim(Code::TokenExpired, "exp"))
        }
        None if required => Err(Refusal::claim(Code::ClaimMissing, "exp")),
        _ => Ok(()),
    }
}

/// Checks that `nbf` (RFC 7519 §4.1.5) or `iat` is not in the future.
pub(crate) fn admit_start(
    claim: &str,
    time: Option<i64>,
    leeway: i64,
    now: i64,
) -> Result<(), Refusal> {
    match time {
        Some(time) if now.saturating_add(leeway) < time => {
            Err(Refusal::claim(Code::TokenNotYetValid, claim))
        }
        _ => Ok(()),
    }
}

/// Checks that `iat` is at most `max_age_ms` plus the leeway ago.
pub(crate) fn admit_age(
    times: &Times,
    max_age_ms: i64,
    leeway_ms: i64,
    now_ms: i64,
) -> Result<(), Refusal> {
    let Some(iat) = times.iat else {
        return Err(Refusal::claim(Code::ClaimMissing, "iat"));
    };
    if now_ms.saturating_sub(iat) > max_age_ms.saturating_add(leeway_ms) {
        return Err(Refusal::claim(Code::TokenTooOld, "iat"));
    }
    Ok(())
}
