//! Builds a vector step by step.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{policy::policy, request::document, token::NOW};
use crate::{
    operation::{Asked, Signed, SignedExpect},
    vector::{
        Bytes, Document, Event, Expect, ExpectedProblem, Request, Response, Signatures, Step,
        Supply, SupplyExpect, Vector,
    },
};

/// A vector under construction.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    vector: Vector,
    at: u64,
}

/// Starts a vector with the plain policy: id, title, and the rules that it
/// tests.
pub(crate) fn vector(id: &str, title: &str, rules: &[&str]) -> Draft {
    let vector = Vector {
        id: id.into(),
        title: title.into(),
        rules: rules.iter().map(|rule| rule.to_string()).collect(),
        attacks: Vec::new(),
        signatures: None,
        secrets: BTreeMap::new(),
        policy: policy().into(),
        problems: Vec::new(),
        steps: Vec::new(),
    };
    Draft { vector, at: NOW }
}

impl Draft {
    /// Sets the policy; a string is its literal text.
    pub(crate) fn policy(mut self, policy: impl Into<Value>) -> Self {
        self.vector.policy = policy.into();
        self
    }

    /// Only for hosts where these verify signatures.
    pub(crate) fn only_if(mut self, signatures: Signatures) -> Self {
        self.vector.signatures = Some(signatures);
        self
    }

    /// Gives the host a secret.
    pub(crate) fn secret(mut self, name: &str, secret: &str) -> Self {
        self.vector.secrets.insert(name.into(), secret.into());
        self
    }

    /// Adds a rule that it tests.
    pub(crate) fn also(mut self, rule: &str) -> Self {
        self.vector.rules.push(rule.into());
        self
    }

    /// Adds an attack class that it tests.
    pub(crate) fn attack(mut self, class: &str) -> Self {
        self.vector.attacks.push(class.into());
        self
    }

    /// Expects that the policy is refused with these problems: code and
    /// pointer.
    pub(crate) fn refused(mut self, problems: &[(&str, &str)]) -> Self {
        let problem = |(code, pointer): &(&str, &str)| ExpectedProblem {
            pointer: pointer.to_string(),
            code: code.to_string(),
        };
        self.vector.problems = problems.iter().map(problem).collect();
        self
    }

    /// Sets the clock for the following steps: milliseconds after [`NOW`].
    pub(crate) fn at(mut self, after_ms: i64) -> Self {
        self.at = NOW.checked_add_signed(after_ms).expect("a time");
        self
    }

    /// Adds a request.
    pub(crate) fn ask(self, request: impl Into<Request>, expect: impl Into<Expect>) -> Self {
        let (request, expect) = (request.into(), expect.into());
        self.step(Event::Request { request, expect })
    }

    /// Adds several requests with the same answer.
    pub(crate) fn ask_all<R: Into<Request>>(
        self,
        requests: impl IntoIterator<Item = R>,
        expect: impl Into<Expect>,
    ) -> Self {
        let expect = expect.into();
        requests
            .into_iter()
            .fold(self, |draft, request| draft.ask(request, expect.clone()))
    }

    /// Adds a check of a token without a request.
    pub(crate) fn token(
        self,
        token: impl Into<Bytes>,
        requirement: Option<Value>,
        expect: impl Into<Expect>,
    ) -> Self {
        self.check_token(token.into(), requirement, false, expect.into())
    }

    /// Adds a further check of a token with which a request was allowed.
    pub(crate) fn proven(
        self,
        token: impl Into<Bytes>,
        requirement: Option<Value>,
        expect: impl Into<Expect>,
    ) -> Self {
        self.check_token(token.into(), requirement, true, expect.into())
    }

    fn check_token(
        self,
        token: Bytes,
        requirement: Option<Value>,
        proven: bool,
        expect: Expect,
    ) -> Self {
        self.step(Event::Token {
            token,
            requirement,
            proven,
            expect,
        })
    }

    /// Expects that these documents of the platform are due.
    pub(crate) fn due(self, kinds: &[&str]) -> Self {
        self.due_of(kinds.iter().map(|kind| document("platform", kind)))
    }

    /// Expects that these documents are due.
    pub(crate) fn due_of(self, due: impl IntoIterator<Item = Document>) -> Self {
        self.step(Event::Due {
            due: due.into_iter().collect(),
        })
    }

    /// Supplies a document of the platform that is accepted as a whole.
    pub(crate) fn accept(self, kind: &str, response: Response) -> Self {
        self.supply(
            "platform",
            kind,
            Some(response),
            SupplyExpect::Accepted(Vec::new()),
        )
    }

    /// Supplies a document of the platform that is accepted except these parts.
    pub(crate) fn accept_but(self, kind: &str, response: Response, skipped: &[&str]) -> Self {
        let skipped = skipped.iter().map(|pointer| pointer.to_string()).collect();
        self.supply(
            "platform",
            kind,
            Some(response),
            SupplyExpect::Accepted(skipped),
        )
    }

    /// Supplies a document of the platform that is refused.
    pub(crate) fn refuse(self, kind: &str, response: Response) -> Self {
        self.supply("platform", kind, Some(response), SupplyExpect::Refused)
    }

    /// Adds a failed fetch of the platform.
    pub(crate) fn fail(self, kind: &str) -> Self {
        self.supply("platform", kind, None, SupplyExpect::Refused)
    }

    /// Adds the end of a fetch.
    pub(crate) fn supply(
        self,
        issuer: &str,
        kind: &str,
        response: Option<Response>,
        expect: SupplyExpect,
    ) -> Self {
        let supply = Supply {
            issuer: issuer.into(),
            kind: kind.into(),
            uri: None,
            response,
        };
        self.step(Event::Supply { supply, expect })
    }

    /// Supplies the result of a fetch from a former address of the document.
    pub(crate) fn outdated(self, kind: &str, uri: &str, response: Option<Response>) -> Self {
        self.supply_at(kind, uri, response, SupplyExpect::Outdated)
    }

    /// Supplies keys of the platform from this address, which are accepted as a
    /// whole.
    pub(crate) fn accept_at(self, uri: &str, response: Response) -> Self {
        let expect = SupplyExpect::Accepted(Vec::new());
        self.supply_at("jwks", uri, Some(response), expect)
    }

    /// Adds a failed fetch of the platform's keys from this address.
    pub(crate) fn fail_at(self, uri: &str) -> Self {
        self.supply_at("jwks", uri, None, SupplyExpect::Refused)
    }

    /// Adds the end of a fetch of the platform from this address.
    pub(crate) fn supply_at(
        self,
        kind: &str,
        uri: &str,
        response: Option<Response>,
        expect: SupplyExpect,
    ) -> Self {
        let supply = Supply {
            issuer: "platform".into(),
            kind: kind.into(),
            uri: Some(uri.into()),
            response,
        };
        self.step(Event::Supply { supply, expect })
    }

    /// Expects the time until the next document is due in milliseconds, or
    /// `None`.
    pub(crate) fn next_due(self, next_due: Option<u64>) -> Self {
        self.step(Event::NextDue { next_due })
    }

    /// Expects these members of the event of the last decision.
    pub(crate) fn tells(self, last_event: Value) -> Self {
        self.tells_with("", last_event)
    }

    /// The same, where the host has a key for subjects.
    pub(crate) fn tells_with(self, subject_key: &str, last_event: Value) -> Self {
        let Value::Object(last_event) = last_event else {
            panic!("members")
        };
        self.step(Event::Operation(Asked::LastEvent {
            last_event,
            subject_key: subject_key.into(),
        }))
    }

    /// Expects this digest of the policy.
    pub(crate) fn digest(self, digest: &str) -> Self {
        let digest = digest.into();
        self.step(Event::Operation(Asked::Digest { digest }))
    }

    /// Expects that the gate is ready, or is not.
    pub(crate) fn ready(self, ready: bool) -> Self {
        self.step(Event::Operation(Asked::Ready { ready }))
    }

    /// Opens a signed policy.
    pub(crate) fn opens_signed(self, open_signed: Signed, expect: SignedExpect) -> Self {
        self.step(Event::Operation(Asked::OpenSigned {
            open_signed,
            expect,
        }))
    }

    fn step(mut self, event: Event) -> Self {
        self.vector.steps.push(Step { at: self.at, event });
        self
    }

    /// Returns the vector.
    pub(crate) fn build(self) -> Vector {
        self.vector
    }
}
