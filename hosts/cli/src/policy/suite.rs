//! The cases of one file, with their policy and the keys made for them.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use countersign_host::Decision;
use countersign_policy_source::{Problem, Source, child_pointer};
use serde::Deserialize;
use serde_json::Value;
use serde_path_to_error::{Deserializer as Tracking, Segment, Track};

use super::{
    case::{Case, Cases, Token},
    compare::{Difference, compare},
    mint::Mint,
};
use crate::{
    decision,
    documents::Documents,
    failure::Failure,
    files::{beside, read_bytes, read_source},
    moment,
    request::{Request, Subject, parse_line},
    session::Session,
};

pub(super) struct Suite {
    file: PathBuf,
    cases: Cases,
    policy: Source,
    mint: Mint,
}

/// The result of one case.
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) decision: Decision,
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
        let mint = Mint::new(&policy.json);
        Ok(Self {
            file: file.to_owned(),
            cases,
            policy,
            mint,
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

    /// Runs one case, in a gate of its own.
    pub(super) async fn run(&mut self, index: usize) -> Result<Outcome, Failure> {
        let case = &self.cases.cases[index];
        let file = self.file.display().to_string();
        let failed = |reason| Failure::Usage(format!("{file}: /cases/{index}: {reason}"));
        let now_ms = case.now.or(self.cases.now).unwrap_or_else(moment::now_ms);
        let mut tokens = Vec::new();
        for sent in case.tokens() {
            let token = match &sent.token {
                Token::Literal(token) => token.clone(),
                Token::Claims(claims) => self.mint.sign(&sent, claims, now_ms).map_err(failed)?,
            };
            tokens.push((sent.place, token.into_bytes()));
        }
        let subject = self.subject(case, tokens).map_err(failed)?;
        let own_keys = self
            .mint
            .with_own_keys()
            .map(|json| Source::from_json(&self.policy.name, json.to_string().into_bytes()));
        let policy = own_keys.as_ref().unwrap_or(&self.policy);
        let mut session = Session::open(policy, self.documents()?)?;
        let decision = session.decide(&subject, now_ms).await?;
        let differences = compare(&case.expect, &decision::as_json(&decision));
        Ok(Outcome {
            name: case.name.clone(),
            decision,
            differences,
        })
    }

    fn subject(
        &self,
        case: &Case,
        tokens: Vec<(Option<Value>, Vec<u8>)>,
    ) -> Result<Subject, String> {
        let Some(line) = &case.request else {
            let token = tokens.into_iter().next();
            let (_, token) = token.ok_or("a case has a `token`, a `request`, or both")?;
            return Ok(Subject::Token(token, case.require.clone()));
        };
        let (method, target) = parse_line(line)?;
        let mut request = Request::new(method, target, case.host.clone());
        for (name, value) in &case.headers {
            request.push(name, value.as_bytes());
        }
        for (place, token) in tokens {
            match place {
                Some(place) => request.put(&token, &place),
                None => request.add_token(&token, self.mint.policy()),
            }
        }
        Ok(Subject::Request(request))
    }

    /// The given documents, and the key sets with this run's keys in them.
    fn documents(&self) -> Result<Documents, Failure> {
        let mut keys = self.read_documents(&self.cases.keys)?;
        for issuer in self.mint.issuers() {
            let document = self
                .mint
                .publish(issuer, keys.get(issuer).map(Vec::as_slice));
            keys.insert(issuer.to_owned(), document);
        }
        Documents::new(
            &self.policy,
            keys,
            self.read_documents(&self.cases.revocations)?,
        )
    }

    fn read_documents(
        &self,
        files: &BTreeMap<String, String>,
    ) -> Result<HashMap<String, Vec<u8>>, Failure> {
        let read = |(issuer, named): (&String, &String)| {
            Ok((issuer.clone(), read_bytes(&beside(&self.file, named))?))
        };
        files.iter().map(read).collect()
    }
}

/// Reads a file of cases.
fn read_cases(path: &Path) -> Result<Cases, Failure> {
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
