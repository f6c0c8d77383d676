//! Checks a requirement against a verified token.

use alloc::{boxed::Box, format, string::String};
use core::cell::Cell;

use crate::{
    base::Limits,
    json::{self, describe},
    model::{ClaimCondition, Context, Named, ProofKind, Requirement, SignIn, Words},
    refusal::{Code, Halt, Refusal, Trace, add_word, quoted, quoted_or_none},
    token::{Verified, admit_age, keep, list, scope},
};

/// A verified token and the context for checking it.
pub(crate) struct Subject<'s> {
    pub(crate) token: &'s Verified,
    pub(crate) scope_wildcards: bool,
    /// The values of the request, and the limits of JSON in a claim.
    pub(crate) context: Context<'s>,
    /// The index of the tenant that a requirement names.
    pub(crate) tenant: Cell<Option<usize>>,
    /// Whether the request is from the sender of its token: by the certificate, and
    /// by a proof of the key.
    pub(crate) proven: [bool; 2],
    pub(crate) now_ms: i64,
    pub(crate) leeway_ms: i64,
}

/// One check of a requirement: its name in an explanation, whether it applies,
/// the check itself, and its details.
struct Check {
    name: &'static str,
    applies: fn(&Requirement) -> bool,
    admit: fn(&Requirement, &Subject<'_>) -> Result<(), Refusal>,
    detail: fn(&Requirement, &Subject<'_>) -> String,
}

/// The checks, in the order of the contract.
const CHECKS: [Check; 13] = [
    Check {
        name: "rule.issuer",
        applies: |wanted| !wanted.issuers.is_empty(),
        admit: |wanted, subject| {
            let name = &subject.token.principal.issuer;
            admit_if(wanted.issuers.contains(name), Code::IssuerDenied)
        },
        detail: |_, subject| format!("issuer `{}`", subject.token.principal.issuer),
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
        detail: |_, subject| format!("`aud` {}", list(&subject.token.audiences)),
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
        detail: |_, subject| {
            format!(
                "type {}",
                quoted_or_none(subject.token.principal.token_type.as_deref())
            )
        },
    },
    Check {
        name: "rule.subject",
        applies: |wanted| wanted.subject.is_some(),
        admit: |wanted, subject| {
            let held = &subject.token.principal.subject;
            let found = subject.find(&wanted.subject, held.as_slice());
            admit_if(found.is_some(), Code::SubjectDenied)
        },
        detail: |wanted, subject| {
            let held = subject.token.principal.subject.as_deref();
            let held = quoted_or_none(held);
            format!("subject {held}{}", subject.describe_value(&wanted.subject))
        },
    },
    Check {
        name: "rule.tenant",
        applies: |wanted| wanted.tenant.is_some(),
        admit: |wanted, subject| {
            let found = subject.find(&wanted.tenant, &subject.token.principal.tenants);
            if found.is_some() && wanted.tenant != Some(Named::Present) {
                subject.tenant.set(found);
            }
            admit_if(found.is_some(), Code::TenantDenied)
        },
        detail: |wanted, subject| {
            let held = list(&subject.token.principal.tenants);
            format!("tenant {held}{}", subject.describe_value(&wanted.tenant))
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
        detail: |_, subject| format!("scopes {}", list(&subject.token.principal.scopes)),
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
        detail: |_, subject| format!("roles {}", list(&subject.token.principal.roles)),
    },
    Check {
        name: "rule.claims",
        applies: |wanted| !wanted.claims.is_empty(),
        admit: Requirement::admit_claims,
        detail: Requirement::describe_claims,
    },
    Check {
        name: "rule.age",
        applies: |wanted| wanted.max_token_age_ms.is_some(),
        admit: |wanted, subject| match wanted.max_token_age_ms {
            Some(max_age_ms) => admit_age(
                &subject.token.times,
                max_age_ms,
                subject.leeway_ms,
                subject.now_ms,
            ),
            None => Ok(()),
        },
        detail: |_, _| "the time since `iat`".into(),
    },
    Check {
        name: "rule.all_of",
        applies: |wanted| !wanted.all_of.is_empty(),
        admit: |wanted, subject| {
            let parts = wanted.all_of.iter();
            sign_in_last(parts.map(|part| part.admit(subject)))
        },
        detail: |_, _| "every one of the requirements".into(),
    },
    Check {
        name: "rule.any_of",
        applies: |wanted| !wanted.any_of.is_empty(),
        admit: Requirement::admit_any,
        detail: |_, _| "one of the requirements".into(),
    },
    Check {
        name: "rule.proof",
        applies: |wanted| wanted.proof.is_some(),
        admit: |wanted, subject| {
            let [by_certificate, by_key] = subject.proven;
            let holds = match wanted.proof {
                Some(ProofKind::Mtls) => by_certificate,
                Some(ProofKind::Dpop) => by_key,
                Some(ProofKind::Any) => by_certificate || by_key,
                None => true,
            };
            match holds {
                true => Ok(()),
                false => Err(Refusal::claim(Code::ProofMissing, "cnf")),
            }
        },
        detail: |_, subject| {
            let proven = match subject.proven {
                [true, true] => "a certificate and a proof of a key",
                [true, false] => "a certificate",
                [false, true] => "a proof of a key",
                [false, false] => "nothing",
            };
            format!("the sender of the token is proven by {proven}")
        },
    },
    Check {
        name: "rule.authentication",
        applies: |wanted| wanted.sign_in != SignIn::default(),
        admit: |wanted, subject| wanted.sign_in.admit(subject),
        detail: |_, subject| {
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
                    result => trace.record(check.name, result, || (check.detail)(self, subject))?,
                }
            }
        }
        match last {
            None => Ok(()),
            Some((check, refusal)) => {
                trace.record(check.name, Err(refusal), || (check.detail)(self, subject))
            }
        }
    }

    /// Adds the scopes that it and its `all_of` require, each once.
    pub(crate) fn add_scopes(&self, scopes: &mut String) {
        for scope in self.scopes.all.iter().chain(&self.scopes.any) {
            add_word(scopes, scope);
        }
        self.all_of.iter().for_each(|part| part.add_scopes(scopes));
    }

    fn admit_claims(&self, subject: &Subject<'_>) -> Result<(), Refusal> {
        match subject.unmet(&self.claims)? {
            None => Ok(()),
            Some((wanted, _)) => {
                let claim = wanted.source.pointer.as_str();
                Err(Refusal::claim(Code::ClaimDenied, claim))
            }
        }
    }

    /// Says what is in place of a claim that does not meet its condition.
    fn describe_claims(&self, subject: &Subject<'_>) -> String {
        match subject.unmet(&self.claims) {
            Ok(Some((wanted, held))) => {
                let claim = wanted.source.pointer.as_str();
                format!("`{claim}` {held}")
            }
            _ => "the claims that the rule requires".into(),
        }
    }

    /// Checks `any_of`. If no alternative holds, the denial of the one that
    /// passed the most checks is the most helpful.
    fn admit_any(&self, subject: &Subject<'_>) -> Result<(), Refusal> {
        let mut furthest: Option<Refusal> = None;
        let tenant = subject.tenant.get();
        for part in &self.any_of {
            match part.admit(subject) {
                Ok(()) => return Ok(()),
                Err(refusal) => {
                    // An alternative that does not hold names no tenant.
                    subject.tenant.set(tenant);
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

impl Subject<'_> {
    /// Finds the text that is required among those of the token.
    fn find(&self, wanted: &Option<Named>, held: &[Box<str>]) -> Option<usize> {
        let wanted = match wanted.as_ref()? {
            Named::Present => return (!held.is_empty()).then_some(0),
            Named::Fixed(text) => text.as_bytes(),
            Named::Asked(value) => (self.context.request)(value)?,
        };
        held.iter().position(|text| text.as_bytes() == wanted)
    }

    /// Says what the request names.
    fn describe_value(&self, wanted: &Option<Named>) -> String {
        let Some(Named::Asked(value)) = wanted else {
            return String::new();
        };
        match (self.context.request)(value) {
            Some(value) => format!("; the request names {}", quoted(value)),
            None => "; the request names none".into(),
        }
    }

    /// Finds the first condition that does not hold. The token keeps the values
    /// of the policy's conditions; for others, such as those of `check_token`,
    /// its claims are parsed again.
    fn unmet<'w>(&self, wanted: &'w [ClaimCondition]) -> Result<Option<Unmet<'w>>, Refusal> {
        let mut parsed = None;
        for wanted in wanted {
            let new;
            let kept = match wanted.kept.and_then(|index| self.token.kept(index)) {
                Some(kept) => kept,
                None => {
                    if parsed.is_none() {
                        let text = self.token.principal.claims.as_bytes();
                        let claims = json::parse(text, (&Limits::DEFAULT).into());
                        parsed = Some(claims.map_err(|_| Code::InternalError)?);
                    }
                    let claims = parsed.as_ref().ok_or(Code::InternalError)?;
                    new = keep(&wanted.source, claims, self.context.limits);
                    &new
                }
            };
            let held = match kept {
                Ok(value) => wanted.condition.truth(value.as_ref(), &self.context),
                Err(()) => None,
            };
            if held != Some(true) {
                let held = match kept {
                    Ok(value) => describe(value.as_ref()),
                    Err(()) => "cannot be read so".into(),
                };
                return Ok(Some((wanted, held)));
            }
        }
        Ok(None)
    }
}

/// A condition, and what is there instead.
type Unmet<'w> = (&'w ClaimCondition, String);

fn admit_if(holds: bool, code: Code) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(code.into()) }
}

/// Returns the place of a code in the order of a rule's checks. Age comes last,
/// before the proof and authentication.
fn order(code: Code) -> (u8, Code) {
    let late = match code {
        Code::AuthenticationInsufficient => 3,
        Code::ProofMissing => 2,
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
