//! Sessions for tests: the header `x-test-session` says who it is, `PERSON TENANT ROLE…`.
//! Every member may have the scopes `api:read` and `api:write`.

use std::{
    collections::HashMap,
    future,
    sync::{Mutex, PoisonError},
};

use countersign_bridge::{Asked, Membership, People, Session, Unknown};
use http::HeaderMap;

/// Whoever says so is signed in.
#[derive(Debug, Default)]
pub struct Said(Mutex<HashMap<String, Vec<String>>>);

impl People for Said {
    fn who<'a>(&'a self, headers: &'a HeaderMap) -> Asked<'a, Option<Session>> {
        let session = headers.get("x-test-session");
        let words = session.map(|session| session.to_str().unwrap().split(' '));
        let answer = words.map(|mut words| match words.next().unwrap() {
            "down" => Err(Unknown),
            person => {
                let mut session = Session::new(person, csrf(person));
                session.tenant = words.next().map(str::to_owned);
                let roles = words.map(str::to_owned).collect();
                let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                known.insert(person.to_owned(), roles);
                Ok(session)
            }
        });
        Box::pin(future::ready(answer.transpose()))
    }

    fn member<'a>(
        &'a self,
        session: &'a Session,
        tenant: &'a str,
    ) -> Asked<'a, Option<Membership>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let roles = known.get(&session.person).cloned();
        let is_member = session.tenant.as_deref() == Some(tenant);
        let membership = is_member.then(|| Membership {
            roles: roles.unwrap_or_default(),
            scopes: vec!["api:read".to_owned(), "api:write".to_owned()],
        });
        Box::pin(future::ready(Ok(membership)))
    }
}

/// The text that the unsafe requests of this person repeat.
pub fn csrf(person: &str) -> String {
    format!("csrf-of-{person}-0123456789abcdef")
}
