//! Who can sign in, and to which apps.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

/// The claims that the provider itself says.
const RESERVED: [&str; 7] = ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce"];

/// The apps and the people of a [`Provider`](crate::Provider).
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// At least one.
    #[serde(default)]
    pub clients: Vec<Client>,
    /// If the document does not say any: five people of the organisations `acme` and
    /// `globex`.
    #[serde(default = "built_in")]
    pub people: Vec<Person>,
}

/// An app to which people sign in.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// `client_id`, and the `aud` of its ID tokens.
    pub id: String,
    /// `None`: the app has none (a public client); PKCE alone protects its codes.
    pub secret: Option<String>,
    /// Where a sign-in may return to, compared byte by byte.
    pub redirect_uris: Vec<String>,
    /// Where a sign-out may return to, compared byte by byte.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
}

/// Somebody who can sign in, without a password.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// `sub`, different for each.
    pub sub: String,
    /// `name`.
    pub name: String,
    /// `email`, which is always said to be verified.
    pub email: Option<String>,
    /// `organization`.
    pub organization: Option<String>,
    /// `roles`.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Other claims by name; they replace those above except `sub`.
    #[serde(default)]
    pub claims: Map<String, Value>,
}

/// What is wrong in [`Settings`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON Pointer (RFC 6901) of the value.
    pub pointer: String,
    /// One sentence, without a full stop.
    pub message: &'static str,
}

impl Default for Settings {
    /// Without clients.
    fn default() -> Self {
        Self {
            clients: Vec::new(),
            people: built_in(),
        }
    }
}

impl Settings {
    /// Everything that is wrong.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |pointer: String, message| faults.push(Fault { pointer, message });
        if self.clients.is_empty() {
            fault("/clients".to_owned(), "there is no app to sign in to");
        }
        let mut ids = HashSet::new();
        for (index, client) in self.clients.iter().enumerate() {
            let at = |member: &str| format!("/clients/{index}/{member}");
            if !is_plain(&client.id) {
                fault(at("id"), "an ID is visible ASCII, without spaces");
            }
            if !ids.insert(&client.id) {
                fault(at("id"), "another client has this ID");
            }
            if client.secret.as_ref().is_some_and(String::is_empty) {
                fault(at("secret"), "an empty secret: leave it out");
            }
            if client.redirect_uris.is_empty() {
                fault(at("redirect_uris"), "there is nowhere to return to");
            }
            for (member, uris) in [
                ("redirect_uris", &client.redirect_uris),
                (
                    "post_logout_redirect_uris",
                    &client.post_logout_redirect_uris,
                ),
            ] {
                for (place, uri) in uris.iter().enumerate() {
                    if !is_redirect_uri(uri) {
                        let message = "expected an http or https URL in ASCII, without a fragment";
                        fault(at(&format!("{member}/{place}")), message);
                    }
                }
            }
        }
        if self.people.is_empty() {
            fault("/people".to_owned(), "there is nobody who can sign in");
        }
        let mut subs = HashSet::new();
        for (index, person) in self.people.iter().enumerate() {
            let at = |member: &str| format!("/people/{index}/{member}");
            if person.sub.is_empty() || person.sub.len() > 255 || !person.sub.is_ascii() {
                // OpenID Connect Core 1.0 §2.
                fault(at("sub"), "expected 1 to 255 ASCII characters");
            }
            if !subs.insert(&person.sub) {
                fault(at("sub"), "another person has this `sub`");
            }
            if RESERVED
                .iter()
                .any(|name| person.claims.contains_key(*name))
            {
                fault(at("claims"), "a claim that the provider itself says");
            }
        }
        faults
    }

    /// The client of an ID, and its place.
    pub(super) fn client(&self, id: &str) -> Option<(usize, &Client)> {
        let mut clients = self.clients.iter().enumerate();
        clients.find(|(_, client)| client.id == id)
    }
}

impl Person {
    /// What ID tokens and `/userinfo` say of a person.
    pub(super) fn claims(&self) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        claim("sub", json!(self.sub));
        claim("name", json!(self.name));
        if let Some(email) = &self.email {
            claim("email", json!(email));
            claim("email_verified", json!(true));
        }
        if let Some(organization) = &self.organization {
            claim("organization", json!(organization));
        }
        if !self.roles.is_empty() {
            claim("roles", json!(self.roles));
        }
        claims.extend(self.claims.clone());
        claims
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// RFC 6749 §3.1.2. Schemes that run code or open programs are not among them.
fn is_redirect_uri(uri: &str) -> bool {
    let is_web = |url: Url| matches!(url.scheme(), "http" | "https") && url.username().is_empty();
    is_plain(uri) && !uri.contains('#') && Url::parse(uri).is_ok_and(is_web)
}

fn built_in() -> Vec<Person> {
    #[rustfmt::skip] // one person a line
    let people = [
        ("ada", "Ada Lovelace", "acme", "admin"),
        ("alan", "Alan Turing", "acme", "editor"),
        ("annie", "Annie Easley", "acme", "viewer"),
        ("grace", "Grace Hopper", "globex", "admin"),
        ("george", "George Boole", "globex", "viewer"),
    ];
    let person = |(sub, name, organization, role): (&str, &str, &str, &str)| Person {
        sub: sub.to_owned(),
        name: name.to_owned(),
        email: Some(format!("{sub}@{organization}.example")),
        organization: Some(organization.to_owned()),
        roles: vec![role.to_owned()],
        claims: Map::new(),
    };
    people.map(person).to_vec()
}
