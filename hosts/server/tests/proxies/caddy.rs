//! Caddy with the generated configuration.

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
    seams::Seam,
    stage::{
        self, eventually, folder, free_addresses,
        issuer::Tokens,
        listens,
        origin::Origin,
        process::Process,
        server::{DecisionServer, POLICY},
    },
};

/// What Caddy logs then.
const RELOADED: &str = "successfully reloaded config from file";

/// A running Caddy.
struct Caddy {
    address: SocketAddr,
    folder: PathBuf,
    process: Process,
    text: String,
    reloads: u32,
}

impl Caddy {
    /// Starts it with this policy's configuration.
    fn start(binary: &Path, policy: &Value, server: &DecisionServer, origin: &Origin) -> Self {
        let folder = folder("caddy");
        for _ in 0..10 {
            let address = free_addresses(1)[0];
            let (server, origin) = (server.address, origin.address);
            let text = configuration(policy, POLICY, server, origin, address).unwrap();
            let mut process = run(binary, &folder, &text);
            if listens(&mut process, &[address]) {
                return Self {
                    address,
                    folder,
                    process,
                    text,
                    reloads: 0,
                };
            }
        }
        panic!("Caddy does not start:\n{}", log(&folder));
    }

    /// It takes another configuration: the same one would change nothing.
    fn reload(&mut self) {
        self.reloads += 1;
        write(&self.folder, &self.text, self.reloads);
        let before = self.process.log().matches(RELOADED).count();
        self.process.signal("USR1");
        eventually("Caddy has reloaded", || {
            self.process.log().matches(RELOADED).count() > before
        });
    }
}

fn configuration(
    policy: &Value,
    name: &str,
    server: SocketAddr,
    origin: SocketAddr,
    listen: SocketAddr,
) -> Result<String, Refused> {
    let options = Options {
        listen: listen.to_string().parse().unwrap(),
        server: server.to_string().parse().unwrap(),
        policy_name: name.to_owned(),
        origin: origin.to_string().parse().unwrap(),
        ..Options::default()
    };
    Ok(generate(Kind::Caddy, policy, &options)?.text)
}

/// Runs it.
fn run(binary: &Path, folder: &Path, text: &str) -> Process {
    write(folder, text, 0);
    let mut command = Command::new(binary);
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(folder.join("Caddyfile"))
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder)
        .env("XDG_DATA_HOME", folder);
    Process::start(&mut command, folder)
}

fn write(folder: &Path, text: &str, reloads: u32) {
    let text = format!(
        "{{\n\tadmin off\n\tauto_https off\n\tgrace_period {}s\n}}\n{text}",
        reloads + 1
    );
    fs::write(folder.join("Caddyfile"), text).unwrap();
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

/// The newest version, and the oldest that the generated configuration is for.
fn binaries() -> Vec<PathBuf> {
    let variables = ["COUNTERSIGN_CADDY", "COUNTERSIGN_OLDEST_CADDY"];
    variables.into_iter().filter_map(stage::program).collect()
}

fn binary() -> Option<PathBuf> {
    stage::program("COUNTERSIGN_CADDY")
}

/// A server, Caddy before it, and an origin, with this addition to the usual policy.
fn scene(binary: &Path, more: Value) -> (Tokens, Origin, DecisionServer, Caddy) {
    let (tokens, origin) = (Tokens::new(), Origin::start());
    let policy = tokens.policy(more);
    let server = DecisionServer::start(&policy, "caddy");
    let caddy = Caddy::start(binary, &policy, &server, &origin);
    (tokens, origin, server, caddy)
}

#[test]
fn caddy_passes_on_what_the_gate_allows_and_nothing_else() {
    for binary in binaries() {
        let (tokens, origin, _server, caddy) = scene(&binary, json!({}));
        let seam = Seam {
            proxy: caddy.address,
            origin: &origin,
            tokens: &tokens,
        };
        seam.a_good_token_passes();
        seam.nobody_passes_without_a_good_token();
        seam.a_client_cannot_name_itself();
        seam.the_origin_gets_the_target_as_go_writes_it();
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
        assert!(
            !log(&caddy.folder).contains("\"panic\""),
            "{}",
            log(&caddy.folder)
        );
    }
}

#[test]
fn caddy_lets_nobody_pass_while_the_server_is_away_or_changes() {
    let Some(binary) = binary() else { return };
    let (tokens, origin, mut server, mut caddy) = scene(&binary, json!({}));
    let seam = Seam {
        proxy: caddy.address,
        origin: &origin,
        tokens: &tokens,
    };
    life::a_server_that_is_down_lets_nobody_pass(&seam, &mut server);
    forwarded::a_server_that_is_none_lets_nobody_pass(&seam, &mut server);
    forwarded::a_server_that_hangs_lets_nobody_pass(&seam, &mut server);
    life::nobody_passes_while_all_changes(&seam, &mut server, || caddy.reload());
}

#[test]
fn a_cookie_with_a_token_ends_at_caddy() {
    for binary in binaries() {
        let (tokens, origin, _server, caddy) = scene(&binary, forwarded::cookie());
        forwarded::a_cookie_does_not_go_on(&Seam {
            proxy: caddy.address,
            origin: &origin,
            tokens: &tokens,
        });
    }
}

#[test]
fn caddy_serves_a_metadata_document_of_the_gate() {
    for binary in binaries() {
        let (tokens, origin, _server, caddy) = scene(&binary, forwarded::document());
        let seam = Seam {
            proxy: caddy.address,
            origin: &origin,
            tokens: &tokens,
        };
        forwarded::a_metadata_document_comes_from_the_gate(&seam);
        seam.a_target_without_a_path_is_refused();
    }
}

#[test]
fn a_policy_that_forwards_more_than_caddy_knows_denies() {
    let Some(binary) = binary() else { return };
    let (tokens, origin, mut server, caddy) = scene(&binary, json!({}));
    let seam = Seam {
        proxy: caddy.address,
        origin: &origin,
        tokens: &tokens,
    };
    seam.a_good_token_passes();
    let forward = json!({ "x-auth-subject": "subject", "x-auth-issuer": "issuer" });
    let newer = tokens.policy(json!({ "forward": forward }));
    fs::write(
        server.folder.join(format!("{POLICY}.json")),
        newer.to_string(),
    )
    .unwrap();
    server.restart();
    for (target, line) in [
        ("/orgs/acme/seats", &*seam.bearer()),
        ("/public/x", "X-Auth-Issuer: root"),
    ] {
        let reply = seam.get(target, &[line]);
        assert_eq!(
            (reply.status, &*reply.code()),
            (503, "internal_error"),
            "{reply:?}"
        );
    }
    assert!(origin.take().is_empty());
}

/// Vectors whose request Caddy itself answers with 400.
const REFUSED_BY_CADDY: [&str; 16] = [
    "authority-empty",
    "authority-host-form",
    "authority-two-hosts",
    "host-list",
    "host-slash",
    "host-space",
    "host-user",
    "method-non-ascii",
    "method-too-long",
    "target-asterisk",
    "target-percent-last",
    "target-percent-letters",
    "target-percent-short",
    "target-percent-sign",
    "target-query-only",
    "target-relative",
];

/// Vectors that Caddy cannot ask about as they are, each time on the safe side.
const DIFFERS: [(&str, &str); 9] = [
    ("connection-names", ONE_HOP),
    ("connection-variant", ONE_HOP),
    ("handshake-any-upgrade", ONE_HOP),
    ("handshake-header", ONE_HOP),
    ("handshake-own", ONE_HOP),
    ("header-connection", ONE_HOP),
    ("origin-trusted", "a WebSocket opens"),
    ("target-fragment", ESCAPED),
    ("target-non-ascii", ESCAPED),
];

const ONE_HOP: &str = "`Connection` or `Upgrade`, removed for the gate and for the backend";
const ESCAPED: &str =
    "a byte that may not stand in a path, escaped for the gate and for the backend";

/// Starts a Caddy with a site for each policy.
fn corpus(
    binary: &Path,
    policies: &[(String, Value)],
    server: SocketAddr,
    origin: SocketAddr,
) -> Listeners {
    // What Caddy knows of a request itself comes from the test here.
    let said = [
        ("request.scheme", "Scheme"),
        ("request.remote.host", "Peer"),
    ];
    let folder = folder("caddy-corpus");
    for _ in 0..10 {
        let addresses = free_addresses(policies.len());
        let mut text = String::new();
        for (index, ((name, policy), address)) in policies.iter().zip(&addresses).enumerate() {
            let mut one = configuration(policy, name, server, origin, *address).unwrap();
            for (real, test) in said {
                let test = format!("{{http.request.header.X-Test-{test}}}");
                one = one.replace(&format!("{{http.{real}}}"), &test);
            }
            // Each file has its own snippets.
            for snippet in ["clean", "gate"] {
                let own = format!("{snippet}_{index}");
                one = one.replace(&format!("countersign_{snippet}"), &own);
            }
            text += &one;
        }
        let mut process = run(binary, &folder, &text);
        if listens(&mut process, &addresses) {
            return Listeners {
                addresses,
                _running: Box::new(process),
            };
        }
    }
    panic!("Caddy does not start:\n{}", log(&folder));
}

#[test]
fn caddy_decides_the_corpus_like_the_native_crate() {
    let Some(binary) = binary() else { return };
    let origin = Origin::start();
    let nowhere: SocketAddr = ([127, 0, 0, 1], 1).into();
    let player = Player {
        dialect: "caddy",
        carries: Carries {
            one_hop: true,
            no_authority: false,
            underscores: false,
            certificate: false,
            lone_upgrade: true,
            two_hosts: true,
            fields: 80,
        },
        generate: &|policy| configuration(policy, POLICY, nowhere, nowhere, nowhere).map(drop),
        start: &|policies, server| corpus(&binary, policies, server, origin.address),
        refuses: &REFUSED_BY_CADDY,
        differs: &DIFFERS,
        at_least: 2_000,
    };
    player.play();
}
