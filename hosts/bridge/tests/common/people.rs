//! Sessions for tests: the header `x-test-session` says who it is, `PERSON TENANT ROLE…`.

use std::future;

use countersign_bridge::{Asked, Sessions, SessionsDown, SignedIn};
use http::HeaderMap;

pub struct People;

impl Sessions for People {
    fn who<'a>(&'a self, headers: &'a HeaderMap) -> Asked<'a> {
        let session = headers.get("x-test-session");
        let words = session.map(|session| session.to_str().unwrap().split(' ').collect::<Vec<_>>());
        let answer = words.map(|words| match &*words {
            ["down"] => Err(SessionsDown),
            [person, rest @ ..] => {
                let mut signed_in = SignedIn::new(*person, csrf(person));
                signed_in.tenant = rest.first().map(|tenant| (*tenant).to_owned());
                let roles = rest.iter().skip(1).map(|role| (*role).to_owned());
                signed_in.roles = roles.collect();
                Ok(signed_in)
            }
            [] => unreachable!("`split` gives one word or more"),
        });
        Box::pin(future::ready(answer.transpose()))
    }
}

/// The text that the unsafe requests of this person repeat.
pub fn csrf(person: &str) -> String {
    format!("csrf-of-{person}-0123456789abcdef")
}
