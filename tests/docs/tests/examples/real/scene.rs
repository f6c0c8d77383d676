//! The gate of a case.

use std::{collections::BTreeSet, path::Path};

use countersign::{Decision, Fetch, FetchKind, Gate, Problem, Verdict};

use super::{File, Real, read};
use crate::{
    compare::compare,
    gate::{Asked, answer, as_json, metadata, supply},
    mint::Mint,
    moment,
};

/// The moment of all cases.
const NOW: &str = "2026-11-28T12:00:00Z";

/// The requests of a file, with one choice of its key documents.
pub(super) struct Scene<'a> {
    pub(super) file: &'a File,
    pub(super) folder: &'a Path,
    pub(super) round: usize,
}

impl Scene<'_> {
    /// Decides each request twice by a gate of its own, then all by one.
    pub(super) fn decide(&self, cases: &[Real]) -> Result<Vec<String>, String> {
        let mut mint = Mint::new(self.file.policy.to_string().as_bytes());
        let (mut asked, mut wrong) = (Vec::new(), Vec::new());
        for Real { case, .. } in cases {
            let now_ms = case.now.unwrap_or_else(|| moment::parse(NOW).unwrap());
            asked.push((Asked::new(&mut mint, case, now_ms)?, now_ms));
        }
        let policy = mint.with_own_keys();
        let policy = policy.as_ref().unwrap_or(mint.policy()).to_string();
        let open = || Gate::open(policy.as_bytes(), 0).map_err(|problems| format!("{problems:?}"));
        let mut skipped = BTreeSet::new();
        let mut first = Vec::new();
        for (real, (asked, now_ms)) in cases.iter().zip(&asked) {
            let mut gate = open()?;
            let fresh = answer(&mut gate, asked, *now_ms, |gate, fetch| {
                let problems = self.supply(gate, &fetch, &mint, *now_ms)?;
                skipped.extend(problems.iter().map(|problem| problem.code.to_owned()));
                Ok(())
            })?;
            let again = answer(&mut gate, asked, *now_ms, |_, fetch| {
                Err(format!("{} is fetched again", fetch.uri))
            })?;
            let name = &real.case.name;
            // An equal number says that the token was not verified again.
            if fresh != again {
                wrong.push(format!("{name}: {fresh:?}, then {again:?}"));
            }
            let texts = differences(real, &gate, asked, &fresh, *now_ms);
            wrong.extend(texts.into_iter().map(|text| format!("{name}: {text}")));
            first.push(as_json(&fresh));
        }
        if skipped != self.file.skipped {
            wrong.push(format!("skipped: {skipped:?}"));
        }
        // Nor does one request change what is decided about another.
        let mut gate = open()?;
        for ((real, (asked, now_ms)), alone) in cases.iter().zip(&asked).zip(&first).rev() {
            let together = answer(&mut gate, asked, *now_ms, |gate, fetch| {
                self.supply(gate, &fetch, &mint, *now_ms).map(drop)
            })?;
            let together = as_json(&together);
            if together != *alone {
                let name = &real.case.name;
                wrong.push(format!("{name}: alone {alone}, after others {together}"));
            }
        }
        Ok(wrong)
    }

    fn supply(
        &self,
        gate: &mut Gate,
        fetch: &Fetch,
        mint: &Mint,
        now_ms: u64,
    ) -> Result<Vec<Problem>, String> {
        let name = &*fetch.issuer;
        let body = match fetch.kind {
            FetchKind::Discovery => metadata(mint.policy(), name),
            _ => {
                let documents = self.file.keys.get(name).ok_or(format!("no keys: {name}"))?;
                let document = documents.get(self.round).or(documents.last()).unwrap();
                let given = read(self.folder, document).into_bytes();
                match mint.issuers().contains(&name) {
                    true => mint.publish(name, Some(&given)),
                    false => given,
                }
            }
        };
        supply(gate, fetch, body, now_ms)
    }
}

/// What is not as expected.
fn differences(
    real: &Real,
    gate: &Gate,
    asked: &Asked,
    decision: &Decision,
    now_ms: u64,
) -> Vec<String> {
    let json = as_json(decision);
    let mut wrong = Vec::new();
    for difference in compare(&real.case.expect, &json) {
        let (field, expected, got) = (difference.field, difference.expected, difference.got);
        wrong.push(format!("{field}: {expected}, got {got}: {json}"));
    }
    if let Some(changes) = &real.changes
        && json["changes"] != *changes
    {
        wrong.push(format!("changes: {changes}, got {}", json["changes"]));
    }
    let steps = asked.with(|request| gate.explain(request, now_ms));
    // The last step is the result: of several cookies, a good one can follow a bad one.
    let last = steps.last();
    let failed = last.and_then(|step| match step.verdict {
        Verdict::Fail(code) => Some(code.as_str()),
        _ => None,
    });
    if failed != json["code"].as_str() {
        wrong.push(format!("explain: {last:?}, decided {json}"));
    }
    if let Some(text) = &real.explain
        && !last.is_some_and(|step| step.detail.contains(&**text))
    {
        wrong.push(format!("explain: {text}, got {last:?}"));
    }
    wrong
}
