//! The cases of one file, with their policy.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use countersign_host::{Decision, Step};
use countersign_policy_source::{Problem, Source, child_pointer};
use serde::Deserialize;
use serde_path_to_error::{Deserializer as Tracking, Segment, Track};

use super::{
    case::{Case, Cases},
    compare::{Difference, compare},
    trial::Trial,
};
use crate::{
    arguments::Host,
    decision,
    documents::Given,
    explain::alone,
    failure::Failure,
    files::{beside, read_bytes, read_source},
    moment,
    request::Subject,
    session::Session,
};

pub(super) struct Suite {
    file: PathBuf,
    cases: Cases,
    trial: Trial,
}

/// What one case asks the gate, with its tokens signed.
pub(super) struct Question {
    /// With the keys of this run.
    pub(super) policy: Source,
    subject: Subject,
    now_ms: u64,
}

impl Question {
    /// Whether a rule decides, and not only the issuers.
    pub(super) fn is_request(&self) -> bool {
        matches!(self.subject, Subject::Request(_))
    }
}

/// A decision, and every check before it.
pub(super) struct Explained {
    pub(super) decision: Decision,
    pub(super) steps: Vec<Step>,
}

/// The result of one case.
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) explained: Explained,
    /// The fields that were not as expected.
    pub(super) differences: Vec<Difference>,
}

impl Outcome {
    pub(super) fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

impl Suite {
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let cases = read_cases(file)?;
        let policy = read_source(&beside(file, &cases.policy))?;
        let given = Given {
            keys: read_documents(file, &cases.keys)?,
            revocations: read_documents(file, &cases.revocations)?,
            api_keys: read_documents(file, &cases.api_keys)?,
        };
        Ok(Self {
            file: file.to_owned(),
            cases,
            trial: Trial::new(policy, given),
        })
    }

    /// The cases with `text` in their name; all of them without one.
    pub(super) fn matching(&self, text: Option<&str>) -> Vec<usize> {
        let matches = |case: &Case| text.is_none_or(|text| case.name.contains(text));
        let cases = self.cases.cases.iter().enumerate();
        cases
            .filter(|(_, case)| matches(case))
            .map(|(index, _)| index)
            .collect()
    }

    /// Runs one case.
    pub(super) async fn run(
        &self,
        index: usize,
        question: &Question,
        host: &Host,
    ) -> Result<Outcome, Failure> {
        let case = &self.cases.cases[index];
        let explained = self.explain(question, &question.policy, host).await?;
        let differences = compare(&case.expect, &decision::as_json(&explained.decision));
        Ok(Outcome {
            name: case.name.clone(),
            explained,
            differences,
        })
    }

    /// Signs the tokens of a case.
    pub(super) fn question(&mut self, index: usize) -> Result<Question, Failure> {
        let case = &self.cases.cases[index];
        let file = self.file.display().to_string();
        let failed = |reason| Failure::Usage(format!("{file}: /cases/{index}: {reason}"));
        let now_ms = case.now.or(self.cases.now).unwrap_or_else(moment::now_ms);
        let subject = self.trial.subject(case, now_ms).map_err(failed)?;
        Ok(Question {
            policy: self.trial.policy(),
            subject,
            now_ms,
        })
    }

    /// Decides and explains a question by `policy`, in a gate of its own.
    pub(super) async fn explain(
        &self,
        question: &Question,
        policy: &Source,
        host: &Host,
    ) -> Result<Explained, Failure> {
        let now_ms = question.now_ms;
        let mut session = Session::open(policy, self.trial.documents()?, host)?;
        let decision = session.decide(&question.subject, now_ms).await?;
        let steps = match &question.subject {
            Subject::Request(request) => session.explain(request, now_ms)?,
            Subject::Token(token, requirement) => {
                let (policy, request) = alone(policy, token, requirement.as_ref());
                let mut session = Session::open(&policy, self.trial.documents()?, host)?;
                session.check(&request, now_ms).await?;
                session.explain(&request, now_ms)?
            }
        };
        Ok(Explained { decision, steps })
    }
}

/// Documents that a file of cases names, by issuer.
fn read_documents(
    file: &Path,
    named: &BTreeMap<String, String>,
) -> Result<HashMap<String, Vec<u8>>, Failure> {
    let read = |(issuer, named): (&String, &String)| {
        Ok((issuer.clone(), read_bytes(&beside(file, named))?))
    };
    named.iter().map(read).collect()
}

/// Reads a file of cases.
pub(super) fn read_cases(path: &Path) -> Result<Cases, Failure> {
    let source = read_source(path)?;
    let mut track = Track::new();
    let mut json = serde_json::Deserializer::from_slice(&source.json);
    let cases = Cases::deserialize(Tracking::new(&mut json, &mut track));
    cases.map_err(|error| {
        let pointer = track.path().iter().map(pointer_token).collect::<String>();
        // The line in the JSON would mislead: the position is the file's.
        let message = error.to_string();
        let message = message
            .split(" at line ")
            .next()
            .unwrap_or_default()
            .to_owned();
        Failure::Problems(vec![Problem {
            file: source.name.clone(),
            position: source.position(&pointer),
            pointer,
            code: "cases_invalid".to_owned(),
            message,
            is_error: true,
        }])
    })
}

fn pointer_token(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => child_pointer("", key),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    }
}
