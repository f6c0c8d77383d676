//! Envoy, which asks over gRPC and over HTTP.

mod answers;
mod certificates;
mod corpus;
mod failures;
mod identity;
mod metadata;
mod requests;
mod seam;
mod sockets;

use std::path::PathBuf;

use countersign_artefact_tests::stage::{
    client::{self, Reply},
    envoy::Envoy,
};
use countersign_proxy_config::{Kind, Options, ServerAddress, generate};
use serde_json::Value;

use crate::stage::{
    self,
    origin::Origin,
    server::{DecisionServer, POLICY},
};

/// Both ways to ask.
const BOTH: [Kind; 2] = [Kind::EnvoyGrpc, Kind::EnvoyHttp];

/// An interface of which a test learns the listener's address.
const ADMIN: &str =
    "admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }\n";

/// What removes a client's own headers before anything else.
const EARLY: &str = "remove_on_match: { key_matcher: { safe_regex: { regex: \"";

/// An Envoy with the generated configuration, between a client and an origin.
struct Scene {
    envoy: Envoy,
    server: DecisionServer,
    origin: Origin,
}

fn binary() -> Option<PathBuf> {
    stage::program("COUNTERSIGN_ENVOY")
}

impl Scene {
    fn new(binary: &std::path::Path, kind: Kind, policy: &Value) -> Self {
        Self::with(binary, kind, policy, |text| text)
    }

    /// With a configuration that an operator has changed.
    fn with(
        binary: &std::path::Path,
        kind: Kind,
        policy: &Value,
        change: impl FnOnce(String) -> String,
    ) -> Self {
        let server = DecisionServer::start(policy, kind.as_str());
        let origin = Origin::start();
        let text = change(configuration(
            kind,
            policy,
            &server.address.to_string(),
            &origin,
        ));
        Self {
            envoy: Envoy::start_yaml(binary, &text),
            server,
            origin,
        }
    }

    /// Sends `head` and an empty line.
    fn send(&self, head: &str) -> Reply {
        let request = format!("{head}\r\n");
        let sent = client::write(self.envoy.address, request.as_bytes());
        let reply = sent.and_then(client::Sent::reply);
        reply.unwrap_or_else(|| panic!("no reply to {head}\n{}", self.envoy.log()))
    }

    /// `GET` with a bearer token and other headers.
    fn get(&self, target: &str, token: Option<&str>, more: &str) -> Reply {
        let token = token.map_or(String::new(), bearer);
        self.send(&format!(
            "GET {target} HTTP/1.1\r\nhost: app.example.com\r\n{token}{more}"
        ))
    }
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

/// The configuration that `countersign proxy-config` prints, at a free port.
fn configuration(kind: Kind, policy: &Value, server: &str, origin: &Origin) -> String {
    let options = Options {
        server: server.parse().unwrap(),
        policy_name: POLICY.to_owned(),
        origin: ServerAddress::Tcp(origin.address.to_string()),
        listen: "127.0.0.1:0".parse().unwrap(),
        ..Options::default()
    };
    let generated = generate(kind, policy, &options).unwrap_or_else(|error| panic!("{error}"));
    format!("{ADMIN}{}", generated.text)
}

/// The same without what Envoy itself removes or refuses: what is left, the server does.
fn careless(text: String) -> String {
    let text = replaced(text, "REJECT_REQUEST }", "ALLOW }");
    match text.contains(EARLY) {
        true => text.replacen(EARLY, &format!("{EARLY}nothing-like-"), 1),
        false => text,
    }
}

/// An operator's change.
fn replaced(text: String, old: &str, new: &str) -> String {
    assert!(text.contains(old), "`{old}` is not in\n{text}");
    text.replace(old, new)
}
