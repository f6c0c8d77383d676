//! Signed policies from a file and from an address: what is put in force, and what
//! never is.

mod support;

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use countersign_host::{Gate, GateBuilder, PolicySource, policy_digest};
use serde_json::{Value, json};
use support::{A, Clock, START_MS};
use tokio::net::TcpListener;

const HOUR: Duration = Duration::from_secs(3600);

struct Signer(Ed25519KeyPair);

impl Signer {
    fn new() -> Self {
        Self(Ed25519KeyPair::generate().unwrap())
    }

    fn trust(&self, min_version: u64) -> String {
        let x = BASE64.encode(self.0.public_key().as_ref());
        json!({
            "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "2026", "x": x }],
            "policy": "shop", "audience": "production", "min_version": min_version,
        })
        .to_string()
    }

    /// A policy of this version, good for an hour.
    fn sign(&self, version: u64, change: impl FnOnce(&mut Value)) -> String {
        let mut header = json!({
            "alg": "EdDSA", "typ": "countersign-policy+jws", "kid": "2026",
            "policy": "shop", "aud": "production", "version": version,
            "exp": START_MS / 1000 + 3600,
        });
        change(&mut header);
        let payload = policy(version).to_string();
        let signed = format!(
            "{}.{}",
            BASE64.encode(header.to_string()),
            BASE64.encode(payload)
        );
        let signature = BASE64.encode(self.0.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

/// Policies of different versions have different rules.
fn policy(version: u64) -> Value {
    json!({
        "contract": "1",
        "issuers": [{
            "name": "platform", "issuer": "https://auth.example.com", "audiences": ["api"],
            "algorithms": ["RS256"], "keys": { "jwks": support::jwks(&[A]) },
        }],
        "credentials": [{ "header": "authorization", "scheme": "Bearer" }],
        "rules": [{ "path": format!("/v{version}"), "public": true }],
        "default": "deny",
    })
}

fn digest(version: u64) -> String {
    policy_digest(policy(version).to_string().as_bytes()).unwrap()
}

/// An empty folder of this test.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn builder(clock: &Clock, source: PolicySource) -> GateBuilder {
    Gate::builder()
        .clock(clock.reader())
        .instances(2)
        .policy_from(source)
}

async fn in_force(gate: &Gate) -> String {
    gate.status().await.unwrap().policy_digest
}

#[tokio::test]
async fn only_a_good_policy_replaces_the_one_in_force() {
    let (clock, signer, file) = (
        Clock::new(),
        Signer::new(),
        folder("only_good").join("p.jws"),
    );
    fs::write(&file, signer.sign(3, |_| {})).unwrap();
    let errors = Arc::new(Mutex::new(0));
    let counted = errors.clone();
    let source =
        PolicySource::file(&file, signer.trust(2)).on_error(move |_| *counted.lock().unwrap() += 1);
    let gate = builder(&clock, source).build().await.unwrap();
    assert_eq!(in_force(&gate).await, digest(3));
    let source = gate.status().await.unwrap().source.unwrap();
    assert_eq!(
        (source.version, &*source.kid, source.last_error),
        (3, "2026", None)
    );
    assert_eq!(source.expires_ms, START_MS + 3_600_000);
    assert!(!gate.look_for_policy().await.unwrap(), "it is the same one");

    let mut damaged = signer.sign(4, |_| {});
    damaged.truncate(damaged.len() - 4);
    let bad = [
        (Signer::new().sign(4, |_| {}), "signature_invalid"),
        (damaged, "signature_invalid"),
        (policy(4).to_string(), "signature_invalid"),
        (
            signer.sign(4, |header| header["aud"] = "staging".into()),
            "audience_mismatch",
        ),
        (
            signer.sign(4, |header| header["policy"] = "other".into()),
            "policy_mismatch",
        ),
        (signer.sign(2, |_| {}), "version_old"),
        (signer.sign(4, |header| header["exp"] = 1.into()), "expired"),
    ];
    let count = bad.len();
    for (text, code) in bad {
        fs::write(&file, text).unwrap();
        let refused = gate.look_for_policy().await.unwrap_err();
        assert_eq!(refused.problems()[0].code, code);
        assert_eq!(in_force(&gate).await, digest(3));
        let said = gate.status().await.unwrap().source.unwrap();
        assert!(said.version == 3 && said.last_error.unwrap().contains(code));
    }
    fs::remove_file(&file).unwrap();
    let gone = gate.look_for_policy().await.unwrap_err();
    assert_eq!(gone.problems()[0].code, "policy_unavailable");
    assert_eq!(*errors.lock().unwrap(), count + 1);

    fs::write(&file, signer.sign(4, |_| {})).unwrap();
    assert!(gate.look_for_policy().await.unwrap());
    assert_eq!(in_force(&gate).await, digest(4));
    assert_eq!(
        gate.status().await.unwrap().source.unwrap().last_error,
        None
    );
}

#[tokio::test]
async fn a_file_that_nobody_signs_again_expires_and_its_policy_stays_in_force() {
    let (clock, signer, file) = (Clock::new(), Signer::new(), folder("frozen").join("p.jws"));
    fs::write(&file, signer.sign(1, |_| {})).unwrap();
    let source = PolicySource::file(&file, signer.trust(0));
    let gate = builder(&clock, source.clone()).build().await.unwrap();
    clock.forward(HOUR);
    assert_eq!(
        gate.look_for_policy().await.unwrap_err().problems()[0].code,
        "expired"
    );
    assert_eq!(in_force(&gate).await, digest(1));
    assert!(
        gate.status()
            .await
            .unwrap()
            .source
            .unwrap()
            .last_error
            .is_some()
    );
    // A new process does not take it.
    let refused = builder(&clock, source).build().await.unwrap_err();
    assert_eq!(refused.problems()[0].code, "expired");
}

#[tokio::test]
async fn the_state_file_keeps_the_highest_version_over_a_restart() {
    let (clock, signer, folder) = (Clock::new(), Signer::new(), folder("state"));
    let (file, state) = (folder.join("p.jws"), folder.join("state.json"));
    let write = |version| fs::write(&file, signer.sign(version, |_| {})).unwrap();
    let with_state = || PolicySource::file(&file, signer.trust(0)).state_file(&state);
    write(7);
    drop(builder(&clock, with_state()).build().await.unwrap());
    assert_eq!(fs::read_to_string(&state).unwrap(), "{\"version\":7}\n");
    write(6);
    let refused = builder(&clock, with_state()).build().await.unwrap_err();
    assert_eq!(refused.problems()[0].code, "version_old");
    // Without it, the process remembers, and a new one does not.
    let source = PolicySource::file(&file, signer.trust(0));
    assert!(builder(&clock, source).build().await.is_ok());

    write(7);
    let gate = builder(&clock, with_state()).build().await.unwrap();
    // The version cannot be written.
    fs::remove_file(&state).unwrap();
    fs::create_dir(&state).unwrap();
    write(8);
    let unusable = gate.look_for_policy().await.unwrap_err();
    assert_eq!(unusable.problems()[0].code, "state_file_unusable");
    assert_eq!(
        in_force(&gate).await,
        digest(7),
        "nothing is in force that is not kept"
    );
    fs::remove_dir(&state).unwrap();
    assert!(gate.look_for_policy().await.unwrap());
    fs::write(&state, "{}").unwrap();
    let damaged = builder(&clock, with_state()).build().await.unwrap_err();
    assert_eq!(damaged.problems()[0].code, "state_file_unusable");
}

#[derive(Clone, Default)]
struct Server(Arc<Mutex<(String, usize, usize)>>);

async fn serve(State(server): State<Server>, headers: HeaderMap) -> impl IntoResponse {
    let mut server = server.0.lock().unwrap();
    server.1 += 1;
    let etag = format!(
        "\"{}\"",
        server.0.len() * 31 + usize::from(server.0.as_bytes()[200])
    );
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known == &*etag)
    {
        server.2 += 1;
        return (
            StatusCode::NOT_MODIFIED,
            [(header::ETAG, etag)],
            String::new(),
        );
    }
    (StatusCode::OK, [(header::ETAG, etag)], server.0.clone())
}

#[tokio::test]
async fn an_address_is_asked_only_for_what_has_changed() {
    let (clock, signer, server) = (Clock::new(), Signer::new(), Server::default());
    server.0.lock().unwrap().0 = signer.sign(1, |_| {});
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/policy", listener.local_addr().unwrap());
    let app = Router::new()
        .route("/policy", get(serve))
        .with_state(server.clone());
    tokio::spawn(async { axum::serve(listener, app).await });

    let plain = PolicySource::url(&url, signer.trust(0));
    let refused = builder(&clock, plain.clone()).build().await.unwrap_err();
    assert_eq!(refused.problems()[0].code, "policy_unavailable");
    assert_eq!(
        server.0.lock().unwrap().1,
        0,
        "nothing was sent in the clear"
    );
    let away = PolicySource::url("http://example.com/p", signer.trust(0)).insecure_http(true);
    assert!(builder(&clock, away).build().await.is_err());

    let gate = builder(&clock, plain.insecure_http(true))
        .build()
        .await
        .unwrap();
    assert!(!gate.look_for_policy().await.unwrap());
    let asked = |server: &Server| {
        let server = server.0.lock().unwrap();
        (server.1, server.2)
    };
    assert_eq!(asked(&server), (2, 1));
    server.0.lock().unwrap().0 = signer.sign(22, |_| {});
    assert!(gate.look_for_policy().await.unwrap());
    assert_eq!(in_force(&gate).await, digest(22));
    // What has not changed expires all the same.
    clock.forward(HOUR);
    assert_eq!(
        gate.look_for_policy().await.unwrap_err().problems()[0].code,
        "expired"
    );
    assert_eq!(asked(&server).1, 2);
}

#[tokio::test]
async fn a_gate_without_a_source_finds_nothing() {
    let gate = Gate::builder()
        .policy(policy(1).to_string())
        .build()
        .await
        .unwrap();
    assert!(!gate.look_for_policy().await.unwrap());
    assert!(gate.status().await.unwrap().source.is_none());
}
