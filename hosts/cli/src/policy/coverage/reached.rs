//! The branches that a case reaches: the module's own explanation of the case, and of
//! each requirement inside `all_of` and `any_of`.

use countersign_host::{Decision, Step, Verdict};
use countersign_policy_source::Source;
use serde_json::Value;

use super::{
    super::suite::{Explained, Question, Suite},
    branches::{ALLOW, NO_TOKEN, ORIGIN, is_public, of_claim, of_principal, parts},
};
use crate::{arguments::Host, failure::Failure};

/// The index of the rule that decides.
pub(super) fn rule(steps: &[Step]) -> Option<usize> {
    let is_found = |step: &&Step| step.check == "rule" && step.verdict == Verdict::Pass;
    let step = steps.iter().find(is_found)?;
    let (_, index) = step.detail.split_once("/rules/")?;
    let digits = index.find(|c: char| !c.is_ascii_digit());
    index[..digits.unwrap_or(index.len())].parse().ok()
}

/// A case that a rule decides.
pub(super) struct Case<'c> {
    pub(super) suite: &'c Suite,
    pub(super) question: &'c Question,
    pub(super) host: &'c Host,
    pub(super) policy: &'c Value,
    pub(super) rule: usize,
}

/// A requirement that does not hold: the part of it that refuses, and the code.
struct Refused {
    part: String,
    code: String,
}

/// A requirement on a principal, which is `None` for the user.
struct Asked<'r> {
    principal: Option<&'r str>,
    requirement: &'r Value,
    /// Of its branches.
    prefix: String,
}

impl<'r> Asked<'r> {
    fn of(rule: &'r Value, principal: Option<&'r str>) -> Self {
        Self {
            principal,
            requirement: match principal {
                None => &rule["require"],
                Some(name) => &rule["principals"][name],
            },
            prefix: of_principal(principal),
        }
    }

    /// The requirements in its `all_of` or `any_of`.
    fn parts(&self, list: &str) -> impl Iterator<Item = Self> {
        parts(self.requirement, list).map(|(prefix, requirement)| Self {
            principal: self.principal,
            requirement,
            prefix: self.prefix.clone() + &prefix,
        })
    }
}

impl Case<'_> {
    /// The branches that this case reaches; `explained` is what the gate said of it.
    pub(super) async fn branches(&self, explained: &Explained) -> Result<Vec<String>, Failure> {
        let rule = &self.policy["rules"][self.rule];
        let mut found = Vec::new();
        match &explained.decision {
            Decision::Answer(_) => {}
            Decision::Allow(grant) => {
                if grant.principal.is_none() && !is_public(rule) {
                    found.push(NO_TOKEN.to_owned());
                } else {
                    found.push(ALLOW.to_owned());
                    self.visit(&Asked::of(rule, None), None, &mut found).await?;
                }
                let others = rule["principals"].as_object().into_iter().flatten();
                for (name, _) in others {
                    let asked = Asked::of(rule, Some(name));
                    self.visit(&asked, None, &mut found).await?;
                }
            }
            Decision::Deny(denial) => {
                let asked = Asked::of(rule, denial.principal.as_deref());
                match refused(explained) {
                    Some(refused) => self.visit(&asked, Some(&refused), &mut found).await?,
                    None => found.extend(outside(explained).map(|branch| asked.prefix + branch)),
                }
            }
        }
        Ok(found)
    }

    /// Adds the branches within a requirement, which holds or is `refused`.
    async fn visit(
        &self,
        asked: &Asked<'_>,
        refused: Option<&Refused>,
        found: &mut Vec<String>,
    ) -> Result<(), Failure> {
        match refused {
            None => {
                for part in asked.parts("all_of") {
                    Box::pin(self.visit(&part, None, found)).await?;
                }
                self.visit_alternatives(asked, found).await
            }
            Some(Refused { part, code }) if part == "all_of" => {
                // A better sign-in is asked for last, so the first part that refuses
                // is not always the one that decides.
                for part in asked.parts("all_of") {
                    let refused = self.alone(&part).await?;
                    if refused
                        .as_ref()
                        .is_some_and(|refused| refused.code == *code)
                    {
                        return Box::pin(self.visit(&part, refused.as_ref(), found)).await;
                    }
                }
                Ok(())
            }
            Some(Refused { part, .. }) => {
                found.push(asked.prefix.clone() + part);
                match &**part {
                    "any_of" => self.visit_alternatives(asked, found).await,
                    _ => Ok(()),
                }
            }
        }
    }

    /// The same for its alternatives, up to the first that holds.
    async fn visit_alternatives(
        &self,
        asked: &Asked<'_>,
        found: &mut Vec<String>,
    ) -> Result<(), Failure> {
        for part in asked.parts("any_of") {
            let refused = self.alone(&part).await?;
            if refused.is_none() {
                found.push(part.prefix.clone() + ALLOW);
            }
            Box::pin(self.visit(&part, refused.as_ref(), found)).await?;
            if refused.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// What refuses this case where the requirement is all that the rule requires of
    /// the principal.
    async fn alone(&self, asked: &Asked<'_>) -> Result<Option<Refused>, Failure> {
        let name = &self.question.policy.name;
        let mut policy: Value =
            serde_json::from_slice(&self.question.policy.json).unwrap_or_default();
        let rule = &mut policy["rules"][self.rule];
        let requirement = match asked.principal {
            None => &mut rule["require"],
            Some(name) => &mut rule["principals"][name],
        };
        *requirement = asked.requirement.clone();
        let policy = Source::from_json(name, policy.to_string().into_bytes());
        let explained = self.suite.explain(self.question, &policy, self.host);
        let explained = explained.await?;
        let denial = explained.decision.denial();
        let is_about = denial.is_some_and(|d| d.principal.as_deref() == asked.principal);
        Ok(refused(&explained).filter(|_| is_about))
    }
}

/// The last step that failed: it decided. A failure before it was of a cookie beside
/// which another one is good, or of a token that the rule ignores.
fn decisive(explained: &Explained) -> Option<&Step> {
    let mut steps = explained.steps.iter().rev();
    steps.find(|step| step.verdict == Verdict::Fail)
}

/// The part of a requirement that denied the request.
fn refused(explained: &Explained) -> Option<Refused> {
    let denial = explained.decision.denial()?;
    let check = decisive(explained)?.check.strip_prefix("rule.")?;
    let part = match (check, denial.claim.as_deref()) {
        ("origin" | "headers", _) => return None,
        ("issuer", _) => "issuers".to_owned(),
        ("audience", _) => "audiences".to_owned(),
        ("type", _) => "types".to_owned(),
        ("age", _) => "max_token_age_s".to_owned(),
        ("claims", Some(claim)) => of_claim(claim),
        ("authentication", Some("auth_time")) => "max_auth_age_s".to_owned(),
        ("authentication", _) => "acr_values".to_owned(),
        (word, _) => word.to_owned(),
    };
    let code = denial.code.clone();
    Some(Refused { part, code })
}

/// What denied the request before its token was held to a requirement.
fn outside(explained: &Explained) -> Option<&'static str> {
    let step = decisive(explained)?;
    match (&*step.check, step.code.as_deref()) {
        ("credential", Some("token_missing")) => Some(NO_TOKEN),
        ("rule.origin", _) => Some(ORIGIN),
        _ => None,
    }
}
