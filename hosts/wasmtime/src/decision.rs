//! Decisions of the gate.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::{bindings::exports::countersign::gate::gate as wit, need::Need};

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The request may pass.
    Allow(Grant),
    /// The request may not pass.
    Deny(Denial),
    /// The gate answers the request itself: no handler sees it.
    Answer(Answered),
}

impl Decision {
    /// The grant, if the request may pass.
    pub fn grant(&self) -> Option<&Grant> {
        match self {
            Self::Allow(grant) => Some(grant),
            Self::Deny(_) | Self::Answer(_) => None,
        }
    }

    /// The denial, if the request may not pass.
    pub fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Allow(_) | Self::Answer(_) => None,
            Self::Deny(denial) => Some(denial),
        }
    }
}

/// A response of the gate itself, such as the metadata of a protected resource
/// (RFC 9728). Send it as it is; to a `HEAD` without the body, which HTTP
/// libraries leave out themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// All headers except those that frame the message: lower-case names.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// What one call of an [`Instance`](crate::Instance) returns. A
/// [`Gate`](crate::Gate) does what is needed and repeats the call until there is
/// a [`Decision`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The decision.
    Decided(Decision),
    /// A decision may be possible with these: supply the documents, respond to the
    /// requests, and repeat the call.
    Wait(Vec<Need>),
}

/// A request that may pass, and the information for its handler. Cheap to clone.
/// `{:?}` shows no claim.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who is calling; `None` where the rule is public, or optional and no
    /// token came.
    pub principal: Option<Arc<Principal>>,
    /// The principals that the rule asks for beside the user, such as a workload,
    /// by their names in the policy.
    pub principals: BTreeMap<String, Arc<Principal>>,
    /// Headers to remove first: every field whose name, in lower case and with
    /// `_` read as `-`, is one of these.
    pub remove_headers: Arc<[String]>,
    /// Headers to set then: lower-case names, visible ASCII values.
    pub set_headers: Arc<[(String, String)]>,
    /// Changes that are made after that, for this one request: for example of the
    /// cookie that held the token.
    pub changes: Vec<Change>,
}

/// A change of one request. `{:?}` shows at most a name.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// Replace all fields of exactly this name, in any case, by one with this
    /// value.
    SetHeader(String, Vec<u8>),
    /// Remove all fields of exactly this name, in any case.
    RemoveHeader(String),
    /// Replace the target by this one, in origin form, with its query.
    SetTarget(Vec<u8>),
}

/// The caller, from a verified token. `{:?}` shows names of the policy, and no
/// claim.
#[derive(Clone, PartialEq, Eq)]
pub struct Principal {
    /// The issuer's `name` in the policy.
    pub issuer: String,
    /// The token's `iss`.
    pub iss: String,
    /// The subject, by the issuer's claim mapping.
    pub subject: Option<String>,
    /// The name of the token type that matched, where the issuer has types.
    pub token_type: Option<String>,
    /// The tenant of the request: the only one of the token, or the one that the
    /// rule names.
    pub tenant: Option<String>,
    /// All tenants of the token, by the issuer's claim mapping.
    pub tenants: Vec<String>,
    /// Roles, by the issuer's claim mapping and `role_map`.
    pub roles: Vec<String>,
    /// Scopes, by the issuer's claim mapping.
    pub scopes: Vec<String>,
    /// `exp` in milliseconds since 1970, without leeway.
    pub expires_at_ms: Option<i64>,
    /// The claims as the issuer signed them: a JSON object.
    pub claims: String,
}

/// A request that may not pass. It never contains a token, a key or a claim's
/// value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// A stable code such as `token_expired`; the contract lists all codes.
    pub code: String,
    /// HTTP status.
    pub status: u16,
    /// One sentence.
    pub message: String,
    /// `WWW-Authenticate` (RFC 6750 §3), where the code has one.
    pub challenge: Option<String>,
    /// The claim that is the reason, if there is one.
    pub claim: Option<String>,
    /// The principal whose token is the reason, by its name in the policy; `None`
    /// for the user.
    pub principal: Option<String>,
    /// `Retry-After` in seconds, with 503.
    pub retry_after_s: Option<u32>,
    /// `DPoP-Nonce` (RFC 9449 §8), for the client's next proof. With it, the
    /// response also has `Cache-Control: no-store`.
    pub nonce: Option<String>,
}

impl Denial {
    /// The gate or this host failed.
    pub(crate) fn internal_error() -> Self {
        Self::unavailable("internal_error", "the gate failed", 1)
    }

    /// The routed target differs from the target that the gate can check.
    #[cfg(feature = "tower")]
    pub(crate) fn ambiguous() -> Self {
        Self {
            code: "request_ambiguous".into(),
            status: 400,
            message: "the request target can be read in more than one way".into(),
            challenge: None,
            claim: None,
            principal: None,
            retry_after_s: None,
            nonce: None,
        }
    }

    /// The wait for `needs` was too long, or too many requests wait.
    pub(crate) fn still_waiting(needs: &[Need]) -> Self {
        let missing = needs.iter().map(Need::unavailable);
        // The order is that of every host: the keys come first.
        let place = |missing: &(&str, &str)| MISSING.iter().position(|code| *code == missing.0);
        match missing.min_by_key(place) {
            Some((code, message)) => Self::unavailable(code, message, RETRY_AFTER_S),
            None => Self::internal_error(),
        }
    }

    fn unavailable(code: &str, message: &str, retry_after_s: u32) -> Self {
        Self {
            code: code.into(),
            status: 503,
            message: message.into(),
            challenge: None,
            claim: None,
            principal: None,
            retry_after_s: Some(retry_after_s),
            nonce: None,
        }
    }
}

/// As long as one fetch may take.
const RETRY_AFTER_S: u32 = 5;

/// The codes of what a decision waits for: of several, the first one is said.
const MISSING: [&str; 5] = [
    "keys_unavailable",
    "revocations_unavailable",
    "api_keys_unavailable",
    "introspection_unavailable",
    "proofs_unavailable",
];

impl Grant {
    #[cfg(any(test, feature = "tower"))]
    pub(crate) fn of_principal(principal: Option<Arc<Principal>>) -> Self {
        Self {
            principal,
            principals: BTreeMap::new(),
            remove_headers: Arc::default(),
            set_headers: Arc::default(),
            changes: Vec::new(),
        }
    }

    /// Its approximate size in memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let texts = |texts: &[String]| texts.iter().map(|text| text.len() + 24).sum::<usize>();
        let fields = |fields: &[(String, String)]| {
            let bytes = fields
                .iter()
                .map(|(name, value)| name.len() + value.len() + 48);
            bytes.sum::<usize>()
        };
        let principal = self.principal.as_deref().map_or(0, |principal| {
            let optional = [&principal.subject, &principal.token_type, &principal.tenant];
            let optional = optional.into_iter().flatten().map(String::len);
            size_of::<Principal>()
                + principal.issuer.len()
                + principal.iss.len()
                + principal.claims.len()
                + optional.sum::<usize>()
                + texts(&principal.tenants)
                + texts(&principal.roles)
                + texts(&principal.scopes)
        });
        let headers = texts(&self.remove_headers) + fields(&self.set_headers);
        size_of::<Self>() + principal + headers
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("principal", &self.principal)
            .field("principals", &self.principals)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetHeader(name, _) => f.debug_tuple("SetHeader").field(name).finish(),
            Self::RemoveHeader(name) => f.debug_tuple("RemoveHeader").field(name).finish(),
            Self::SetTarget(_) => f.write_str("SetTarget"),
        }
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("issuer", &self.issuer)
            .field("token_type", &self.token_type)
            .finish_non_exhaustive()
    }
}

impl From<Decision> for Answer {
    fn from(decision: Decision) -> Self {
        Self::Decided(decision)
    }
}

impl From<wit::Grant> for Grant {
    fn from(grant: wit::Grant) -> Self {
        Self {
            principal: grant.principal.map(|principal| Arc::new(principal.into())),
            principals: BTreeMap::new(),
            remove_headers: grant.remove_headers.into(),
            set_headers: grant.set_headers.into(),
            changes: Vec::new(),
        }
    }
}

impl From<wit::Change> for Change {
    fn from(change: wit::Change) -> Self {
        match change {
            wit::Change::SetHeader((name, value)) => Self::SetHeader(name, value),
            wit::Change::RemoveHeader(name) => Self::RemoveHeader(name),
            wit::Change::SetTarget(target) => Self::SetTarget(target),
        }
    }
}

impl From<wit::Answer> for Answered {
    fn from(answer: wit::Answer) -> Self {
        Self {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
        }
    }
}

impl From<wit::Principal> for Principal {
    fn from(principal: wit::Principal) -> Self {
        Self {
            issuer: principal.issuer,
            iss: principal.iss,
            subject: principal.subject,
            token_type: principal.token_type,
            tenant: principal.tenant,
            tenants: principal.tenants,
            roles: principal.roles,
            scopes: principal.scopes,
            expires_at_ms: principal.expires_at_ms,
            claims: principal.claims,
        }
    }
}

impl From<wit::Denial> for Denial {
    fn from(denial: wit::Denial) -> Self {
        Self {
            code: denial.code,
            status: denial.status,
            message: denial.message,
            challenge: denial.challenge,
            claim: denial.claim,
            principal: denial.principal,
            retry_after_s: denial.retry_after_s,
            nonce: denial.nonce,
        }
    }
}
