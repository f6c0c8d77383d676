//! A gate with a provider's policy, and what it decides.

use std::borrow::Cow;

use countersign::{Code, Decision, Gate, Grant, Need, Outcome, Request, Supplied};
use countersign_init::provider;
use serde_json::{Value, json};

use crate::{
    token::{NOW_S, Token},
    yaml::Yaml,
};

/// Where the token stands in a request.
enum Place {
    Bearer,
    Header(&'static str),
    Cookie(&'static str),
}

/// The gate, and the documents that the provider publishes.
pub(crate) struct Bench {
    gate: Gate,
    documents: Vec<(String, Value)>,
    place: Place,
}

impl Bench {
    /// A gate with the policy that `init` prints for these values. It is YAML as
    /// every host reads it, and has no problem: neither error nor warning.
    #[track_caller]
    pub(crate) fn new(name: &str, given: &[(&str, &str)]) -> Self {
        let provider = provider(name).expect("a provider");
        let policy = provider.policy(given).expect("a policy");
        Self {
            gate: open(name, &policy).unwrap_or_else(|problems| panic!("{problems:#?}")),
            documents: Vec::new(),
            place: Place::Bearer,
        }
    }

    /// With what the provider publishes at this address. Asking for another
    /// address fails the test.
    pub(crate) fn publishes(mut self, address: &str, document: Value) -> Self {
        self.documents.push((address.to_owned(), document));
        self
    }

    /// With tokens in this header.
    pub(crate) fn in_header(mut self, name: &'static str) -> Self {
        self.place = Place::Header(name);
        self
    }

    /// With tokens in this cookie.
    pub(crate) fn in_cookie(mut self, name: &'static str) -> Self {
        self.place = Place::Cookie(name);
        self
    }

    /// The token passes; forged or expired it would not.
    #[track_caller]
    pub(crate) fn admits(&mut self, token: &Token) -> Grant {
        self.admits_at("/orders/1", token)
    }

    #[track_caller]
    pub(crate) fn admits_at(&mut self, path: &str, token: &Token) -> Grant {
        let grant = match self.decide(path, &token.compact()) {
            Decision::Allow(grant) => grant,
            other => panic!("{other:?}"),
        };
        self.refuses_at(path, Code::SignatureInvalid, &token.forged());
        let expired = token.with("exp", json!(NOW_S - 31));
        self.refuses_at(path, Code::TokenExpired, &expired);
        grant
    }

    #[track_caller]
    pub(crate) fn refuses(&mut self, code: Code, token: &Token) {
        self.refuses_at("/orders/1", code, token);
    }

    #[track_caller]
    pub(crate) fn refuses_at(&mut self, path: &str, code: Code, token: &Token) {
        self.refuses_text(path, code, &token.compact());
    }

    #[track_caller]
    pub(crate) fn refuses_text(&mut self, path: &str, code: Code, token: &str) {
        match self.decide(path, token) {
            Decision::Deny(denial) => assert_eq!(denial.code, code, "{:?}", denial.claim),
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn decide(&mut self, path: &str, token: &str) -> Decision {
        let (name, value) = match self.place {
            Place::Bearer => ("authorization", format!("Bearer {token}")),
            Place::Header(name) => (name, token.to_owned()),
            Place::Cookie(name) => ("cookie", format!("{name}={token}")),
        };
        let headers: &[(&[u8], &[u8])] = &[(name.as_bytes(), value.as_bytes())];
        let request = Request {
            method: b"GET",
            authority: b"api.example.com",
            target: path.as_bytes(),
            headers,
            connection: Default::default(),
        };
        for _ in 0..4 {
            match self.gate.check(&request, NOW_S * 1000) {
                Decision::Wait(needs) => {
                    for fetch in needs.into_iter().filter_map(Need::document) {
                        self.fetch(fetch.source, &fetch.uri);
                    }
                }
                decided => return decided,
            }
        }
        panic!("the gate waits for ever")
    }

    #[track_caller]
    fn fetch(&mut self, source: u32, uri: &str) {
        let published = self.documents.iter().find(|(address, _)| address == uri);
        let Some((_, document)) = published else {
            panic!("nothing is published at {uri}")
        };
        let body = document.to_string().into_bytes();
        let outcome = Outcome::Response {
            status: 200,
            cache_control: "",
            length: body.len(),
            body: Cow::Owned(body),
        };
        let mut supplied = self.gate.supply(source, uri, outcome, NOW_S * 1000);
        while let Supplied::Unfinished = supplied {
            supplied = self.gate.resume(source, b"", NOW_S * 1000);
        }
        if let Supplied::Refused(problem) = supplied {
            panic!("{uri}: {problem:?}");
        }
    }
}

/// A gate with this policy of the provider, or every problem, warnings included:
/// but for that of a secret, where the policy has one.
pub(crate) fn open(name: &str, policy: &str) -> Result<Gate, Vec<String>> {
    let yaml = Yaml::parse(policy).map_err(|error| vec![format!("{name}: {error}")])?;
    let gate = Gate::open(yaml.json.as_bytes(), 0);
    let problems = match &gate {
        Ok(gate) => gate.warnings(),
        Err(problems) => problems,
    };
    let has_secret = policy.contains("secrets:");
    let said: Vec<_> = problems
        .iter()
        .filter(|problem| !(has_secret && problem.code == "inline_secret"))
        .map(|problem| format!("{name}: {}: {}", problem.pointer, problem.message))
        .collect();
    gate.ok().filter(|_| said.is_empty()).ok_or(said)
}

/// The header that the backend gets.
pub(crate) fn forwarded(grant: &Grant, name: &str) -> Option<String> {
    let found = grant
        .set_headers
        .iter()
        .find(|(header, _)| **header == *name);
    found.map(|(_, value)| value.to_string())
}
