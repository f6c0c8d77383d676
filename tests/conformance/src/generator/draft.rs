//! A vector, written down step by step.

use serde_json::{Map, Value, json};

use countersign::Code;

use super::{
    policy::policy,
    token::{NOW, Token},
};
use crate::vector::{
    Allow, Bytes, Deny, Document, Event, Expect, ExpectedProblem, Request, Response, Step, Supply,
    SupplyExpect, Vector,
};

/// A vector under construction.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    vector: Vector,
    at: u64,
}

/// A vector of the plain policy: id, sentence, the rules that it proves.
pub(crate) fn vector(id: &str, title: &str, rules: &[&str]) -> Draft {
    let vector = Vector {
        id: id.into(),
        title: title.into(),
        rules: rules.iter().map(|rule| rule.to_string()).collect(),
        attacks: Vec::new(),
        policy: policy().into(),
        problems: Vec::new(),
        steps: Vec::new(),
    };
    Draft { vector, at: NOW }
}

impl Draft {
    /// The policy; a string is its literal text.
    pub(crate) fn policy(mut self, policy: impl Into<Value>) -> Self {
        self.vector.policy = policy.into();
        self
    }

    /// The attack classes that it stands for.
    pub(crate) fn attack(mut self, class: &str) -> Self {
        self.vector.attacks.push(class.into());
        self
    }

    /// The policy is refused, with these problems: code and pointer.
    pub(crate) fn refused(mut self, problems: &[(&str, &str)]) -> Self {
        let problem = |(code, pointer): &(&str, &str)| ExpectedProblem {
            pointer: pointer.to_string(),
            code: code.to_string(),
        };
        self.vector.problems = problems.iter().map(problem).collect();
        self
    }

    /// The clock from here on: milliseconds after [`NOW`].
    pub(crate) fn at(mut self, after_ms: i64) -> Self {
        self.at = NOW.checked_add_signed(after_ms).expect("a time");
        self
    }

    /// A request comes.
    pub(crate) fn ask(self, request: impl Into<Request>, expect: impl Into<Expect>) -> Self {
        let (request, expect) = (request.into(), expect.into());
        self.step(Event::Request { request, expect })
    }

    /// Several requests with the same answer.
    pub(crate) fn ask_all<R: Into<Request>>(
        self,
        requests: impl IntoIterator<Item = R>,
        expect: impl Into<Expect>,
    ) -> Self {
        let expect = expect.into();
        requests.into_iter().fold(self, |draft, request| draft.ask(request, expect.clone()))
    }

    /// A token is checked without a request.
    pub(crate) fn token(
        self,
        token: impl Into<Bytes>,
        requirement: Option<Value>,
        expect: impl Into<Expect>,
    ) -> Self {
        let (token, expect) = (token.into(), expect.into());
        self.step(Event::Token { token, requirement, expect })
    }

    /// These documents of the platform are due.
    pub(crate) fn due(self, kinds: &[&str]) -> Self {
        self.due_of(kinds.iter().map(|kind| document("platform", kind)))
    }

    /// These documents are due.
    pub(crate) fn due_of(self, due: impl IntoIterator<Item = Document>) -> Self {
        self.step(Event::Due { due: due.into_iter().collect() })
    }

    /// A document of the platform arrives and is used as a whole.
    pub(crate) fn accept(self, kind: &str, response: Response) -> Self {
        self.supply("platform", kind, Some(response), SupplyExpect::Accepted(Vec::new()))
    }

    /// A document of the platform arrives and is used but for these parts.
    pub(crate) fn accept_but(self, kind: &str, response: Response, skipped: &[&str]) -> Self {
        let skipped = skipped.iter().map(|pointer| pointer.to_string()).collect();
        self.supply("platform", kind, Some(response), SupplyExpect::Accepted(skipped))
    }

    /// A document of the platform arrives and is refused.
    pub(crate) fn refuse(self, kind: &str, response: Response) -> Self {
        self.supply("platform", kind, Some(response), SupplyExpect::Refused)
    }

    /// A fetch of the platform fails.
    pub(crate) fn fail(self, kind: &str) -> Self {
        self.supply("platform", kind, None, SupplyExpect::Refused)
    }

    /// A fetch ends.
    pub(crate) fn supply(
        self,
        issuer: &str,
        kind: &str,
        response: Option<Response>,
        expect: SupplyExpect,
    ) -> Self {
        let supply = Supply { issuer: issuer.into(), kind: kind.into(), response };
        self.step(Event::Supply { supply, expect })
    }

    fn step(mut self, event: Event) -> Self {
        self.vector.steps.push(Step { at: self.at, event });
        self
    }

    /// The vector.
    pub(crate) fn build(self) -> Vector {
        self.vector
    }
}

/// `GET` of a target, without a token.
pub(crate) fn get(target: &str) -> Request {
    request("GET", target)
}

/// A request without a token.
pub(crate) fn request(method: &str, target: &str) -> Request {
    Request {
        method: method.into(),
        authority: "api.example.com".into(),
        target: target.into(),
        headers: Vec::new(),
    }
}

impl Request {
    /// With another authority.
    pub(crate) fn to(mut self, authority: impl Into<Bytes>) -> Self {
        self.authority = authority.into();
        self
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: &str, value: impl Into<Bytes>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With a bearer token.
    pub(crate) fn bearer(self, token: &Token) -> Self {
        self.header("authorization", format!("Bearer {}", token.compact()))
    }
}

impl From<Token> for Request {
    fn from(token: Token) -> Self {
        get("/").bearer(&token)
    }
}

/// A document, by issuer and kind.
pub(crate) fn document(issuer: &str, kind: &str) -> Document {
    Document { issuer: issuer.into(), kind: kind.into(), uri: None }
}

/// A good response with this document.
pub(crate) fn ok(body: &Value) -> Response {
    Response { status: 200, cache_control: String::new(), body: body.to_string().into() }
}

/// A response.
pub(crate) fn response(status: u16, cache_control: &str, body: impl Into<Bytes>) -> Response {
    Response { status, cache_control: cache_control.into(), body: body.into() }
}

/// Admitted.
pub(crate) fn allow() -> Expect {
    Expect::Allow(Allow::default())
}

/// Admitted, and the principal has these members.
pub(crate) fn principal(members: Value) -> Expect {
    let Value::Object(members) = members else { panic!("members") };
    Expect::Allow(Allow { principal: Some(Some(members)), ..Allow::default() })
}

/// Admitted without a principal.
pub(crate) fn anonymous() -> Expect {
    Expect::Allow(Allow { principal: Some(None), ..Allow::default() })
}

/// Admitted, with exactly these headers set.
pub(crate) fn sets(headers: Value) -> Expect {
    let Value::Object(headers) = headers else { panic!("headers") };
    Expect::Allow(Allow { set_headers: Some(headers), ..Allow::default() })
}

/// Told to wait for these documents of the platform.
pub(crate) fn wait(kinds: &[&str]) -> Expect {
    Expect::Wait(kinds.iter().map(|kind| document("platform", kind)).collect())
}

/// Denied.
pub(crate) fn deny(code: Code) -> Expect {
    let (code, status) = (code.to_string(), code.status());
    Expect::Deny(Deny { code, status, claim: None, challenge: None, retry_after_s: None })
}

impl Expect {
    /// Denied, naming this claim.
    pub(crate) fn naming(self, claim: &str) -> Self {
        self.denied(|deny| deny.claim = Some(Some(claim.into())))
    }

    /// Denied, naming no claim.
    pub(crate) fn naming_none(self) -> Self {
        self.denied(|deny| deny.claim = Some(None))
    }

    /// Denied, with this challenge.
    pub(crate) fn challenging(self, challenge: &str) -> Self {
        self.denied(|deny| deny.challenge = Some(Some(challenge.into())))
    }

    /// Denied, without a challenge.
    pub(crate) fn without_challenge(self) -> Self {
        self.denied(|deny| deny.challenge = Some(None))
    }

    /// Denied, with this `Retry-After` or none.
    pub(crate) fn retry_after(self, seconds: Option<u32>) -> Self {
        self.denied(|deny| deny.retry_after_s = Some(seconds))
    }

    fn denied(mut self, change: impl FnOnce(&mut Deny)) -> Self {
        match &mut self {
            Self::Deny(deny) => change(deny),
            _ => panic!("not a denial"),
        }
        self
    }

    /// Admitted, with exactly these headers removed.
    pub(crate) fn removing(mut self, names: &[&str]) -> Self {
        match &mut self {
            Self::Allow(allow) => {
                allow.remove_headers = Some(names.iter().map(|name| name.to_string()).collect());
            }
            _ => panic!("not a grant"),
        }
        self
    }

    /// Admitted, with exactly these cookies removed.
    pub(crate) fn removing_cookies(mut self, names: &[&str]) -> Self {
        match &mut self {
            Self::Allow(allow) => {
                allow.remove_cookies = Some(names.iter().map(|name| name.to_string()).collect());
            }
            _ => panic!("not a grant"),
        }
        self
    }

    /// Admitted, with exactly these headers set.
    pub(crate) fn setting(mut self, headers: Value) -> Self {
        match (&mut self, headers) {
            (Self::Allow(allow), Value::Object(headers)) => allow.set_headers = Some(headers),
            _ => panic!("not a grant"),
        }
        self
    }
}

impl From<Code> for Expect {
    fn from(code: Code) -> Self {
        deny(code)
    }
}

/// One member, for the short form of a map.
pub(crate) fn member(name: &str, value: impl Into<Value>) -> Value {
    let mut members = Map::new();
    members.insert(name.into(), value.into());
    json!(members)
}
