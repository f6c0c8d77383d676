//! Traefik's `ForwardAuth`, its headers middleware and its reverse proxy, with the
//! generated configuration. `tests/traefik` says what stands in for the rest of Traefik.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use countersign_proxy_config::{Kind, Options, Refused, generate};
use serde_json::{Value, json};

use crate::{
    forwarded, life,
    seams::{Seam, request},
    stage::{
        self, client, eventually, folder,
        issuer::Tokens,
        origin::Origin,
        process::Process,
        server::{DecisionServer, POLICY},
    },
};

/// A running program with Traefik's middlewares.
struct Traefik {
    address: SocketAddr,
    _process: Process,
}

impl Traefik {
    /// Starts it with this policy's configuration.
    fn start(binary: &Path, policy: &Value, server: &DecisionServer, origin: &Origin) -> Self {
        let text = configuration(policy, POLICY, server.address, origin.address).unwrap();
        Self::run(&mut Command::new(binary), &text)
    }

    fn run(command: &mut Command, text: &str) -> Self {
        let folder = folder("traefik");
        let file = folder.join("dynamic.yaml");
        fs::write(&file, text).unwrap();
        let process = Process::start(command.arg(&file), &folder);
        let mut address = None;
        eventually("the program with Traefik's middlewares listens", || {
            let log = process.log();
            // Traefik's own log lines are JSON.
            let mut lines = log.lines();
            address = lines.find_map(|line| line.parse().ok());
            address.is_some()
        });
        Self {
            address: address.unwrap(),
            _process: process,
        }
    }
}

fn configuration(
    policy: &Value,
    name: &str,
    server: SocketAddr,
    origin: SocketAddr,
) -> Result<String, Refused> {
    let options = Options {
        server: server.to_string().parse().unwrap(),
        policy_name: name.to_owned(),
        origin: origin.to_string().parse().unwrap(),
        ..Options::default()
    };
    Ok(generate(Kind::Traefik, policy, &options)?.text)
}

fn binary() -> Option<PathBuf> {
    stage::program("COUNTERSIGN_TRAEFIK")
}

fn scene(binary: &Path, more: Value) -> (Tokens, Origin, DecisionServer, Traefik) {
    let (tokens, origin) = (Tokens::new(), Origin::start());
    let policy = tokens.policy(more);
    let server = DecisionServer::start(&policy, "traefik");
    let traefik = Traefik::start(binary, &policy, &server, &origin);
    (tokens, origin, server, traefik)
}

#[test]
fn traefik_passes_on_what_the_gate_allows_and_nothing_else() {
    let Some(binary) = binary() else { return };
    let (tokens, origin, _server, traefik) = scene(&binary, json!({}));
    let seam = Seam {
        proxy: traefik.address,
        origin: &origin,
        tokens: &tokens,
    };
    seam.a_good_token_passes();
    seam.nobody_passes_without_a_good_token();
    seam.a_client_cannot_name_itself();
    the_origin_gets_the_path_that_was_decided_about(&seam);
    seam.there_are_no_two_targets();
    seam.the_host_is_that_of_an_absolute_target();
    seam.a_target_without_a_path_is_refused();
    seam.connection_takes_no_header_along();
    seam.a_body_and_its_method_go_on();
    seam.trailers_end_here();
    seam.no_header_says_another_request();
    seam.an_upgrade_to_h2c_is_no_tunnel();
    seam.a_websocket_needs_a_good_token();
}

/// Traefik resolves dot segments and double slashes before the gate: gate and origin get
/// what comes of it.
fn the_origin_gets_the_path_that_was_decided_about(seam: &Seam<'_>) {
    let mut passed = 0;
    for target in [
        "/orgs/acme/seats?a=b%20c&d=%2F&e",
        "/orgs/acme/../globex/seats",
        "/orgs/acme/%2e%2e/globex/seats",
        "/orgs/acme/..%2fglobex/seats",
        "/orgs/acme//seats",
        "//orgs/globex/seats",
        "/public/../orgs/globex/seats",
        "/public/..;/orgs/globex/seats",
        "/public/%252e%252e/orgs/globex",
        "/public/x#/orgs/globex",
        "/public/./x",
        "/public\\..\\orgs\\globex",
        "/%6frgs/globex/seats",
    ] {
        let reply = seam.get(target, &[&seam.bearer()]);
        let received = seam.origin.take();
        match received.as_slice() {
            [] => assert!(reply.status >= 400, "{target}: {reply:?}"),
            [one] => {
                assert!(
                    !one.target().contains("globex"),
                    "{target}: {}",
                    one.target()
                );
                passed += 1;
            }
            more => panic!("{target}: {more:?}"),
        }
    }
    assert!(passed >= 2, "only {passed} have passed");
}

#[test]
fn traefik_lets_nobody_pass_while_the_server_is_away_or_changes() {
    let Some(binary) = binary() else { return };
    let (tokens, origin, mut server, traefik) = scene(&binary, json!({}));
    let seam = Seam {
        proxy: traefik.address,
        origin: &origin,
        tokens: &tokens,
    };
    life::a_server_that_is_down_lets_nobody_pass(&seam, &mut server);
    forwarded::a_server_that_is_none_lets_nobody_pass(&seam, &mut server);
    // The provider of files, which reloads, is not in this program.
    life::nobody_passes_while_all_changes(&seam, &mut server, || ());
}

#[test]
fn a_cookie_with_a_token_ends_at_traefik() {
    let Some(binary) = binary() else { return };
    let (tokens, origin, _server, traefik) = scene(&binary, forwarded::cookie());
    forwarded::a_cookie_does_not_go_on(&Seam {
        proxy: traefik.address,
        origin: &origin,
        tokens: &tokens,
    });
}

#[test]
fn traefik_serves_a_metadata_document_of_the_gate() {
    let Some(binary) = binary() else { return };
    let (tokens, origin, _server, traefik) = scene(&binary, forwarded::document());
    forwarded::a_metadata_document_comes_from_the_gate(&Seam {
        proxy: traefik.address,
        origin: &origin,
        tokens: &tokens,
    });
}

#[test]
fn without_the_regular_expression_an_alias_is_denied_and_does_not_pass() {
    let Some(binary) = binary() else { return };
    let (tokens, origin) = (Tokens::new(), Origin::start());
    let policy = tokens.policy(json!({}));
    let server = DecisionServer::start(&policy, "traefik");
    // As somebody writes it by hand: nothing says that aliases are removed.
    let text = configuration(&policy, POLICY, server.address, origin.address).unwrap();
    let by_hand = text.replace(",_\"", "\"");
    assert_ne!(text, by_hand);
    let traefik = Traefik::run(&mut Command::new(&binary), &by_hand);
    let lines = [format!("Authorization: Bearer {}", tokens.good())];
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let bytes = request("GET", "/orgs/acme/seats", &lines);
    let reply = client::write(traefik.address, bytes.as_bytes()).and_then(client::Sent::reply);
    let reply = reply.unwrap();
    assert_eq!(
        (reply.status, &*reply.code()),
        (503, "internal_error"),
        "{reply:?}"
    );
    assert!(origin.take().is_empty());
}
