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
    corpus::{Carries, Listeners, Player},
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

/// A running program with Traefik's middlewares, and a listener for each file.
struct Traefik {
    addresses: Vec<SocketAddr>,
    _process: Process,
}

impl Traefik {
    /// Starts it with these files of dynamic configuration.
    fn run(command: &mut Command, texts: &[String]) -> Self {
        let folder = folder("traefik");
        for (index, text) in texts.iter().enumerate() {
            let file = folder.join(format!("dynamic-{index}.yaml"));
            fs::write(&file, text).unwrap();
            command.arg(file);
        }
        let process = Process::start(command, &folder);
        let mut addresses = Vec::new();
        eventually("the program with Traefik's middlewares listens", || {
            // Traefik's own log lines are JSON.
            addresses = process.log().lines().flat_map(str::parse).collect();
            addresses.len() == texts.len()
        });
        Self {
            addresses,
            _process: process,
        }
    }

    fn address(&self) -> SocketAddr {
        self.addresses[0]
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
    let text = configuration(&policy, POLICY, server.address, origin.address).unwrap();
    let traefik = Traefik::run(&mut Command::new(binary), &[text]);
    (tokens, origin, server, traefik)
}

#[test]
fn traefik_passes_on_what_the_gate_allows_and_nothing_else() {
    let Some(binary) = binary() else { return };
    let (tokens, origin, _server, traefik) = scene(&binary, json!({}));
    let seam = Seam {
        proxy: traefik.address(),
        origin: &origin,
        tokens: &tokens,
    };
    seam.a_good_token_passes();
    seam.nobody_passes_without_a_good_token();
    seam.a_client_cannot_name_itself();
    the_origin_gets_the_path_that_was_decided_about(&seam);
    seam.there_are_no_two_targets();
    seam.nobody_without_a_token_reaches_what_is_protected();
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
        proxy: traefik.address(),
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
        proxy: traefik.address(),
        origin: &origin,
        tokens: &tokens,
    });
}

#[test]
fn traefik_serves_a_metadata_document_of_the_gate() {
    let Some(binary) = binary() else { return };
    let (tokens, origin, _server, traefik) = scene(&binary, forwarded::document());
    forwarded::a_metadata_document_comes_from_the_gate(&Seam {
        proxy: traefik.address(),
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
    let traefik = Traefik::run(&mut Command::new(&binary), &[by_hand]);
    let lines = [format!("Authorization: Bearer {}", tokens.good())];
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let bytes = request("GET", "/orgs/acme/seats", &lines);
    let reply = client::write(traefik.address(), bytes.as_bytes()).and_then(client::Sent::reply);
    let reply = reply.unwrap();
    assert_eq!(
        (reply.status, &*reply.code()),
        (503, "internal_error"),
        "{reply:?}"
    );
    assert!(origin.take().is_empty());
}

/// Vectors whose request Traefik itself answers with 400.
const REFUSED_BY_TRAEFIK: [&str; 14] = [
    "authority-host-form",
    "authority-two-hosts",
    "host-list",
    "host-slash",
    "host-space",
    "host-user",
    "method-non-ascii",
    "target-fragment",
    "target-percent-last",
    "target-percent-letters",
    "target-percent-short",
    "target-percent-sign",
    "target-query-only",
    "target-relative",
];

/// Vectors of which Traefik makes another request before it asks. The gate decides about
/// that one, and the backend gets it.
const DIFFERS: [(&str, &str); 35] = [
    ("as-sent-no-rule", ESCAPES),
    ("as-sent-other-rule", ESCAPES),
    ("as-sent-same-rule", ESCAPES),
    ("challenge-ambiguous", PATH),
    ("challenge-metadata-not", PATH),
    ("connection-names", ONE_HOP),
    ("connection-variant", ONE_HOP),
    ("dpop-address-normal", ESCAPES),
    ("handshake-any-upgrade", ONE_HOP),
    ("handshake-cross-site", ONE_HOP),
    ("handshake-no-origin", ONE_HOP),
    ("header-connection", ONE_HOP),
    ("metadata-before-rules", PATH),
    ("nonce-every-401", PATH),
    ("order-path-rule", PATH),
    ("order-path-token", PATH),
    ("requires-tenant-segment-encoded", ESCAPES),
    ("rule-literal-encoded", ESCAPES),
    ("slash-kept", ESCAPES),
    ("slash-split-same", ESCAPES),
    ("target-asterisk", "no router matches `*`: 404"),
    ("target-dot", PATH),
    ("target-dot-encoded", PATH),
    ("target-dotdot", PATH),
    ("target-dotdot-encoded", PATH),
    ("target-dotdot-first", PATH),
    ("target-dotdot-half-encoded", PATH),
    ("target-dotdot-last", PATH),
    ("target-dotdot-slash", PATH),
    ("target-double-slash", PATH),
    ("target-double-slash-first", PATH),
    ("target-double-slash-last", PATH),
    ("target-double-slash-only", PATH),
    ("target-non-ascii", ESCAPES),
    ("target-query", "`;` in a query, of which Traefik makes `&`"),
];

const ESCAPES: &str = "escapes in the path, which Traefik writes in one way";
const ONE_HOP: &str = "`Connection`, or `Upgrade` outside of a handshake, which Traefik removes";
const PATH: &str = "dot segments and double slashes, which Traefik resolves";

#[test]
fn traefik_decides_the_corpus_like_the_native_crate() {
    let Some(binary) = binary() else { return };
    let origin = Origin::start();
    let nowhere: SocketAddr = ([127, 0, 0, 1], 1).into();
    let player = Player {
        dialect: "traefik",
        carries: Carries {
            one_hop: true,
            no_authority: false,
            underscores: false,
            certificate: false,
            lone_upgrade: true,
            two_hosts: true,
            fields: 80,
        },
        generate: &|policy| configuration(policy, POLICY, nowhere, nowhere).map(drop),
        start: &|policies, server| {
            let text = |(name, policy): &(String, Value)| {
                configuration(policy, name, server, origin.address).unwrap()
            };
            let texts: Vec<_> = policies.iter().map(text).collect();
            // What Traefik knows of a connection itself comes from the vector here.
            let mut command = Command::new(&binary);
            let traefik = Traefik::run(command.env("CONNECTION_IN_HEADERS", "yes"), &texts);
            Listeners {
                addresses: traefik.addresses.clone(),
                _running: Box::new(traefik),
            }
        },
        refuses: &REFUSED_BY_TRAEFIK,
        differs: &DIFFERS,
        at_least: 2_000,
    };
    player.play();
}
