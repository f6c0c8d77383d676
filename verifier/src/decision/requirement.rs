//! Checks a requirement against a verified token.

use alloc::{boxed::Box, format, string::String};

use crate::{
    base::Limits,
    json,
    model::{Requirement, SignIn, Tenant, Words},
    refusal::{Code, Halt, Refusal, Trace, quoted_or_none},
    token::{Verified, admit_age, list, scope},
};

/// A verified token and the context for checking it.
pub(crate) struct Subject<'s> {
    pub(crate) token: &'s Verified,
    pub(crate) scope_wildcards: bool,
    /// Returns a path segment that the rule's pattern captures, by name.
    pub(crate) segment: &'s dyn Fn(&str) -> Option<&'s [u8]>,
    pub(crate) now_ms: i64,
    pub(crate) leeway_ms: i64,
}

/// One check of a requirement: its name in an explanation, whether it applies,
/// the check itself, and its details.
struct Check {
    name: &'static str,
    applies: fn(&Requirement) -> bool,
    admit: fn(&Requirement, &Subject<'_>) -> Result<(), Refusal>,
    detail: fn(&Subject<'_>) -> String,
}

/// The checks, in the order of the contract.
const CHECKS: [Check; 11] = [
    Check {
        name: "rule.issuer",
        applies: |wanted| !wanted.issuers.is_empty(),
        admit: |wanted, subject| {
            let name = &subject.token.principal.issuer;
            admit_if(wanted.issuers.contains(name), Code::IssuerDenied)
        },
        detail: |subject| format!("issuer `{}`", subject.token.principal.issuer),
    },
    Check {
        name: "rule.audience",
        applies: |wanted| !wanted.audiences.is_empty(),
        admit: |wanted, subject| {
            let held = |audience| subject.token.audiences.contains(audience);
            match wanted.audiences.iter().any(held) {
                true => Ok(()),
                false => Err(Refusal::claim(Code::AudienceDenied, "aud")),
            }
        },
        detail: |subject| format!("`aud` {}", list(&subject.token.audiences)),
    },
    Check {
        name: "rule.type",
        applies: |wanted| !wanted.types.is_empty(),
        admit: |wanted, subject| {
            let held = subject.token.principal.token_type.as_ref();
            admit_if(
                held.is_some_and(|held| wanted.types.contains(held)),
                Code::TypeDenied,
            )
        },
        detail: |subject| {
            format!(
                "type {}",
                quoted_or_none(subject.token.principal.token_type.as_deref())
            )
        },
    },
    Check {
        name: "rule.tenant",
        applies: |wanted| wanted.tenant.is_some(),
        admit: |wanted, subject| admit_if(wanted.admits_tenant(subject), Code::TenantDenied),
        detail: |subject| {
            format!(
                "tenant {}",
                quoted_or_none(subject.token.principal.tenant.as_deref())
            )
        },
    },
    Check {
        name: "rule.scopes",
        applies: |wanted| wanted.scopes.applies(),
        admit: |wanted, subject| {
            let held = &subject.token.principal.scopes;
            let holds = |scope: &str| scope::grants(held, scope, subject.scope_wildcards);
            wanted.scopes.admit(holds).map_err(Refusal::scopes)
        },
        detail: |subject| format!("scopes {}", list(&subject.token.principal.scopes)),
    },
    Check {
        name: "rule.roles",
        applies: |wanted| wanted.roles.applies(),
        admit: |wanted, subject| {
            let holds = |role: &str| subject.token.principal.roles.iter().any(|r| **r == *role);
            wanted
                .roles
                .admit(holds)
                .map_err(|_| Code::RoleDenied.into())
        },
        detail: |subject| format!("roles {}", list(&subject.token.principal.roles)),
    },
    Check {
        name: "rule.claims",
        applies: |wanted| !wanted.claims.is_empty(),
        admit: Requirement::admit_claims,
        detail: |_| "the claims that the rule requires".into(),
    },
    Check {
        name: "rule.age",
        applies: |wanted| wanted.max_age_ms.is_some(),
        admit: |wanted, subject| match wanted.max_age_ms {
            Some(max_age_ms) => admit_age(
                &subject.token.times,
                max_age_ms,
                subject.leeway_ms,
                subject.now_ms,
            ),
            None => Ok(()),
        },
        detail: |_| "the time since `iat`".into(),
    },
    Check {
        name: "rule.all_of",
        applies: |wanted| !wanted.all_of.is_empty(),
        admit: |wanted, subject| {
            let parts = wanted.all_of.iter();
            sign_in_last(parts.map(|part| part.admit(subject)))
        },
        detail: |_| "every one of the requirements".into(),
    },
    Check {
        name: "rule.any_of",
        applies: |wanted| !wanted.any_of.is_empty(),
        admit: Requirement::admit_any,
        detail: |_| "one of the requirements".into(),
    },
    Check {
        name: "rule.authentication",
        applies: |wanted| wanted.sign_in != SignIn::default(),
        admit: |wanted, subject| wanted.sign_in.admit(subject),
        detail: |subject| {
            format!(
                "`acr` {}, `auth_time` {} s ago",
                quoted_or_none(subject.token.acr.as_deref()),
                subject.token.auth_time.map_or_else(
                    || "unknown".into(),
                    |time| format!("{}", subject.now_ms.saturating_sub(time) / 1000)
                )
            )
        },
    },
];

impl Requirement {
    /// Makes all checks that apply.
    pub(crate) fn admit(&self, subject: &Subject<'_>) -> Result<(), Refusal> {
        let checks = CHECKS.iter().filter(|check| (check.applies)(self));
        sign_in_last(checks.map(|check| (check.admit)(self, subject)))
    }

    /// The same, and records every check.
    pub(crate) fn explain(&self, subject: &Subject<'_>, trace: &mut Trace<'_>) -> Result<(), Halt> {
        let mut last = None;
        for check in &CHECKS {
            if (check.applies)(self) {
                match (check.admit)(self, subject) {
                    Err(refusal) if refusal.code == Code::AuthenticationInsufficient => {
                        last.get_or_insert((check, refusal));
                    }
                    result => trace.record(check.name, result, || (check.detail)(subject))?,
                }
            }
        }
        match last {
            None => Ok(()),
            Some((check, refusal)) => {
                trace.record(check.name, Err(refusal), || (check.detail)(subject))
            }
        }
    }

    fn admits_tenant(&self, subject: &Subject<'_>) -> bool {
        let tenant = subject
            .token
            .principal
            .tenant
            .as_deref()
            .filter(|t| !t.is_empty());
        match (&self.tenant, tenant) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(Tenant::Present), Some(_)) => true,
            (Some(Tenant::Fixed(wanted)), Some(tenant)) => **wanted == *tenant,
            (Some(Tenant::Segment(name)), Some(tenant)) => {
                (subject.segment)(name) == Some(tenant.as_bytes())
            }
        }
    }

    /// Checks conditions on claims. It parses the claims again: few rules have
    /// such conditions, and otherwise every remembered token would store a tree
    /// of its claims.
    fn admit_claims(&self, subject: &Subject<'_>) -> Result<(), Refusal> {
        let text = subject.token.principal.claims.as_bytes();
        let claims =
            json::parse(text, (&Limits::DEFAULT).into()).map_err(|_| Code::InternalError)?;
        for wanted in &self.claims {
            let held = wanted.pointer.resolve(&claims);
            if !held.is_some_and(|value| wanted.condition.holds(value)) {
                return Err(Refusal::claim(Code::ClaimDenied, wanted.pointer.as_str()));
            }
        }
        Ok(())
    }

    /// Checks `any_of`. If no alternative holds, the denial of the one that
    /// passed the most checks is the most helpful.
    fn admit_any(&self, subject: &Subject<'_>) -> Result<(), Refusal> {
        let mut furthest: Option<Refusal> = None;
        for part in &self.any_of {
            match part.admit(subject) {
                Ok(()) => return Ok(()),
                Err(refusal) => {
                    if furthest
                        .as_ref()
                        .is_none_or(|best| order(refusal.code) > order(best.code))
                    {
                        furthest = Some(refusal);
                    }
                }
            }
        }
        furthest.map_or(Ok(()), Err)
    }
}

fn admit_if(holds: bool, code: Code) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(code.into()) }
}

/// Returns the place of a code in the order of a rule's checks. Age comes last,
/// before authentication.
fn order(code: Code) -> (u8, Code) {
    let late = match code {
        Code::AuthenticationInsufficient => 2,
        Code::TokenTooOld | Code::ClaimMissing => 1,
        _ => 0,
    };
    (late, code)
}

/// Returns the first refusal. A better sign-in is asked for only if nothing else
/// is missing.
fn sign_in_last(results: impl Iterator<Item = Result<(), Refusal>>) -> Result<(), Refusal> {
    let mut last = Ok(());
    for result in results {
        match result {
            Err(refusal) if refusal.code == Code::AuthenticationInsufficient => {
                last = last.and(Err(refusal));
            }
            result => result?,
        }
    }
    last
}

impl SignIn {
    /// Checks `auth_time` and `acr`.
    fn admit(&self, subject: &Subject<'_>) -> Result<(), Refusal> {
        let refusal = |claim| Err(Refusal::sign_in(claim, &self.acr_values, self.max_age_s));
        if let Some(max_age_s) = self.max_age_s {
            let max_age_ms = i64::from(max_age_s).saturating_mul(1000);
            let age = subject
                .token
                .auth_time
                .map(|time| subject.now_ms.saturating_sub(time));
            let leeway_ms = subject.leeway_ms;
            let recent = |age| age >= -leeway_ms && age <= max_age_ms.saturating_add(leeway_ms);
            if !age.is_some_and(recent) {
                return refusal("auth_time");
            }
        }
        let acr = subject.token.acr.as_ref();
        if !self.acr_values.is_empty() && !acr.is_some_and(|acr| self.acr_values.contains(acr)) {
            return refusal("acr");
        }
        Ok(())
    }
}

impl Words {
    fn applies(&self) -> bool {
        !(self.all.is_empty() && self.any.is_empty())
    }

    /// Checks the words. The error is the list that is not satisfied.
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
