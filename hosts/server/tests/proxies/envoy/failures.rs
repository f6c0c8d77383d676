//! The server is down, slow, restarted or reloaded: nobody passes who should not.

use std::{
    fs,
    io::Read,
    net::TcpListener,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use countersign_artefact_tests::stage::{client, envoy::Envoy, eventually};
use countersign_proxy_config::Kind;
use serde_json::json;

use super::{BOTH, Scene, bearer, binary, configuration, replaced};
use crate::stage::{issuer::Tokens, origin::Origin};

#[test]
fn without_the_server_nothing_passes() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        let mut scene = Scene::new(&binary, kind, &tokens.policy(json!({})));
        let good = tokens.good();
        assert_eq!(
            scene.get("/orgs/acme/a", Some(&good), "").status,
            200,
            "{kind}"
        );
        scene.server.stop();
        scene.origin.take();
        for (target, token) in [
            ("/orgs/acme/a", Some(&*good)),
            ("/orgs/acme/a", None),
            ("/public/a", None),
        ] {
            let reply = scene.get(target, token, "x-auth-subject: root\r\n");
            assert_eq!(reply.status, 503, "{kind} {target}: {reply:?}");
        }
        assert!(scene.origin.take().is_empty(), "{kind}");
        scene.server.restart();
        eventually("the server is asked again", || {
            scene.get("/orgs/acme/a", Some(&good), "").status == 200
        });
    }
}

#[test]
fn a_server_that_does_not_answer_denies_in_time() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        // It takes every connection, and says nothing.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap().to_string();
        thread::spawn(move || {
            for stream in silent.incoming().map_while(Result::ok) {
                thread::spawn(move || {
                    let mut stream = stream;
                    while stream.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {}
                });
            }
        });
        let origin = Origin::start();
        let policy = tokens.policy(json!({}));
        let text = configuration(kind, &policy, &address, &origin);
        let text = replaced(text, "timeout: 8s", "timeout: 0.3s");
        let envoy = Envoy::start_yaml(&binary, &text);
        let request = format!(
            "GET /orgs/acme/a HTTP/1.1\r\nhost: app.example.com\r\n{}\r\n",
            bearer(&tokens.good())
        );
        let reply = client::write(envoy.address, request.as_bytes()).and_then(client::Sent::reply);
        assert_eq!(reply.unwrap().status, 503, "{kind}");
        assert!(origin.take().is_empty(), "{kind}");
    }
}

#[test]
fn with_failure_mode_allow_every_decision_still_holds_and_only_failures_pass() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        let mut scene = Scene::with(&binary, kind, &tokens.policy(json!({})), |text| {
            replaced(
                text,
                "failure_mode_allow: false",
                "failure_mode_allow: true",
            )
        });
        let (good, forged) = (tokens.good(), tokens.forged());
        for (target, token, code) in [
            ("/orgs/acme/a", None, "token_missing"),
            ("/orgs/acme/a", Some(&forged), "signature_invalid"),
            ("/orgs/globex/a", Some(&good), "tenant_denied"),
            ("/orgs/acme;/a", Some(&good), "request_ambiguous"),
        ] {
            let reply = scene.get(target, token.map(|token| &**token), "");
            assert_eq!(reply.code(), code, "{kind}: {reply:?}");
        }
        assert!(scene.origin.take().is_empty(), "{kind}");
        // This is what the setting means, and why the generated configuration has it not.
        scene.server.stop();
        let reply = scene.get("/orgs/acme/a", Some(&forged), "x-auth-subject: root\r\n");
        assert_eq!(reply.status, 200, "{kind}: {reply:?}");
        // The client's own identity is gone even then.
        assert!(!scene.origin.one().text().contains("root"), "{kind}");
    }
}

#[test]
fn a_proxy_that_names_no_policy_of_the_server_is_denied() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        for allow in ["failure_mode_allow: false", "failure_mode_allow: true"] {
            let scene = Scene::with(&binary, kind, &tokens.policy(json!({})), |text| {
                let text = match kind {
                    Kind::EnvoyGrpc => replaced(text, "policy: \"app\"", "policy: \"other\""),
                    _ => replaced(text, "/envoy-http/app", "/envoy-http/other"),
                };
                text.replace("failure_mode_allow: false", allow)
            });
            let reply = scene.get("/public/a", None, "");
            assert_ne!(reply.status, 200, "{kind}: {reply:?}");
            assert!(scene.origin.take().is_empty(), "{kind}");
        }
    }
}

#[test]
fn under_load_nobody_passes_while_the_server_restarts_and_policies_change() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        let policy = tokens.policy(json!({}));
        let mut scene = Scene::new(&binary, kind, &policy);
        let (good, bad) = (
            tokens.good(),
            [None, Some(tokens.forged()), Some(tokens.expired())],
        );
        let (stop, passed, denied) = (
            AtomicBool::new(false),
            AtomicUsize::new(0),
            AtomicUsize::new(0),
        );
        let address = scene.envoy.address;
        let send = |target: &str, token: Option<&str>| {
            let token = token.map_or(String::new(), bearer);
            let request = format!(
                "GET {target} HTTP/1.1\r\nhost: app.example.com\r\nx-auth-subject: root\r\n{token}connection: close\r\n\r\n"
            );
            client::write(address, request.as_bytes()).and_then(client::Sent::reply)
        };
        thread::scope(|threads| {
            // The threads end with this closure, also if it panics.
            let _end = AtEnd(&stop);
            threads.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let reply = send("/orgs/acme/good", Some(&good)).unwrap();
                    assert!(matches!(reply.status, 200 | 503), "{kind}: {reply:?}");
                    passed.fetch_add(usize::from(reply.status == 200), Ordering::Relaxed);
                }
            });
            for token in &bad {
                let (send, stop, denied) = (&send, &stop, &denied);
                threads.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let reply = send("/orgs/acme/bad", token.as_deref()).unwrap();
                        assert!(matches!(reply.status, 401 | 503), "{kind}: {reply:?}");
                        denied.fetch_add(usize::from(reply.status == 401), Ordering::Relaxed);
                    }
                });
            }
            let file = scene.server.folder.join("app.json");
            for round in 0..6 {
                let before = (
                    passed.load(Ordering::Relaxed),
                    denied.load(Ordering::Relaxed),
                );
                eventually("requests are decided", || {
                    passed.load(Ordering::Relaxed) > before.0 + 20
                        && denied.load(Ordering::Relaxed) > before.1 + 20
                });
                match round % 3 {
                    0 => scene.server.restart(),
                    1 => {
                        scene.server.stop();
                        thread::sleep(Duration::from_millis(200));
                        scene.server.restart();
                    }
                    _ => {
                        let more = json!({ "realm": format!("round-{round}") });
                        fs::write(&file, tokens.policy(more).to_string()).unwrap();
                    }
                }
            }
        });
        for seen in scene.origin.take() {
            assert_eq!(seen.target(), "/orgs/acme/good", "{kind}: {}", seen.text());
            assert_eq!(seen.values_like("x-auth-subject"), ["ada"], "{kind}");
        }
    }
}

/// Sets a flag when it is dropped.
struct AtEnd<'a>(&'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
