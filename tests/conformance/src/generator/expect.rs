//! Short forms of decisions.

use countersign::Code;
use serde_json::Value;

use super::request::document;
use crate::vector::{Allow, Answer, Change, Deny, Expect};

/// Admitted.
pub(crate) fn allow() -> Expect {
    Expect::Allow(Allow::default())
}

/// Admitted, and the principal has these members.
pub(crate) fn principal(members: Value) -> Expect {
    let Value::Object(members) = members else {
        panic!("members")
    };
    Expect::Allow(Allow {
        principal: Some(Some(members)),
        ..Allow::default()
    })
}

/// Admitted without a principal.
pub(crate) fn anonymous() -> Expect {
    Expect::Allow(Allow {
        principal: Some(None),
        ..Allow::default()
    })
}

/// Admitted, with exactly these headers set.
pub(crate) fn sets(headers: Value) -> Expect {
    let Value::Object(headers) = headers else {
        panic!("headers")
    };
    Expect::Allow(Allow {
        set_headers: Some(headers),
        ..Allow::default()
    })
}

/// Answered with this metadata document.
pub(crate) fn metadata(body: &str) -> Expect {
    let header = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Expect::Answer(Answer {
        status: 200,
        headers: [
            ("content-type", "application/json"),
            ("access-control-allow-origin", "*"),
        ]
        .map(header)
        .into(),
        body: body.into(),
    })
}

/// Must wait for these documents of the platform.
pub(crate) fn wait(kinds: &[&str]) -> Expect {
    Expect::Wait(
        kinds
            .iter()
            .map(|kind| document("platform", kind))
            .collect(),
    )
}

/// Denied.
pub(crate) fn deny(code: Code) -> Expect {
    let (code, status) = (code.to_string(), code.status());
    Expect::Deny(Deny {
        code,
        status,
        claim: None,
        principal: None,
        challenge: None,
        retry_after_s: None,
        nonce: None,
    })
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

    /// Denied, for the token of this principal beside the user.
    pub(crate) fn of(self, principal: &str) -> Self {
        self.denied(|deny| deny.principal = Some(Some(principal.into())))
    }

    /// Denied, for the user's token.
    pub(crate) fn of_user(self) -> Self {
        self.denied(|deny| deny.principal = Some(None))
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

    /// Denied, with this `DPoP-Nonce` or none.
    pub(crate) fn with_nonce(self, nonce: Option<&str>) -> Self {
        self.denied(|deny| deny.nonce = Some(nonce.map(str::to_owned)))
    }

    fn denied(mut self, change: impl FnOnce(&mut Deny)) -> Self {
        match &mut self {
            Self::Deny(deny) => change(deny),
            _ => panic!("not a denial"),
        }
        self
    }

    /// Admitted, with exactly these principals beside the user, which have these
    /// members.
    pub(crate) fn beside(mut self, others: Value) -> Self {
        match &mut self {
            Self::Allow(allow) => {
                allow.others = Some(serde_json::from_value(others).expect("principals by name"));
            }
            _ => panic!("not a grant"),
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

    /// Admitted, with exactly these changes of this request.
    pub(crate) fn changing(mut self, changes: &[(&str, Option<&str>)]) -> Self {
        match &mut self {
            Self::Allow(allow) => {
                let change = |(name, value): &(&str, Option<&str>)| match value {
                    Some(value) => Change::SetHeader(name.to_string(), value.to_string()),
                    None => Change::RemoveHeader(name.to_string()),
                };
                allow.changes = Some(changes.iter().map(change).collect());
            }
            _ => panic!("not a grant"),
        }
        self
    }

    /// Admitted, with exactly these changes of this request, of any kind.
    pub(crate) fn making(mut self, changes: &[Change]) -> Self {
        match &mut self {
            Self::Allow(allow) => allow.changes = Some(changes.into()),
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
