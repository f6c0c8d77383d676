//! The provider of a development bridge, and who can sign in there.

use std::sync::Arc;

use countersign_dev_issuer::{Client, Issuer, Person, Settings};
use http_body_util::Full;
use hyper::{Request, StatusCode, body::Bytes};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::Sites;
use crate::{failure::Failure, moment, server};

/// The bridge's id at the provider.
pub(super) const CLIENT: &str = "bridge";

/// Two of each of two organisations.
const SUBJECTS: [&str; 4] = ["ada", "alan", "grace", "george"];

/// A provider that signs in anybody as anybody.
pub(super) struct Provider {
    provider: countersign_dev_issuer::Provider,
    issuer: Issuer,
    /// What requests call it.
    authority: String,
}

impl Provider {
    pub(super) fn open(sites: &Sites, secret: String) -> Result<Self, Failure> {
        let client = Client {
            id: CLIENT.to_owned(),
            secret: Some(secret),
            redirect_uris: vec![format!("{}/auth/callback/dev", sites.bridge)],
            post_logout_redirect_uris: vec![format!("{}/auth/logout/done", sites.bridge)],
        };
        let settings = Settings {
            clients: vec![client],
            people: all(),
        };
        let provider = countersign_dev_issuer::Provider::new(settings);
        let provider = provider.map_err(|faults| {
            let sentence = faults.first().map_or("", |fault| fault.message);
            Failure::usage(sentence)
        })?;
        let authority = sites.provider.trim_start_matches("http://").to_owned();
        Ok(Self {
            provider,
            // New keys at each start: the bridge follows a rotation by itself.
            issuer: Issuer::new(&sites.provider, CLIENT, "RS256")?,
            authority,
        })
    }

    /// Answers until it is dropped.
    pub(super) async fn answer(self, socket: TcpListener) {
        let Self {
            provider,
            issuer,
            authority,
        } = self;
        let names = [authority];
        let answer = move |request: &Request<Bytes>| match server::is_for(request, &names) {
            true => {
                let answer = provider.answer(&issuer, request, moment::now_ms());
                answer.map(Full::from)
            }
            false => server::refusal(StatusCode::MISDIRECTED_REQUEST, "another host was meant"),
        };
        match server::serve(socket, Arc::new(answer)).await {}
    }
}

/// Who can sign in.
pub(super) fn all() -> Vec<Person> {
    let mut people = Settings::default().people;
    people.retain(|person| SUBJECTS.contains(&&*person.sub));
    people
}

pub(super) fn as_json(person: &Person) -> Value {
    json!({
        "sub": person.sub,
        "name": person.name,
        "tenant": person.organization,
        "roles": person.roles,
    })
}
