//! What a rule, or a caller of `check_token`, requires of a verified token.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    Code, Limits,
    claims::{Times, Verified},
    condition::Claims,
    json,
    refusal::Refusal,
    scope,
};

/// All of its parts must hold; an absent part always does.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Requirement {
    /// Issuers' names in the policy; empty: any.
    pub(crate) issuers: Vec<Box<str>>,
    /// The token's `aud` must have one of them; empty: any.
    pub(crate) audiences: Vec<Box<str>>,
    /// Token types' names; empty: any.
    pub(crate) types: Vec<Box<str>>,
    pub(crate) tenant: Option<Tenant>,
    pub(crate) scopes: Words,
    pub(crate) roles: Words,
    pub(crate) claims: Vec<Claims>,
    /// Largest time since `iat`.
    pub(crate) max_age_ms: Option<i64>,
    pub(crate) all_of: Vec<Requirement>,
    /// Empty: nothing is asked.
    pub(crate) any_of: Vec<Requirement>,
}

/// All of `all`, and one of `any` unless it is empty. Exact words: a wildcard
/// belongs to a token's scope, never to a requirement.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Words {
    pub(crate) all: Vec<Box<str>>,
    pub(crate) any: Vec<Box<str>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tenant {
    /// Any tenant, but one.
    Present,
    /// This tenant.
    Fixed(Box<str>),
    /// The tenant in the path segment of this name.
    Segment(Box<str>),
}

/// A verified token that stands before a requirement.
pub(crate) struct Subject<'s> {
    pub(crate) token: &'s Verified,
    pub(crate) scope_wildcards: bool,
    /// The path segments that the rule's pattern captured, by name.
    pub(crate) segment: &'s dyn Fn(&str) -> Option<&'s [u8]>,
    pub(crate) now_ms: i64,
    pub(crate) leeway_ms: i64,
}

impl Requirement {
    /// Issuer, audience, type, tenant, scopes, roles, claims, age; then
    /// `all_of`, then `any_of`.
    pub(crate) fn admit(&self, subject: &Subject<'_>) -> Result<(), Refusal> {
        let token = subject.token;
        let principal = &token.principal;
        let one_of = |wanted: &[Box<str>], held: Option<&str>, code: Code| {
            let admitted =
                wanted.is_empty() || held.is_some_and(|h| wanted.iter().any(|w| **w == *h));
            if admitted {
                Ok(())
            } else {
                Err(Refusal::from(code))
            }
        };
        one_of(&self.issuers, Some(&principal.issuer), Code::IssuerDenied)?;
        if !self.audiences.is_empty() && !self.audiences.iter().any(|a| token.audiences.contains(a))
        {
            return Err(Refusal::claim(Code::AudienceDenied, "aud"));
        }
        one_of(
            &self.types,
            principal.token_type.as_deref(),
            Code::TypeDenied,
        )?;
        self.admit_tenant(subject)?;
        self.scopes
            .admit(|scope| scope::grants(&principal.scopes, scope, subject.scope_wildcards))
            .map_err(Refusal::scopes)?;
        self.roles
            .admit(|role| principal.roles.iter().any(|r| **r == *role))
            .map_err(|_| Code::RoleDenied)?;
        self.admit_claims(subject)?;
        self.admit_age(subject)?;
        self.all_of
            .iter()
            .try_for_each(|part| part.admit(subject))?;
        self.admit_any(subject)
    }

    fn admit_tenant(&self, subject: &Subject<'_>) -> Result<(), Refusal> {
        let tenant = subject
            .token
            .principal
            .tenant
            .as_deref()
            .filter(|t| !t.is_empty());
        let admitted = match (&self.tenant, tenant) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(Tenant::Present), Some(_)) => true,
            (Some(Tenant::Fixed(wanted)), Some(tenant)) => **wanted == *tenant,
            (Some(Tenant::Segment(name)), Some(tenant)) => {
                (subject.segment)(name) == Some(tenant.as_bytes())
            }
        };
        if admitted {
            Ok(())
        } else {
            Err(Code::TenantDenied.into())
        }
    }

    /// Claims are parsed again here: few rules ask for them, and a remembered
    /// token would else carry a tree of every claim.
    fn admit_claims(&self, subject: &Subject<'_>) -> Result<(), Refusal> {
        if self.claims.is_empty() {
            return Ok(());
        }
        let text = subject.token.principal.claims.as_bytes();
        let claims =
            json::parse(text, Limits::DEFAULT.json_bounds()).map_err(|_| Code::InternalError)?;
        for wanted in &self.claims {
            let held = wanted.pointer.resolve(&claims);
            if !held.is_some_and(|value| wanted.condition.holds(value)) {
                return Err(Refusal::claim(Code::ClaimDenied, wanted.pointer.as_str()));
            }
        }
        Ok(())
    }

    fn admit_age(&self, subject: &Subject<'_>) -> Result<(), Refusal> {
        match self.max_age_ms {
            Some(oldest) => admit_age(
                &subject.token.times,
                oldest,
                subject.leeway_ms,
                subject.now_ms,
            ),
            None => Ok(()),
        }
    }

    /// The denial of the alternative that got furthest says most.
    fn admit_any(&self, subject: &Subject<'_>) -> Result<(), Refusal> {
        let mut furthest: Option<Refusal> = None;
        for part in &self.any_of {
            match part.admit(subject) {
                Ok(()) => return Ok(()),
                Err(refusal) => {
                    if furthest
                        .as_ref()
                        .is_none_or(|best| place(refusal.code) > place(best.code))
                    {
                        furthest = Some(refusal);
                    }
                }
            }
        }
        furthest.map_or(Ok(()), Err)
    }
}

/// The place of a rule's code in the order of checks; age comes last.
fn place(code: Code) -> (bool, Code) {
    (matches!(code, Code::TokenTooOld | Code::ClaimMissing), code)
}

/// Issued at most `oldest_ms` ago, give or take the leeway.
pub(crate) fn admit_age(
    times: &Times,
    oldest_ms: i64,
    leeway_ms: i64,
    now_ms: i64,
) -> Result<(), Refusal> {
    let Some(iat) = times.iat else {
        return Err(Refusal::claim(Code::ClaimMissing, "iat"));
    };
    if now_ms.saturating_sub(iat) > oldest_ms.saturating_add(leeway_ms) {
        return Err(Refusal::claim(Code::TokenTooOld, "iat"));
    }
    Ok(())
}

impl Words {
    /// The list that is not satisfied.
    fn admit(&self, holds: impl Fn(&str) -> bool) -> Result<(), &[Box<str>]> {
        if !self.all.iter().all(|word| holds(word)) {
            return Err(&self.all);
        }
        if !self.any.is_empty() && !self.any.iter().any(|word| holds(word)) {
            return Err(&self.any);
        }
        Ok(())
    }
}
