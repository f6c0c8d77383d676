//! What a rule, or a caller of `check_token`, requires of a verified token.

use alloc::{boxed::Box, format, string::String};

use crate::{
    base::Limits,
    json,
    model::{Requirement, Tenant, Words},
    refusal::{Code, Halt, Refusal, Trace, quoted_or_none},
    token::{Verified, admit_age, list, scope},
};

/// A verified token that stands before a requirement.
pub(crate) struct Subject<'s> {
    pub(crate) token: &'s Verified,
    pub(crate) scope_wildcards: bool,
    /// The path segments that the rule's pattern captured, by name.
    pub(crate) segment: &'s dyn Fn(&str) -> Option<&'s [u8]>,
    pub(crate) now_ms: i64,
    pub(crate) leeway_ms: i64,
}

/// One check of a requirement: its name in an explanation, whether it asks for
/// anything, whether it holds, and its details.
struct Check {
    name: &'static str,
    asks: fn(&Requirement) -> bool,
    admit: fn(&Requirement, &Subject<'_>) -> Result<(), Refusal>,
    detail: fn(&Subject<'_>) -> String,
}

/// In the order of the contract.
const CHECKS: [Check; 10] = [
    Check {
        name: "rule.issuer",
        asks: |wanted| !wanted.issuers.is_empty(),
        admit: |wanted, subject| {
            let name = &subject.token.principal.issuer;
            admit_if(wanted.issuers.contains(name), Code::IssuerDenied)
        },
        detail: |subject| format!("issuer `{}`", subject.token.principal.issuer),
    },
    Check {
        name: "rule.audience",
        asks: |wanted| !wanted.audiences.is_empty(),
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
        asks: |wanted| !wanted.types.is_empty(),
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
        asks: |wanted| wanted.tenant.is_some(),
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
        asks: |wanted| wanted.scopes.asks(),
        admit: |wanted, subject| {
            let held = &subject.token.principal.scopes;
            let holds = |scope: &str| scope::grants(held, scope, subject.scope_wildcards);
            wanted.scopes.admit(holds).map_err(Refusal::scopes)
        },
        detail: |subject| format!("scopes {}", list(&subject.token.principal.scopes)),
    },
    Check {
        name: "rule.roles",
        asks: |wanted| wanted.roles.asks(),
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
        asks: |wanted| !wanted.claims.is_empty(),
        admit: Requirement::admit_claims,
        detail: |_| "the claims that the rule asks for".into(),
    },
    Check {
        name: "rule.age",
        asks: |wanted| wanted.max_age_ms.is_some(),
        admit: |wanted, subject| match wanted.max_age_ms {
            Some(oldest) => admit_age(
                &subject.token.times,
                oldest,
                subject.leeway_ms,
                subject.now_ms,
            ),
            None => Ok(()),
        },
        detail: |_| "the time since `iat`".into(),
    },
    Check {
        name: "rule.all_of",
        asks: |wanted| !wanted.all_of.is_empty(),
        admit: |wanted, subject| {
            wanted
                .all_of
                .iter()
                .try_for_each(|part| part.admit(subject))
        },
        detail: |_| "every one of the requirements".into(),
    },
    Check {
        name: "rule.any_of",
        asks: |wanted| !wanted.any_of.is_empty(),
        admit: Requirement::admit_any,
        detail: |_| "one of the requirements".into(),
    },
];

impl Requirement {
    /// Whether everything it asks for holds.
    pub(crate) fn admit(&self, subject: &Subject<'_>) -> Result<(), Refusal> {
        let mut asked = CHECKS.iter().filter(|check| (check.asks)(self));
        asked.try_for_each(|check| (check.admit)(self, subject))
    }

    /// The same, noting every check.
    pub(crate) fn explain(&self, subject: &Subject<'_>, trace: &mut Trace<'_>) -> Result<(), Halt> {
        for check in &CHECKS {
            if (check.asks)(self) {
                trace.record(check.name, (check.admit)(self, subject), || {
                    (check.detail)(subject)
                })?;
            }
        }
        Ok(())
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

    /// Claims are parsed again here: few rules ask for them, and a remembered
    /// token would else carry a tree of every claim.
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

fn admit_if(holds: bool, code: Code) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(code.into()) }
}

/// The place of a rule's code in the order of checks; age comes last.
fn place(code: Code) -> (bool, Code) {
    (matches!(code, Code::TokenTooOld | Code::ClaimMissing), code)
}

impl Words {
    fn asks(&self) -> bool {
        !(self.all.is_empty() && self.any.is_empty())
    }

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
