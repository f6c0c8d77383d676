//! Who is signed in: what the pages and the routes of people ask of the sessions.

use std::{fmt, future, pin::Pin};

use http::HeaderMap;

use crate::refusal::Refusal;

/// A person with a session, as it is at this request.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedIn {
    /// The person's id in the bridge: it begins with `p_`.
    pub person: String,
    /// The organisation for which the person acts now.
    pub tenant: Option<String>,
    /// The person's roles in that organisation.
    pub roles: Vec<String>,
    /// The text that each unsafe request of this session must repeat.
    pub csrf: String,
}

impl SignedIn {
    /// Without tenant and roles.
    pub fn new(person: impl Into<String>, csrf: impl Into<String>) -> Self {
        Self {
            person: person.into(),
            tenant: None,
            roles: Vec::new(),
            csrf: csrf.into(),
        }
    }
}

/// The answer of [`Sessions::who`].
pub type Asked<'a> =
    Pin<Box<dyn Future<Output = Result<Option<SignedIn>, SessionsDown>> + Send + 'a>>;

/// The sessions do not answer: nobody can be told from nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionsDown;

/// Where the sessions are.
///
/// The contract of [`Self::who`]:
/// - `None` where there is no cookie, and for one that is unknown, expired, ended, sent
///   twice, or of a person that is disabled: a caller sends the browser to the login.
/// - `tenant` and `roles` are those of now. Membership that was lost is not there any more,
///   and what cannot be found out is [`SessionsDown`], never a guess.
/// - `csrf` is random (128 bits or more), of this session alone, never in a URL, and stays
///   the same for as long as the session has its cookie. It is not checked by `who`: the
///   caller compares it in constant time in each unsafe request.
/// - It reads headers only, changes nothing that a caller can see, and may be asked often.
pub trait Sessions: Send + Sync + 'static {
    /// Who has sent these headers.
    fn who<'a>(&'a self, headers: &'a HeaderMap) -> Asked<'a>;
}

/// No sessions: nobody is signed in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Nobody;

impl Sessions for Nobody {
    fn who<'a>(&'a self, _: &'a HeaderMap) -> Asked<'a> {
        Box::pin(future::ready(Ok(None)))
    }
}

/// Without the secret of the session.
impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn")
            .field("person", &self.person)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for SessionsDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sessions do not answer")
    }
}

impl std::error::Error for SessionsDown {}

impl From<SessionsDown> for Refusal {
    fn from(_: SessionsDown) -> Self {
        Self::unavailable()
    }
}
