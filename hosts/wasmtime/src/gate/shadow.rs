//! A candidate beside the policy in force: it is asked about each request too, and
//! its answer changes nothing.

use std::{
    collections::BTreeMap,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::Extensions;

use super::open;
use crate::{
    background::InForce,
    decision::Decision,
    document::DocumentStatus,
    event::{Comparison, DecisionEvent, Facts, MatchedRule, Mode},
    generation::{Decided, Heard},
    hooks::Hooks,
    problem::{OpenError, Trap},
    request::{Names, Request},
    settings::{Refresh, Settings},
};

/// The largest number of different counts.
const COUNTS: usize = 1000;

/// A candidate, with instances and documents of its own.
pub(crate) struct Shadow {
    candidate: InForce,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    by: BTreeMap<Key, u64>,
    other: u64,
}

/// The comparison, the rule of the policy in force, the candidate's code.
type Key = (Comparison, Option<String>, Option<String>);

/// A candidate's state ([`GateBuilder::shadow`](crate::GateBuilder::shadow)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShadowStatus {
    /// SHA-256 of the candidate, in its canonical form.
    pub policy_digest: String,
    /// Whether it has had every document that its decisions cannot do without.
    pub ready: bool,
    /// Every document of the candidate.
    pub documents: Vec<DocumentStatus>,
    /// How often there was which comparison since the candidate, or the policy in
    /// force, was last replaced: at most 1,000 different ones.
    pub counts: Vec<ShadowCount>,
    /// How many comparisons beyond these.
    pub other: u64,
}

/// How often there was a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShadowCount {
    /// The comparison.
    pub comparison: Comparison,
    /// The rule of the policy in force: its name, or `/rules/<index>`; `None` if none
    /// matched.
    pub rule: Option<String>,
    /// The code of the candidate's denial.
    pub code: Option<String>,
    /// How often.
    pub count: u64,
}

impl Shadow {
    pub(super) async fn open(settings: &Settings, policy: Vec<u8>) -> Result<Self, OpenError> {
        let mut settings = settings.clone();
        // Nothing waits for its documents.
        settings.refresh = Refresh::Background;
        #[cfg(test)]
        if let Some(module) = settings.shadow_module.take() {
            settings.module = Some(module);
        }
        let candidate = open::open(settings.into(), policy.into(), Mode::Shadow).await?;
        Ok(Self {
            candidate: InForce::new(candidate),
            counts: Mutex::default(),
        })
    }

    /// The headers that the candidate reads.
    pub(super) fn reads(&self) -> &Names {
        &self.candidate.generation.reads
    }

    /// Asks the candidate and compares, without any wait. A panic changes nothing.
    pub(super) fn compare(
        &self,
        request: Request<'_>,
        in_force: &Decided,
        hooks: &Hooks,
        extensions: &Extensions,
    ) {
        let Decided { decision, course } = in_force;
        let asked = panic::catch_unwind(AssertUnwindSafe(|| self.ask(request, &course.heard)));
        let Ok((candidates, facts)) = asked else {
            tracing::error!("a comparison has panicked");
            return;
        };
        let comparison = Comparison::of(
            (decision, course.facts.effects.as_deref()),
            (&candidates, facts.effects.as_deref()),
        );
        let rule = course.facts.rule.as_ref().map(MatchedRule::label);
        let code = candidates.denial().map(|denial| denial.code.clone());
        self.counts().add(comparison, rule, code);
        if hooks.want_decisions() {
            let digest = self.candidate.generation.digest.clone();
            let mode = Mode::Shadow;
            let mut event = DecisionEvent::new(&candidates, facts, Duration::ZERO, mode, digest);
            event.comparison = Some(comparison);
            hooks.decided(&event, extensions);
        }
    }

    fn ask(&self, request: Request<'_>, heard: &Heard) -> (Decision, Facts) {
        self.candidate.generation.decide_at_once(request, heard)
    }

    pub(super) async fn status(self: &Arc<Self>) -> Result<ShadowStatus, Trap> {
        let generation = &self.candidate.generation;
        let documents = generation.status().await?;
        let counts = self.counts();
        let count = |(key, count): (&Key, &u64)| {
            let (comparison, rule, code) = key.clone();
            ShadowCount {
                comparison,
                rule,
                code,
                count: *count,
            }
        };
        Ok(ShadowStatus {
            policy_digest: generation.digest.to_string(),
            ready: generation.is_ready(),
            documents,
            counts: counts.by.iter().map(count).collect(),
            other: counts.other,
        })
    }

    /// Another policy is in force: what was counted was about other rules.
    pub(super) fn count_anew(&self) {
        *self.counts() = Counts::default();
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn add(&mut self, comparison: Comparison, rule: Option<String>, code: Option<String>) {
        let is_full = self.by.len() >= COUNTS;
        let key = (comparison, rule, code);
        match self.by.get_mut(&key) {
            Some(count) => *count += 1,
            None if is_full => self.other += 1,
            None => {
                self.by.insert(key, 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{COUNTS, Counts};
    use crate::event::Comparison;

    #[test]
    fn the_counts_are_bounded_and_nothing_is_lost() {
        let mut counts = Counts::default();
        for number in 0..2 * COUNTS {
            let rule = Some(format!("/rules/{number}"));
            counts.add(Comparison::Agree, rule, None);
        }
        counts.add(Comparison::Agree, Some("/rules/0".into()), None);
        assert_eq!((counts.by.len(), counts.other), (COUNTS, COUNTS as u64));
        assert_eq!(counts.by.values().max(), Some(&2));
    }
}
