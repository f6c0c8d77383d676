//! The request that was decided about is the one that the origin gets, and denials say
//! what they are.

use std::net::TcpListener;

use countersign_artefact_tests::stage::{client, http2};
use countersign_proxy_config::Kind;
use serde_json::json;

use super::{BOTH, Scene, bearer, binary, careless};
use crate::stage::issuer::{ISSUER, Tokens};

#[test]
fn the_target_arrives_byte_by_byte() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        let scene = Scene::new(&binary, kind, &tokens.policy(json!({})));
        for target in [
            "/orgs/acme/a?x=%41&y=a+b&z=%20&x=1",
            "/orgs/acme/%C3%A9?",
            "/orgs/acme/a:b@c!$&'()*+,=?/?",
        ] {
            let reply = scene.get(target, Some(&tokens.good()), "");
            assert_eq!(reply.status, 200, "{kind} {target}: {reply:?}");
            let seen = scene.origin.one();
            assert_eq!(
                (&*seen.method(), &*seen.target()),
                ("GET", target),
                "{kind}"
            );
        }
    }
}

#[test]
fn what_a_backend_could_read_in_two_ways_does_not_pass() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        let scene = Scene::with(&binary, kind, &tokens.policy(json!({})), |text| {
            // As the client sent it: the gate has to refuse it.
            let text = text.replace("normalize_path: true", "normalize_path: false");
            let text = text.replace("merge_slashes: true", "merge_slashes: false");
            careless(text.replace("path_with_escaped_slashes_action: REJECT_REQUEST", ""))
        });
        for target in [
            "/public/../orgs/acme/a",
            "/public/%2e%2e/orgs/acme/a",
            "/orgs/acme%2fa",
            "/public//a",
            "//public/a",
            "/orgs/globex;/a",
            "/Public/a",
        ] {
            let reply = scene.get(target, Some(&tokens.good()), "");
            assert_ne!(reply.status, 200, "{kind} {target}: {reply:?}");
            assert!(scene.origin.take().is_empty(), "{kind} {target}");
        }
    }
}

#[test]
fn a_request_with_two_hosts_or_targets_does_not_pass() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        let rules = json!([
            { "hosts": ["open.example.com"], "path": "/**", "public": true },
            { "path": "/**", "require": {} },
        ]);
        let scene = Scene::new(&binary, kind, &tokens.policy(json!({ "rules": rules })));
        let two = "GET / HTTP/1.1\r\nhost: open.example.com\r\nhost: admin.example.com\r\n";
        assert_eq!(scene.send(two).status, 400, "{kind}");
        // Envoy takes host and path of an absolute target, and the origin gets these.
        let absolute = "GET http://admin.example.com/a HTTP/1.1\r\nhost: open.example.com\r\n";
        assert_eq!(scene.send(absolute).code(), "token_missing", "{kind}");
        let open = "GET http://open.example.com/a HTTP/1.1\r\nhost: admin.example.com\r\n";
        assert_eq!(scene.send(open).status, 200, "{kind}");
        assert_eq!(
            scene.origin.one().values("host"),
            [b"open.example.com"],
            "{kind}"
        );
        // Headers that name another target are none of the gate's, and nobody's here.
        for header in [
            "x-envoy-original-path: /public/a",
            "x-original-url: /public/a",
            "x-forwarded-host: open.example.com",
            "x-forwarded-uri: /public/a",
            "x-countersign-target: /public/a",
        ] {
            let head = format!("GET /a HTTP/1.1\r\nhost: admin.example.com\r\n{header}\r\n");
            assert_eq!(scene.send(&head).code(), "token_missing", "{kind} {header}");
        }
        // HTTP/2, with a target that is no path: it must not become another policy's name.
        for path in ["2/public/a", "public/a", "*", "http://open.example.com/"] {
            let fields: [(&str, &[u8]); 4] = [
                (":method", b"GET"),
                (":scheme", b"http"),
                (":authority", b"admin.example.com"),
                (":path", path.as_bytes()),
            ];
            let mut connection = http2::Connection::open(scene.envoy.address).unwrap();
            let id = connection.send(&fields, true).unwrap();
            let reply = connection.reply(id).unwrap_or_default();
            assert_ne!(reply.status(), 200, "{kind} {path}: {reply:?}");
        }
        assert!(scene.origin.take().is_empty(), "{kind}");
    }
}

#[test]
fn methods_and_bodies_pass_unchanged() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        let scene = Scene::new(&binary, kind, &tokens.policy(json!({})));
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let token = bearer(&tokens.good());
            let request = format!(
                "{method} /orgs/acme/a HTTP/1.1\r\nhost: app.example.com\r\n{token}content-length: 5\r\n\r\nhello"
            );
            let reply = client::write(scene.envoy.address, request.as_bytes());
            let reply = reply.and_then(client::Sent::reply).unwrap();
            assert_eq!(reply.status, 200, "{kind} {method}: {reply:?}");
            assert_eq!(scene.origin.one().method(), method, "{kind}");
            let head = format!("{method} /orgs/acme/a HTTP/1.1\r\nhost: app.example.com\r\n");
            assert_eq!(scene.send(&head).code(), "token_missing", "{kind} {method}");
        }
        let head = "HEAD /orgs/acme/a HTTP/1.1\r\nhost: app.example.com\r\n";
        assert_eq!(
            scene.send(&format!("{head}connection: close\r\n")).status,
            401,
            "{kind}"
        );
        assert!(scene.origin.take().is_empty(), "{kind}");
    }
}

#[test]
fn a_denial_has_its_status_code_and_challenge() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        let scene = Scene::new(&binary, kind, &tokens.policy(json!({})));
        let (good, expired, forged) = (tokens.good(), tokens.expired(), tokens.forged());
        for (target, token, status, code) in [
            ("/orgs/acme/a", None, 401, "token_missing"),
            ("/orgs/acme/a", Some(&expired), 401, "token_expired"),
            ("/orgs/acme/a", Some(&forged), 401, "signature_invalid"),
            ("/orgs/globex/a", Some(&good), 403, "tenant_denied"),
        ] {
            let reply = scene.get(target, token.map(|token| &**token), "");
            assert_eq!(
                (reply.status, &*reply.code()),
                (status, code),
                "{kind}: {reply:?}"
            );
            assert_eq!(
                reply.header("x-countersign-code"),
                Some(code),
                "{kind}: {reply:?}"
            );
            assert_eq!(
                reply.header("content-type"),
                Some("application/json"),
                "{kind}"
            );
            assert_eq!(reply.header("cache-control"), Some("no-store"), "{kind}");
            let challenge = reply.header("www-authenticate");
            assert_eq!(challenge.is_some(), status == 401, "{kind}: {reply:?}");
        }
        let two = format!(
            "authorization: Bearer {}\r\n",
            tokens.with(&[("sub", json!("bob"))])
        );
        let reply = scene.get("/orgs/acme/a", Some(&good), &two);
        assert_eq!(
            (reply.status, &*reply.code()),
            (400, "token_multiple"),
            "{kind}: {reply:?}"
        );
        assert!(scene.origin.take().is_empty(), "{kind}");
    }
}

#[test]
fn missing_keys_are_a_503_that_is_no_failure_of_the_server() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let policy = tokens.policy(json!({ "issuers": [{
        "name": "dev", "issuer": ISSUER, "audiences": ["api"], "algorithms": ["ES256"],
        "keys": { "jwks_uri": format!("http://{nobody}/jwks"), "insecure_http": true },
        "claims": { "tenant": "/tenant_id" },
    }] }));
    for kind in BOTH {
        for allow in ["failure_mode_allow: false", "failure_mode_allow: true"] {
            let scene = Scene::with(&binary, kind, &policy, |text| {
                text.replace("failure_mode_allow: false", allow)
            });
            let reply = scene.get("/orgs/acme/a", Some(&tokens.good()), "");
            assert_eq!(
                (reply.status, &*reply.code()),
                (503, "keys_unavailable"),
                "{kind}: {reply:?}"
            );
            assert!(reply.header("retry-after").is_some(), "{kind}: {reply:?}");
            assert!(scene.origin.take().is_empty(), "{kind} {allow}");
        }
    }
}

#[test]
fn a_grpc_client_gets_a_grpc_status() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        let scene = Scene::new(&binary, kind, &tokens.policy(json!({})));
        let reply = scene.get(
            "/orgs/acme/a",
            None,
            "content-type: application/grpc\r\nte: trailers\r\n",
        );
        assert_eq!(reply.header("grpc-status"), Some("16"), "{kind}: {reply:?}");
        assert_eq!(
            reply.header("grpc-message"),
            Some("token_missing"),
            "{kind}: {reply:?}"
        );
    }
}

#[test]
fn a_token_in_the_query_does_not_reach_the_origin() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    let rules = json!([
        { "path": "/socket", "credentials": [{ "query": "access_token" }], "require": {} },
    ]);
    let policy = tokens.policy(json!({ "rules": rules }));
    let scene = Scene::new(&binary, Kind::EnvoyGrpc, &policy);
    let target = format!("/socket?b=2&access_token={}&b=1&%61=%20&c", tokens.good());
    let reply = scene.get(&target, None, "");
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(scene.origin.one().target(), "/socket?b=2&b=1&%61=%20&c");
    // Over HTTP it cannot be taken out.
    let options = countersign_proxy_config::Options::default();
    let refused = countersign_proxy_config::generate(Kind::EnvoyHttp, &policy, &options);
    assert_eq!(
        refused.unwrap_err().problems[0].pointer,
        "/rules/0/credentials/0"
    );
}

#[test]
fn the_token_is_stripped_where_the_policy_says_so() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    let policy = tokens.policy(json!({
        "credentials": [{ "header": "authorization", "scheme": "Bearer" }, { "cookie": "session" }],
        "strip_credential": true,
    }));
    for kind in BOTH {
        let scene = Scene::new(&binary, kind, &policy);
        let reply = scene.get("/orgs/acme/a", Some(&tokens.good()), "cookie: a=1\r\n");
        assert_eq!(reply.status, 200, "{kind}: {reply:?}");
        let seen = scene.origin.one();
        assert!(
            seen.values("authorization").is_empty(),
            "{kind}: {}",
            seen.text()
        );
        assert_eq!(seen.values("cookie"), [b"a=1"], "{kind}");

        let cookie = format!("cookie: a=1; session={}; b=2\r\n", tokens.good());
        let reply = scene.get("/orgs/acme/a", None, &cookie);
        assert_eq!(reply.status, 200, "{kind}: {reply:?}");
        let seen = scene.origin.one();
        assert!(!seen.text().contains("session"), "{kind}: {}", seen.text());
        assert!(seen.text().contains("a=1"), "{kind}: {}", seen.text());
        assert!(seen.text().contains("b=2"), "{kind}: {}", seen.text());

        let cookie = format!("cookie: session={}\r\n", tokens.good());
        assert_eq!(
            scene.get("/orgs/acme/a", None, &cookie).status,
            200,
            "{kind}"
        );
        let seen = scene.origin.one();
        assert!(!seen.text().contains("session"), "{kind}: {}", seen.text());
    }
}

#[test]
fn bytes_that_are_no_text_pass_or_deny_but_do_not_change() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    let policy = tokens.policy(json!({
        "credentials": [{ "cookie": "session" }],
        "strip_credential": true,
    }));
    for kind in BOTH {
        let scene = Scene::new(&binary, kind, &policy);
        let mut request = b"GET /orgs/acme/a HTTP/1.1\r\nhost: app.example.com\r\nconnection: close\r\nx-note: \xff\r\ncookie: a=\xff; session=".to_vec();
        request.extend(tokens.good().as_bytes());
        request.extend(b"\r\n\r\n");
        let reply = client::write(scene.envoy.address, &request).and_then(client::Sent::reply);
        let reply = reply.unwrap();
        match kind {
            // A reply over gRPC has texts only.
            Kind::EnvoyGrpc => {
                assert_eq!(
                    (reply.status, &*reply.code()),
                    (503, "internal_error"),
                    "{reply:?}"
                );
                assert!(scene.origin.take().is_empty());
            }
            _ => {
                assert_eq!(reply.status, 200, "{reply:?}");
                let seen = scene.origin.one();
                assert_eq!(seen.values("cookie"), [b"a=\xff"], "{}", seen.text());
                assert_eq!(seen.values("x-note"), [b"\xff"], "{}", seen.text());
            }
        }
    }
}
