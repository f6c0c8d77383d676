//! An issuer on a local port that can misbehave, and a clock that
//! can be set.
#![allow(dead_code, unreachable_pub, missing_docs)]

mod clock;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{Response, StatusCode, header},
    routing::get,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use countersign_host::{Decision, Gate, GateBuilder};
use rsa::{
    BoxedUint, RsaPrivateKey,
    pkcs1v15::SigningKey,
    signature::{SignatureEncoding, Signer},
};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::{net::TcpListener, sync::Semaphore, time};

pub use clock::Clock;

/// Where every clock of these tests starts.
pub const START_MS: u64 = 1_790_000_000_000;

/// Test keys of the repository, by `kid`.
pub const A: &str = "rsa-2048-a";
pub const B: &str = "rsa-2048-b";

/// Where discovery looks.
pub const METADATA: &str = ".well-known/openid-configuration";

fn jwk(kid: &str) -> Value {
    let path = format!("{}/../../tests/keys/{kid}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A JWK Set with the public halves of these keys.
pub fn jwks(kids: &[&str]) -> Value {
    let public = |kid: &&str| {
        let jwk = jwk(kid);
        json!({ "kty": "RSA", "kid": kid, "alg": "RS256", "n": jwk["n"], "e": jwk["e"] })
    };
    json!({ "keys": kids.iter().map(public).collect::<Vec<_>>() })
}

/// A token signed with the key `signed_by`, whose header names `kid`.
pub fn token_naming(kid: &str, signed_by: &str, claims: &Value) -> String {
    let jwk = jwk(signed_by);
    let number = |name: &str| {
        let bytes = BASE64_URL_SAFE_NO_PAD
            .decode(jwk[name].as_str().unwrap())
            .unwrap();
        BoxedUint::from_be_slice_vartime(&bytes)
    };
    let primes = vec![number("p"), number("q")];
    let key = RsaPrivateKey::from_components(number("n"), number("e"), number("d"), primes);
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({ "alg": "RS256", "kid": kid });
    let signed = format!("{}.{}", encode(&header), encode(claims));
    let signature = SigningKey::<Sha256>::new(key.unwrap()).sign(signed.as_bytes());
    format!(
        "{signed}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes())
    )
}

/// The response of the issuer to a fetch.
#[derive(Clone)]
pub enum Answer {
    Document(Value),
    Fresh(Value, &'static str),
    Status(u16),
    Html,
    Bytes(usize),
    Redirect(String),
    Slow(Duration, Value),
    /// As soon as the semaphore has a permit.
    Held(Arc<Semaphore>, Value),
    Compressed(Value),
}

/// A server of documents on a local port, plain http.
#[derive(Clone)]
pub struct Issuer {
    pub uri: String,
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    fetches: Arc<Mutex<HashMap<String, usize>>>,
}

impl Issuer {
    /// Publishes these keys at `/jwks`.
    pub async fn publishing(kids: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = Self {
            uri: format!("http://{}", listener.local_addr().unwrap()),
            answers: Arc::default(),
            fetches: Arc::default(),
        };
        issuer.publish(kids);
        let app = Router::new()
            .route("/{*path}", get(serve))
            .with_state(issuer.clone());
        tokio::spawn(async { axum::serve(listener, app).await });
        issuer
    }

    pub fn publish(&self, kids: &[&str]) {
        self.answer("jwks", Answer::Document(jwks(kids)));
    }

    pub fn answer(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.into(), answer);
    }

    /// How often a document was fetched.
    pub fn fetches_of(&self, path: &str) -> usize {
        self.fetches.lock().unwrap().get(path).copied().unwrap_or(0)
    }

    /// A token of this issuer's for an hour.
    pub fn token(&self, kid: &str) -> String {
        self.token_of(kid, kid, "ada")
    }

    pub fn token_of(&self, kid: &str, signed_by: &str, subject: &str) -> String {
        // Issued long ago, so that it is good when a clock was set back too.
        let now = START_MS / 1000 - 50_000;
        let claims = json!({
            "iss": self.uri, "aud": "api", "sub": subject, "tenant_id": "acme",
            "scope": "read write", "iat": now, "exp": now + 150_000,
        });
        token_naming(kid, signed_by, &claims)
    }

    /// Has discovery name `/<path>` for its keys.
    pub fn name_keys(&self, path: &str) {
        let metadata = json!({ "issuer": self.uri, "jwks_uri": format!("{}/{path}", self.uri) });
        self.answer(METADATA, Answer::Document(metadata));
    }

    /// Its entry in a policy, with keys from `/jwks`.
    pub fn entry(&self, name: &str) -> Value {
        json!({
            "name": name, "issuer": self.uri, "audiences": ["api"], "algorithms": ["RS256"],
            "keys": { "jwks_uri": format!("{}/jwks", self.uri), "insecure_http": true },
            "claims": { "tenant": "/tenant_id" },
        })
    }
}

async fn serve(State(issuer): State<Issuer>, Path(path): Path<String>) -> Response<Body> {
    *issuer
        .fetches
        .lock()
        .unwrap()
        .entry(path.clone())
        .or_default() += 1;
    let answer = issuer.answers.lock().unwrap().get(&path).cloned();
    let json = |value: &Value| {
        Response::builder()
            .header(header::CONTENT_TYPE, "application/json")
            .body(value.to_string().into())
            .unwrap()
    };
    match answer.unwrap_or(Answer::Status(404)) {
        Answer::Document(value) => json(&value),
        Answer::Fresh(value, cache_control) => {
            let mut response = json(&value);
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, cache_control.parse().unwrap());
            response
        }
        Answer::Status(status) => Response::builder()
            .status(status)
            .body(Body::empty())
            .unwrap(),
        Answer::Html => Response::new("<html>sign in to the hotel's network</html>".into()),
        Answer::Bytes(many) => Response::new(vec![b' '; many].into()),
        Answer::Redirect(to) => Response::builder()
            .status(StatusCode::FOUND)
            .header(header::LOCATION, to)
            .body(Body::empty())
            .unwrap(),
        Answer::Slow(pause, value) => {
            time::sleep(pause).await;
            json(&value)
        }
        Answer::Held(until, value) => {
            let _permit = until.acquire().await.unwrap();
            json(&value)
        }
        Answer::Compressed(value) => {
            let mut response = json(&value);
            response
                .headers_mut()
                .insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
            response
        }
    }
}

/// A policy of these issuers: `/public` is public, everything else takes a
/// token.
pub fn policy(issuers: &[Value]) -> Value {
    json!({
        "contract": "1",
        "issuers": issuers,
        "credentials": [{ "header": "authorization", "scheme": "Bearer" }],
        "rules": [
            { "path": "/public", "public": true },
            { "path": "/**", "require": {} },
        ],
        "default": "deny",
        "realm": "test",
    })
}

/// A gate with several instances and a clock that only the test moves.
pub fn builder(clock: &Clock, policy: &Value) -> GateBuilder {
    Gate::builder()
        .policy(policy.to_string())
        .clock(clock.reader())
        .instances(3)
}

pub async fn gate(clock: &Clock, issuer: &Issuer) -> Gate {
    builder(clock, &policy(&[issuer.entry("platform")]))
        .build()
        .await
        .unwrap()
}

/// A gate in front of a service: tokens come in a header or a cookie, and go no
/// further.
pub async fn service_gate(issuer: &Issuer, rules: &Value, forward: &Value) -> Gate {
    let policy = json!({
        "contract": "1",
        "issuers": [issuer.entry("platform")],
        "credentials": [
            { "header": "authorization", "scheme": "Bearer" },
            { "cookie": "session", "same_origin": true },
        ],
        "rules": rules,
        "default": "deny",
        "forward": forward,
        "strip_credential": true,
        "realm": "test",
    });
    builder(&Clock::new(), &policy).build().await.unwrap()
}

/// The code of the denial, or `allow`.
pub async fn check(gate: &Gate, token: &str) -> String {
    code(&decision(gate, token).await)
}

pub async fn decision(gate: &Gate, token: &str) -> Decision {
    let request = axum::http::Request::get("/things")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(())
        .unwrap();
    gate.check(&request).await
}

pub fn code(decision: &Decision) -> String {
    decision
        .denial()
        .map_or_else(|| "allow".into(), |denial| denial.code.clone())
}

/// Until something holds, which the background has ten seconds for.
pub async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    for _ in 0..500 {
        if holds().await {
            return;
        }
        time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not within ten seconds: {what}");
}
