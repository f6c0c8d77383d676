//! Tests of proofs of a key (RFC 9449): each is good once, in all workers.

use std::thread;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_artefact_tests::{cases, token::Key};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::stage::{
    self,
    client::{self, Reply, Sent},
    envoy::Envoy,
    eventually,
    http2::Connection,
    policy,
    setup::Setup,
    upstream,
};

/// The address that the requests of the tests ask for.
const HTU: &str = "http://api.example.com/";

#[test]
fn a_proof_passes_once_whichever_worker_gets_it() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let client = Client::new();
    let envoy = client.envoy(&binary, &client.policy(), 2);
    for round in 0..20 {
        let proof = client.proof(&format!("once-{round}"));
        let reply = client.send(&envoy, "GET", "/", &proof);
        assert_eq!(reply.status, 200, "{reply:?}\n{}", envoy.log());
        for _ in 0..3 {
            let reply = client.send(&envoy, "GET", "/", &proof);
            assert_eq!((reply.status, &*reply.code()), (401, "proof_replayed"));
            let challenge = reply.header("www-authenticate").unwrap();
            assert!(
                challenge.contains(r#"error="invalid_dpop_proof""#),
                "{challenge}"
            );
        }
    }
}

#[test]
fn of_twenty_sendings_at_once_exactly_one_passes() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let client = Client::new();
    let envoy = client.envoy(&binary, &client.policy(), 4);
    // The first token is verified, so that the sendings meet at the table.
    client.send(&envoy, "GET", "/", &client.proof("first"));
    for round in 0..10 {
        let proof = client.proof(&format!("crowd-{round}"));
        let request = client.request("GET", "/", &proof);
        let sendings: Vec<_> = (0..20)
            .map(|_| {
                let (request, to) = (request.clone(), envoy.address);
                thread::spawn(move || client::write(to, &request).and_then(Sent::reply))
            })
            .collect();
        let replies = sendings
            .into_iter()
            .map(|sent| sent.join().unwrap().unwrap());
        let codes: Vec<String> = replies.map(|reply| reply.code()).collect();
        let passed = codes.iter().filter(|code| code.is_empty()).count();
        let replayed = codes
            .iter()
            .filter(|code| *code == "proof_replayed")
            .count();
        assert_eq!((passed, replayed), (1, 19), "{codes:?}");
    }
    eventually("all is counted", || {
        envoy.metric("wasmcustom.countersign.denied.proof_replayed") == Some(190)
    });
}

#[test]
fn a_proof_is_only_for_its_method_its_address_and_its_token() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let client = Client::new();
    let envoy = client.envoy(&binary, &client.policy(), 1);
    let proof = client.proof("a");
    for (method, path) in [("POST", "/"), ("GET", "/other"), ("GET", "/public/../")] {
        let reply = client.send(&envoy, method, path, &proof);
        assert_ne!(reply.status, 200, "{method} {path}: {reply:?}");
    }
    let other_scheme = client.proof_with(&json!({ "jti": "b", "htu": "https://api.example.com/" }));
    let other_token = client.proof_with(&json!({ "jti": "c", "ath": hash(b"another") }));
    let old = client.proof_with(&json!({ "jti": "d", "iat": now_s() - 120 }));
    for proof in [&*other_scheme, &other_token, &old] {
        let reply = client.send(&envoy, "GET", "/", proof);
        assert_eq!((reply.status, &*reply.code()), (401, "proof_invalid"));
    }
    let reply = envoy.get("/", Some(&client.token));
    assert_eq!((reply.status, &*reply.code()), (401, "proof_missing"));
    let twice = client.request("GET", "/", &[&*proof, "\r\ndpop: ", &proof].concat());
    let reply = client::write(envoy.address, &twice).and_then(Sent::reply);
    assert_eq!(reply.unwrap().code(), "proof_invalid");
    // None of these has used it up.
    let reply = client.send(&envoy, "GET", "/?query", &proof);
    assert_eq!(reply.status, 200, "{reply:?}");
    let post = client.proof_with(&json!({ "jti": "e", "htm": "POST" }));
    assert_eq!(client.send(&envoy, "POST", "/", &post).status, 200);
}

/// README.md says from whom the scheme is.
#[test]
fn without_tls_the_scheme_is_that_of_the_proxy_before_or_of_http2() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let client = Client::new();
    let envoy = client.envoy(&binary, &client.policy(), 1);
    let https =
        |jti: &str| client.proof_with(&json!({ "jti": jti, "htu": "https://api.example.com/" }));
    let forwarded = https("a") + "\r\nx-forwarded-proto: https";
    assert_eq!(client.send(&envoy, "GET", "/", &forwarded).status, 200);

    let authorization = ["DPoP ", &client.token].concat();
    let proof = https("b");
    let fields: [(&str, &[u8]); 6] = [
        (":method", b"GET"),
        (":scheme", b"https"),
        (":authority", cases::AUTHORITY.as_bytes()),
        (":path", b"/"),
        ("authorization", authorization.as_bytes()),
        ("dpop", proof.as_bytes()),
    ];
    let mut connection = Connection::open(envoy.address).unwrap();
    let id = connection.send(&fields, true).unwrap();
    assert_eq!(connection.reply(id).unwrap().status(), 200);

    let mut policy = client.policy();
    policy["dpop"] = json!({ "origin": "https://api.example.com" });
    let envoy = client.envoy(&binary, &policy, 1);
    assert_eq!(client.send(&envoy, "GET", "/", &https("c")).status, 200);
    let reply = client.send(&envoy, "GET", "/", &client.proof("d"));
    assert_eq!(reply.code(), "proof_invalid");
}

#[test]
fn a_nonce_comes_with_the_refusal_and_is_good_in_each_worker() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let client = Client::new();
    let mut policy = client.policy();
    policy["dpop"] = json!({ "nonce": { "secret_from": "nonces" } });
    let secrets = json!({ "nonces": "a secret of the nonces, 32 bytes long" });
    let configuration = json!({ "policy": policy, "envoy": { "secrets": secrets } });
    let envoy = client.envoy(&binary, &configuration, 2);
    let reply = client.send(&envoy, "GET", "/", &client.proof("a"));
    assert_eq!((reply.status, &*reply.code()), (401, "nonce_required"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let challenge = reply.header("www-authenticate").unwrap();
    assert!(
        challenge.contains(r#"error="use_dpop_nonce""#),
        "{challenge}"
    );
    let nonce = reply.header("dpop-nonce").unwrap().to_owned();
    for round in 0..10 {
        let claims = json!({ "jti": format!("with-{round}"), "nonce": nonce });
        let reply = client.send(&envoy, "GET", "/", &client.proof_with(&claims));
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.header("dpop-nonce"), None);
    }
    let wrong = client.proof_with(&json!({ "jti": "b", "nonce": "made-up" }));
    assert_eq!(
        client.send(&envoy, "GET", "/", &wrong).code(),
        "nonce_required"
    );
}

#[test]
fn listeners_of_one_envoy_share_the_table() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let client = Client::new();
    let setup = Setup::new(&client.policy(), upstream::echo());
    let setup = setup.listen("second", &client.policy().to_string());
    let envoy = Envoy::start(&binary, &setup.concurrency(2));
    let listeners = envoy.listeners();
    let request = client.request("GET", "/", &client.proof("a"));
    let ask = |name: &str| {
        let sent = client::write(listeners[name], &request);
        sent.and_then(Sent::reply).unwrap().code()
    };
    assert_eq!(ask("main"), "");
    assert_eq!(ask("second"), "proof_replayed");
}

#[test]
fn one_key_with_many_proofs_leaves_room_for_others() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let client = Client::new();
    let envoy = client.envoy(&binary, &client.policy(), 2);
    // 3 for each bucket, where a key may have 16.
    for round in 0..3_000 {
        let proof = client.proof(&format!("many-{round}"));
        let reply = client.send(&envoy, "GET", "/", &proof);
        assert_eq!(reply.status, 200, "{round}: {reply:?}");
    }
    assert!(!envoy.log().contains("Wasm VM failed"), "{}", envoy.log());
}

/// A client with a key, and a token that is bound to it.
struct Client {
    key: Key,
    issuer: Key,
    token: String,
}

impl Client {
    fn new() -> Self {
        let (key, issuer) = (Key::read("rsa-2048-b"), Key::read("rsa-2048-a"));
        let mut claims = policy::claims();
        claims["cnf"] = json!({ "jkt": thumbprint(&key) });
        let token = issuer.sign(&claims);
        Self { key, issuer, token }
    }

    fn policy(&self) -> Value {
        let mut policy = policy::inline(&self.issuer);
        policy["credentials"] = json!([
            { "header": "authorization", "scheme": "Bearer" },
            { "header": "authorization", "scheme": "DPoP" },
        ]);
        policy
    }

    fn envoy(&self, binary: &std::path::Path, configuration: &Value, workers: u32) -> Envoy {
        let setup = Setup::new(configuration, upstream::echo());
        Envoy::start(binary, &setup.concurrency(workers))
    }

    fn proof(&self, jti: &str) -> String {
        self.proof_with(&json!({ "jti": jti }))
    }

    /// A proof for `GET /`, with these claims.
    fn proof_with(&self, claims: &Value) -> String {
        let mut all = json!({
            "htm": "GET", "htu": HTU, "iat": now_s(), "ath": hash(self.token.as_bytes()),
        });
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        let header = json!({ "typ": "dpop+jwt", "alg": "RS256", "jwk": jwk(&self.key) });
        self.key.sign_text(&header.to_string(), &all.to_string())
    }

    fn request(&self, method: &str, target: &str, proof: &str) -> Vec<u8> {
        let (host, token) = (cases::AUTHORITY, &self.token);
        let head = format!(
            "{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
             authorization: DPoP {token}\r\ndpop: {proof}\r\n\r\n"
        );
        head.into_bytes()
    }

    fn send(&self, envoy: &Envoy, method: &str, target: &str, proof: &str) -> Reply {
        let request = self.request(method, target, proof);
        let reply = client::write(envoy.address, &request).and_then(Sent::reply);
        reply.unwrap_or_else(|| panic!("no reply\n{}", envoy.log()))
    }
}

fn jwk(key: &Key) -> Value {
    let public = key.public();
    json!({ "e": public["e"], "kty": "RSA", "n": public["n"] })
}

/// RFC 7638: the members in this order, without blanks.
fn thumbprint(key: &Key) -> String {
    let public = key.public();
    let (e, n) = (public["e"].as_str().unwrap(), public["n"].as_str().unwrap());
    hash(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#).as_bytes())
}

fn hash(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(bytes))
}

fn now_s() -> u64 {
    cases::now_ms() / 1000
}
