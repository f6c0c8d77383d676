//! Who is signed in, and as a member of what: asked here by every route of people, and here
//! alone it is decided whether a request is of a page of this site.

use std::{fmt, fmt::Debug, pin::Pin, sync::Arc};

use http::{HeaderMap, HeaderValue, header};
use subtle::ConstantTimeEq;

use crate::{
    config::IssuerUrl,
    members::{Members, Membership},
    refusal::{Code, Refusal},
    sessions::{Session, Sessions},
};

/// The header that has the CSRF token, where no form has it.
const CSRF_HEADER: &str = "x-csrf-token";

/// The longest name of an organisation.
const TENANT_BYTES: usize = 128;

/// It cannot be known now: never a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

/// An answer of [`People`].
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unknown>> + Send + 'a>>;

/// Knows who is signed in. The bridge's own sessions and members do, unless a program that
/// embeds it has others.
pub trait People: Debug + Send + Sync + 'static {
    /// The session of a request. `None` where there is no cookie, and for one that is
    /// unknown, over, sent twice, or of a person that is disabled.
    fn who<'a>(&'a self, headers: &'a HeaderMap) -> Asked<'a, Option<Session>>;

    /// What the person is in this organisation now; `None`: no member.
    fn member<'a>(&'a self, session: &'a Session, tenant: &'a str)
    -> Asked<'a, Option<Membership>>;
}

/// What the routes ask.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) people: Arc<dyn People>,
    pub(crate) issuer: IssuerUrl,
}

impl Desk {
    /// Who is signed in, if somebody is. For requests that change nothing.
    pub(crate) async fn find(&self, headers: &HeaderMap) -> Result<Option<Session>, Refusal> {
        Ok(self.people.who(headers).await?)
    }

    /// [`Self::find`], where somebody must be.
    pub(crate) async fn require(&self, headers: &HeaderMap) -> Result<Session, Refusal> {
        self.find(headers).await?.ok_or(nobody())
    }

    /// Who is signed in, for a request that changes something: it must be one that a page of
    /// this site has made. `form` is the CSRF token of its form.
    ///
    /// # Errors
    /// Nobody is signed in, or the request may be another site's.
    pub(crate) async fn require_own(
        &self,
        headers: &HeaderMap,
        form: Option<&str>,
    ) -> Result<Session, Refusal> {
        let session = self.require(headers).await?;
        self.own(&session, headers, form)?;
        Ok(session)
    }

    /// The organisation that a person acts for: that of the session's provider, or the one
    /// that is asked for.
    ///
    /// # Errors
    /// The session is good for another one alone, or none is said.
    pub(crate) fn tenant<'a>(
        &self,
        session: &'a Session,
        asked: Option<&'a str>,
    ) -> Result<&'a str, Refusal> {
        let asked = asked.filter(|asked| !asked.is_empty());
        match (session.tenant.as_deref(), asked) {
            (Some(own), None) => Ok(own),
            (Some(own), Some(asked)) if own == asked => Ok(own),
            (Some(_), Some(_)) => {
                let description = "this person has signed in to another organisation";
                Err(Refusal::new(Code::AccessDenied, description))
            }
            (None, Some(asked)) if asked.len() <= TENANT_BYTES => Ok(asked),
            (None, _) => Err(Refusal::request("say the `tenant`")),
        }
    }

    /// What the person is there now.
    ///
    /// # Errors
    /// No member, or nobody can say it.
    pub(crate) async fn member(
        &self,
        session: &Session,
        tenant: &str,
    ) -> Result<Membership, Refusal> {
        let member = self.people.member(session, tenant).await?;
        member.ok_or(Refusal::new(
            Code::AccessDenied,
            "this person is no member of it",
        ))
    }

    /// The organisation for which a person with one of these roles acts.
    ///
    /// # Errors
    /// As [`Self::tenant`] and [`Self::member`], or the person has none of the roles.
    pub(crate) async fn acting(
        &self,
        session: &Session,
        asked: Option<&str>,
        roles: &[String],
    ) -> Result<String, Refusal> {
        let tenant = self.tenant(session, asked)?;
        let member = self.member(session, tenant).await?;
        match member.roles.iter().any(|role| roles.contains(role)) {
            true => Ok(tenant.to_owned()),
            false => {
                let description = "this needs another role";
                Err(Refusal::new(Code::InsufficientScope, description))
            }
        }
    }

    /// By the token that only a page of this session knows, and by what the browser says of
    /// the page's origin.
    fn own(
        &self,
        session: &Session,
        headers: &HeaderMap,
        form: Option<&str>,
    ) -> Result<(), Refusal> {
        let refused = Refusal::new(Code::AccessDenied, "the request is not of this site's page");
        let origin = headers.get(header::ORIGIN);
        if origin.is_some_and(|origin| origin.as_bytes() != self.issuer.as_str().as_bytes()) {
            return Err(refused);
        }
        let fetch_site = headers.get("sec-fetch-site");
        if fetch_site.is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none")) {
            return Err(refused);
        }
        let header = headers.get(CSRF_HEADER).map(HeaderValue::as_bytes);
        let given = form.map(str::as_bytes).or(header).ok_or(refused)?;
        let known = session.csrf.as_bytes();
        match !known.is_empty() && bool::from(given.ct_eq(known)) {
            true => Ok(()),
            false => Err(refused),
        }
    }
}

/// Nobody is signed in.
pub(crate) fn nobody() -> Refusal {
    Refusal::new(Code::InvalidToken, "nobody is signed in")
}

/// The bridge's own sessions and members.
#[derive(Debug)]
pub(crate) struct OwnPeople {
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) members: Arc<Members>,
}

impl People for OwnPeople {
    fn who<'a>(&'a self, headers: &'a HeaderMap) -> Asked<'a, Option<Session>> {
        // What cannot be told is the only refusal that there is, and it is in the log.
        Box::pin(async { self.sessions.of(headers).await.map_err(|_| Unknown) })
    }

    fn member<'a>(
        &'a self,
        session: &'a Session,
        tenant: &'a str,
    ) -> Asked<'a, Option<Membership>> {
        Box::pin(async {
            let member = self.members.of(&session.person, tenant).await;
            member.map_err(|_| Unknown)
        })
    }
}

impl From<Unknown> for Refusal {
    fn from(_: Unknown) -> Self {
        Self::unavailable()
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody can say now who is signed in")
    }
}

impl std::error::Error for Unknown {}
