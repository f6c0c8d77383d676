//! What a policy says that a proxy must know.
//!
//! This reads names, and decides nothing: which of them a request is about is known to
//! the gate only. So each list here is of everything that could happen under some rule.

use serde_json::{Map, Value};

/// A name in a policy, and where it stands (JSON Pointer).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) pointer: String,
}

/// Everything that a proxy must know of a policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Headers that a grant sets (`forward`): a client's own must not survive.
    pub(crate) forward: Vec<Named>,
    /// Headers with credentials.
    pub(crate) credential_headers: Vec<Named>,
    /// Cookies with credentials.
    pub(crate) cookies: Vec<Named>,
    /// Parameters of the query with credentials, which the gate always takes out: the
    /// target that goes on is another one.
    pub(crate) query_parameters: Vec<Named>,
    /// Places in `Sec-WebSocket-Protocol`, out of which the gate always takes the token.
    pub(crate) websocket_protocols: Vec<Named>,
    /// Where a grant can change or remove headers and cookies with credentials:
    /// `strip_credential`, `several: first`, `bad_token: ignore`.
    pub(crate) strips: Option<Named>,
    /// Whether a place has the scheme `DPoP`: then the header `dpop` is read, and
    /// proofs are about scheme and authority.
    pub(crate) dpop: Option<Named>,
    /// `dpop.origin`: proofs are about these, whatever the proxy says.
    pub(crate) dpop_origin: bool,
    /// Whether a cookie is accepted from the same origin only: then `Origin`,
    /// `Sec-Fetch-Site`, `Sec-Fetch-Mode` and `Upgrade` are read.
    pub(crate) same_origin: Option<Named>,
    /// Headers that rules compare with claims.
    pub(crate) compared: Vec<Named>,
    /// The header with a client's certificate that an earlier proxy sets, and its format.
    pub(crate) client_certificate: Option<(Named, String)>,
    /// Whether a rule asks for a proof of the client's certificate (`proof: mtls`).
    pub(crate) certificate_proof: Option<Named>,
    /// Whether a rule keeps `%2f` in a segment (`encoded_slash: keep`).
    pub(crate) encoded_slash: bool,
    /// The metadata documents that the gate answers itself.
    pub(crate) documents: Vec<Document>,
}

/// A metadata document of RFC 9728.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) pointer: String,
}

impl Facts {
    pub(crate) fn of(policy: &Value) -> Self {
        let mut facts = Self::default();
        for (name, _) in members(policy, "forward") {
            add(
                &mut facts.forward,
                name,
                format!("/forward/{}", escape(name)),
            );
        }
        if policy["strip_credential"] == true {
            facts.strips = Some(named("strip_credential", "/strip_credential"));
        }
        match policy.get("credentials") {
            Some(list) => facts.places(list, "/credentials"),
            None => facts.header("authorization", Some("Bearer"), "/credentials"),
        }
        facts.first(policy, "");
        facts.challenge(policy, "");
        let certificate = &policy["client_certificate"];
        if let (Some(header), Some(format)) = (
            certificate["header"].as_str(),
            certificate["format"].as_str(),
        ) {
            let header = named(&header.to_ascii_lowercase(), "/client_certificate/header");
            facts.client_certificate = Some((header, format.to_owned()));
        }
        facts.dpop_origin = policy["dpop"].get("origin").is_some();
        let rules = policy["rules"].as_array().map_or(&[][..], Vec::as_slice);
        for (index, rule) in rules.iter().enumerate() {
            facts.rule(rule, &format!("/rules/{index}"));
        }
        facts
    }

    fn rule(&mut self, rule: &Value, pointer: &str) {
        if let Some(list) = rule.get("credentials") {
            self.places(list, &format!("{pointer}/credentials"));
        }
        self.first(rule, pointer);
        if rule["optional"]["bad_token"] == "ignore" {
            self.strips.get_or_insert_with(|| {
                named("bad_token", &format!("{pointer}/optional/bad_token"))
            });
        }
        self.encoded_slash |= rule["encoded_slash"] == "keep";
        self.challenge(rule, pointer);
        for word in ["require", "principals"] {
            if let Some(required) = rule.get(word) {
                self.proof(required, &format!("{pointer}/{word}"));
                self.compared(required, &format!("{pointer}/{word}"));
            }
        }
    }

    fn first(&mut self, of: &Value, pointer: &str) {
        if of["several"] == "first" {
            self.strips
                .get_or_insert_with(|| named("several", &format!("{pointer}/several")));
        }
    }

    fn places(&mut self, list: &Value, pointer: &str) {
        let places = list.as_array().map_or(&[][..], Vec::as_slice);
        for (index, place) in places.iter().enumerate() {
            let pointer = format!("{pointer}/{index}");
            if let Some(name) = place["header"].as_str() {
                self.header(name, place["scheme"].as_str(), &pointer);
            }
            if let Some(name) = place["cookie"].as_str() {
                add_exact(&mut self.cookies, name, pointer.clone());
                if place["same_origin"] == true {
                    self.same_origin.get_or_insert_with(|| {
                        named("same_origin", &format!("{pointer}/same_origin"))
                    });
                }
            }
            if let Some(name) = place["query"].as_str() {
                add_exact(&mut self.query_parameters, name, pointer.clone());
            }
            if place.get("websocket_protocol").is_some() {
                add(
                    &mut self.websocket_protocols,
                    "sec-websocket-protocol",
                    pointer,
                );
            }
        }
    }

    fn header(&mut self, name: &str, scheme: Option<&str>, pointer: &str) {
        if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("dpop")) {
            self.dpop.get_or_insert_with(|| named("DPoP", pointer));
        }
        add(&mut self.credential_headers, name, pointer.to_owned());
    }

    /// The document of a `challenge`, if it has one.
    fn challenge(&mut self, of: &Value, pointer: &str) {
        let Some(resource) = of["challenge"]["resource_metadata"]["resource"].as_str() else {
            return;
        };
        let Some(address) = resource.strip_prefix("https://") else {
            return;
        };
        let (host, path) = match address.find('/') {
            Some(slash) => address.split_at(slash),
            None => (address, ""),
        };
        // RFC 9728 §3.1: a path `/` is left out.
        let path = path
            .strip_suffix('/')
            .filter(|rest| rest.is_empty())
            .unwrap_or(path);
        let document = Document {
            host: host.to_owned(),
            path: format!("/.well-known/oauth-protected-resource{path}"),
            pointer: format!("{pointer}/challenge/resource_metadata"),
        };
        let same =
            |known: &Document| (&known.host, &known.path) == (&document.host, &document.path);
        if !self.documents.iter().any(same) {
            self.documents.push(document);
        }
    }

    /// Every `proof` in a requirement.
    fn proof(&mut self, value: &Value, pointer: &str) {
        if value["proof"] == "mtls" {
            self.certificate_proof
                .get_or_insert_with(|| named("proof", &format!("{pointer}/proof")));
        }
        for (name, value) in value.as_object().into_iter().flatten() {
            self.proof(value, &format!("{pointer}/{}", escape(name)));
        }
        for (index, value) in value.as_array().into_iter().flatten().enumerate() {
            self.proof(value, &format!("{pointer}/{index}"));
        }
    }

    /// Every `{ "header": name }` in a requirement.
    fn compared(&mut self, value: &Value, pointer: &str) {
        match value {
            Value::Object(members) => {
                if let (1, Some(Value::String(name))) = (members.len(), members.get("header")) {
                    add(&mut self.compared, name, format!("{pointer}/header"));
                }
                for (name, value) in members {
                    self.compared(value, &format!("{pointer}/{}", escape(name)));
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    self.compared(value, &format!("{pointer}/{index}"));
                }
            }
            _ => {}
        }
    }

    /// Headers that a grant can set, remove or change, and so a proxy has to: each once, in
    /// lower case.
    pub(crate) fn changed_headers(&self) -> Vec<Named> {
        let mut changed = self.forward.clone();
        let mut add = |named: &Named| {
            if !changed.iter().any(|known: &Named| known.name == named.name) {
                changed.push(named.clone());
            }
        };
        if self.strips.is_some() {
            self.credential_headers.iter().for_each(&mut add);
            if let Some(cookie) = self.cookies.first() {
                add(&Named {
                    name: "cookie".to_owned(),
                    ..cookie.clone()
                });
            }
        }
        self.websocket_protocols.iter().for_each(&mut add);
        if let Some((header, _)) = &self.client_certificate {
            add(header);
        }
        changed
    }
}

fn members<'p>(of: &'p Value, name: &str) -> impl Iterator<Item = (&'p String, &'p Value)> {
    of[name].as_object().into_iter().flat_map(Map::iter)
}

fn named(name: &str, pointer: &str) -> Named {
    Named {
        name: name.to_owned(),
        pointer: pointer.to_owned(),
    }
}

/// Adds the name of a header in lower case, unless it is there.
fn add(to: &mut Vec<Named>, name: &str, pointer: String) {
    add_exact(to, &name.to_ascii_lowercase(), pointer);
}

fn add_exact(to: &mut Vec<Named>, name: &str, pointer: String) {
    if !to.iter().any(|known| known.name == name) {
        to.push(named(name, &pointer));
    }
}

/// RFC 6901 §3.
fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}
