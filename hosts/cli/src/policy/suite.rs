//! The cases of one file, with their policy and the keys made for them.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use countersign_host::Decision;
use countersign_policy_source::Source;
use serde_json::{Map, Value, json};

use super::{
    case::{Case, Cases, Token},
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

pub(super) struct Difference {
    pub(super) field: String,
    pub(super) expected: Value,
    pub(super) got: Value,
}

impl Outcome {
    pub(super) fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

impl Suite {
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let cases = Cases::read(file)?;
        let policy = read_source(&beside(file, &cases.policy))?;
        let mint = Mint::new(&policy);
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
        let token = match &case.token {
            None => None,
            Some(Token::Literal(token)) => Some(token.clone()),
            Some(Token::Claims(claims)) => {
                let token = self.mint.sign(
                    case.issuer.as_deref(),
                    &case.jose,
                    claims,
                    case.forged,
                    now_ms,
                );
                Some(token.map_err(failed)?)
            }
        };
        let subject = self
            .subject(case, token.map(String::into_bytes))
            .map_err(failed)?;
        let own_keys = self.mint.with_own_keys(&self.policy)?;
        let policy = own_keys.as_ref().unwrap_or(&self.policy);
        let mut session = Session::open(policy, self.documents()?)?;
        let decision = session.decide(&subject, now_ms).await?;
        let differences = compare(&case.expect, &decision);
        Ok(Outcome {
            name: case.name.clone(),
            decision,
            differences,
        })
    }

    fn subject(&self, case: &Case, token: Option<Vec<u8>>) -> Result<Subject, String> {
        let Some(line) = &case.request else {
            let token = token.ok_or("a case has a `token`, a `request`, or both")?;
            return Ok(Subject::Token(token, case.require.clone()));
        };
        let (method, target) = parse_line(line)?;
        let mut request = Request::new(method, target, case.host.clone());
        for (name, value) in &case.headers {
            request.push(name, value.as_bytes());
        }
        if let Some(token) = token {
            request.add_token(&token, self.mint.policy());
        }
        Ok(Subject::Request(request))
    }

    /// The given documents, and the key sets with this run's keys in them.
    fn documents(&self) -> Result<Documents, Failure> {
        let mut keys = self.read_documents(&self.cases.keys)?;
        for (issuer, key) in self.mint.published() {
            let given = keys
                .get(issuer)
                .and_then(|jwks| serde_json::from_slice(jwks).ok());
            let mut jwks: Value = given.unwrap_or_else(|| json!({ "keys": [] }));
            if let Some(keys) = jwks.get_mut("keys").and_then(Value::as_array_mut) {
                keys.push(key);
            }
            keys.insert(issuer.to_owned(), jwks.to_string().into_bytes());
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

fn compare(expected: &Map<String, Value>, decision: &Decision) -> Vec<Difference> {
    let decision = decision::as_json(decision);
    let difference = |(field, expected): (&String, &Value)| {
        let got = match field.as_str() {
            "set_headers" | "headers" => headers(decision.get(field), expected),
            _ => {
                let own = decision.get(field);
                let of_principal = || decision.pointer(&format!("/principal/{field}"));
                own.or_else(of_principal).cloned().unwrap_or_default()
            }
        };
        (got != *expected).then(|| Difference {
            field: field.clone(),
            expected: expected.clone(),
            got,
        })
    };
    expected.iter().filter_map(difference).collect()
}

/// The headers of the decision, as an object; only those that are expected.
fn headers(pairs: Option<&Value>, expected: &Value) -> Value {
    let set = pairs.and_then(Value::as_array);
    let is_expected = |name: &str| expected.get(name).is_some();
    let pairs = set.into_iter().flatten().filter_map(|pair| {
        let name = pair.get(0)?.as_str().filter(|name| is_expected(name))?;
        Some((name.to_owned(), pair.get(1)?.clone()))
    });
    Value::Object(pairs.collect())
}
