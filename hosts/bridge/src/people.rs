//! Who is signed in: what the rooms behind a session ask.

use std::{fmt::Debug, future, pin::Pin};

use http::HeaderMap;

use crate::refusal::{Code, Refusal};

/// A person with a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedIn {
    /// The id.
    pub person: String,
    /// The organisation that was asked for, or else the only one that the session is good
    /// for.
    pub tenant: Option<String>,
    /// The roles there.
    pub roles: Vec<String>,
    /// The most that tokens of the person may be allowed there.
    pub scopes: Vec<String>,
}

/// Why a person may not do what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotNow {
    /// Nobody is signed in.
    Nobody,
    /// The request may be of another site's page, or the person is no member there.
    Denied,
    /// It cannot be known now.
    Unknown,
}

/// An answer of [`People`].
pub type Who<'a> = Pin<Box<dyn Future<Output = Result<SignedIn, NotNow>> + Send + 'a>>;

/// Knows who is signed in.
pub trait People: Debug + Send + Sync + 'static {
    /// The person of a request. With `tenant`: as a member of this organisation, now. With
    /// `changes`: only if the request is of a page of the bridge (CSRF).
    fn who<'a>(&'a self, headers: &'a HeaderMap, tenant: Option<&'a str>, changes: bool)
    -> Who<'a>;
}

/// Without sessions nobody is signed in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nobody;

impl People for Nobody {
    fn who<'a>(&'a self, _: &'a HeaderMap, _: Option<&'a str>, _: bool) -> Who<'a> {
        Box::pin(future::ready(Err(NotNow::Nobody)))
    }
}

impl From<NotNow> for Refusal {
    fn from(why: NotNow) -> Self {
        match why {
            NotNow::Nobody => Self::new(Code::InvalidToken, "nobody is signed in"),
            NotNow::Denied => {
                let description = "it is not a request of the bridge's page, or the person is no \
                                   member there";
                Self::new(Code::AccessDenied, description)
            }
            NotNow::Unknown => Self::unavailable(),
        }
    }
}
