//! API keys, opaque tokens, and tokens that are bound to their sender, in a gate
//! with several instances.

mod support;

use std::{
    net::{IpAddr, Ipv4Addr},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use axum::{Router, routing::get};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use countersign_host::{
    Comparison, Connection, Decision, Fetch, FetchError, Fetcher, Fetching, FirstUse, Gate,
    GateBuilder, GateLayer, Outgoing, Proof, ProofStore, Requirement, Response,
};
use http::Request;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time};
use tower::ServiceExt;

use support::{A, START_MS, jwks, token_naming};

const URL: &str = "https://api.example.com/notes";

fn policy(change: impl FnOnce(&mut Value)) -> String {
    let mut policy = json!({
        "contract": "1",
        "issuers": [{
            "name": "platform",
            "issuer": "https://auth.example.com",
            "audiences": ["platform"],
            "algorithms": ["RS256"],
            "keys": { "jwks": jwks(&[A]) },
        }],
        "credentials": [
            { "header": "authorization", "scheme": "Bearer" },
            { "header": "authorization", "scheme": "DPoP" },
        ],
        "dpop": {},
        "rules": [{ "path": "/**", "require": {} }],
    });
    change(&mut policy);
    policy.to_string()
}

fn builder(change: impl FnOnce(&mut Value)) -> GateBuilder {
    Gate::builder()
        .policy(policy(change))
        .clock(|| START_MS)
        .instances(4)
}

fn token(cnf: Value) -> String {
    let claims = json!({
        "iss": "https://auth.example.com",
        "aud": "platform",
        "exp": START_MS / 1000 + 600,
        "sub": "ada",
        "cnf": cnf,
    });
    token_naming(A, A, &claims)
}

fn sha256(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, bytes))
}

/// The key of a client.
struct Client {
    key: EcdsaKeyPair,
    jwk: String,
}

impl Client {
    fn new() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let (x, y) = key.public_key().as_ref()[1..].split_at(32);
        let [x, y] = [x, y].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
        let jwk = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        Self { key, jwk }
    }

    fn token(&self) -> String {
        token(json!({ "jkt": sha256(self.jwk.as_bytes()) }))
    }

    fn proof(&self, token: &str, jti: &str, nonce: Option<&str>) -> String {
        let header = format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{}}}"#, self.jwk);
        let mut claims = json!({
            "jti": jti,
            "htm": "GET",
            "htu": URL,
            "iat": START_MS / 1000,
            "ath": sha256(token.as_bytes()),
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        let encode = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", encode(&header), encode(&claims.to_string()));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature.unwrap());
        format!("{signed}.{signature}")
    }
}

fn request(headers: &[(&str, String)]) -> Request<()> {
    let mut request = Request::get(URL);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.body(()).unwrap()
}

fn with_proof(client: &Client, jti: &str) -> Request<()> {
    let token = client.token();
    let proof = client.proof(&token, jti, None);
    request(&[("authorization", format!("DPoP {token}")), ("dpop", proof)])
}

async fn code(gate: &Gate, request: &Request<()>) -> String {
    match gate.check(request).await {
        Decision::Allow(_) => "allow".to_owned(),
        Decision::Deny(denial) => denial.code,
        Decision::Answer(_) => "answer".to_owned(),
    }
}

/// The codes of as many checks of one request at once.
async fn codes(gate: &Gate, request: &Request<()>, count: usize) -> Vec<String> {
    let mut checks = JoinSet::new();
    for _ in 0..count {
        let (gate, request) = (gate.clone(), request.clone());
        checks.spawn(async move { code(&gate, &request).await });
    }
    let mut codes = checks.join_all().await;
    codes.sort();
    codes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_requests_with_one_proof_exactly_one_passes() {
    let gate = builder(|_| {}).build().await.unwrap();
    let client = Client::new();
    for round in 0..5 {
        let request = with_proof(&client, &format!("once-{round}"));
        let mut expected = vec!["proof_replayed"; 20];
        expected[0] = "allow";
        assert_eq!(codes(&gate, &request, 20).await, expected);
        // The table is that of the process.
        let other = builder(|_| {}).build().await.unwrap();
        assert_eq!(code(&other, &request).await, "proof_replayed");
    }
}

/// A store that takes its time.
struct Store {
    answer: FirstUse,
    calls: Arc<AtomicU32>,
}

impl ProofStore for Store {
    fn first_use<'a>(
        &'a self,
        proof: &'a Proof,
    ) -> Pin<Box<dyn Future<Output = FirstUse> + Send + 'a>> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::Relaxed);
            assert!(proof.expires_ms > START_MS && proof.id != proof.owner);
            time::sleep(Duration::from_millis(20)).await;
            self.answer
        })
    }
}

#[tokio::test]
async fn a_candidate_learns_what_the_policy_in_force_was_told_of_a_proof_and_enters_nothing() {
    for with_store in [false, true] {
        let calls = Arc::<AtomicU32>::default();
        let mut gate = builder(|_| {}).shadow(policy(|_| {}));
        if with_store {
            let answer = FirstUse::Yes;
            let calls = calls.clone();
            gate = gate.proofs(Store { answer, calls });
        }
        let gate = gate.build().await.unwrap();
        let request = with_proof(&Client::new(), "compared");
        assert_eq!(code(&gate, &request).await, "allow");
        let again = code(&gate, &request).await;
        if !with_store {
            assert_eq!(again, "proof_replayed");
        }
        let shadow = gate.status().await.unwrap().shadow.unwrap();
        for count in &shadow.counts {
            assert_eq!(count.comparison, Comparison::Agree, "{count:?}");
        }
        let compared: u64 = shadow.counts.iter().map(|count| count.count).sum();
        assert_eq!(
            (compared, calls.load(Ordering::Relaxed)),
            (2, 2 * u32::from(with_store))
        );
    }
}

#[tokio::test]
async fn what_is_only_observed_uses_up_no_proof() {
    for with_store in [false, true] {
        let calls = Arc::<AtomicU32>::default();
        let mut gate = builder(|_| {});
        if with_store {
            let (answer, calls) = (FirstUse::No, calls.clone());
            gate = gate.proofs(Store { answer, calls });
        }
        let gate = gate.build().await.unwrap();
        let request = with_proof(&Client::new(), "observed");
        for _ in 0..2 {
            assert_eq!(code(&gate.observer(), &request).await, "allow");
            gate.explain(&request).await.unwrap();
        }
        assert_eq!(calls.load(Ordering::Relaxed), 0);
        // For a gate that enforces it is unused.
        let expected = match with_store {
            true => "proof_replayed",
            false => "allow",
        };
        assert_eq!(code(&gate, &request).await, expected);
    }
}

#[tokio::test]
async fn a_store_is_asked_once_for_each_request_that_may_pass() {
    for (answer, expected) in [
        (FirstUse::Yes, "allow"),
        (FirstUse::No, "proof_replayed"),
        (FirstUse::Unknown, "proofs_unavailable"),
    ] {
        let calls = Arc::<AtomicU32>::default();
        let store = Store {
            answer,
            calls: calls.clone(),
        };
        let change = |policy: &mut Value| {
            policy["rules"][0] = json!({ "path": "/notes", "require": { "proof": "dpop" } });
        };
        let gate = builder(change).proofs(store).build().await.unwrap();
        let client = Client::new();
        assert_eq!(code(&gate, &with_proof(&client, "store")).await, expected);
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        // A request that is denied otherwise, and an explanation, use nothing up.
        let mut elsewhere = with_proof(&client, "elsewhere");
        *elsewhere.uri_mut() = "https://api.example.com/other".parse().unwrap();
        assert_eq!(code(&gate, &elsewhere).await, "rule_denied");
        gate.explain(&with_proof(&client, "explained"))
            .await
            .unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn a_certificate_counts_only_from_the_connection() {
    let gate = builder(|_| {}).build().await.unwrap();
    let certificate = b"a certificate in DER";
    let bound = token(json!({ "x5t#S256": sha256(certificate) }));
    let mut request = request(&[
        ("authorization", format!("Bearer {bound}")),
        (
            "x-forwarded-client-cert",
            format!("Hash={}", "ab".repeat(32)),
        ),
    ]);
    assert_eq!(code(&gate, &request).await, "proof_missing");
    for (der, expected) in [(&certificate[..], "allow"), (b"another", "proof_invalid")] {
        let connection = Connection {
            peer: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            ..Connection::default()
        };
        request
            .extensions_mut()
            .insert(connection.with_certificate(der));
        assert_eq!(code(&gate, &request).await, expected);
    }
    // A further check in a handler.
    let none = Requirement::NONE;
    let denied = gate.check_token(&bound, &none).await;
    assert_eq!(denied.denial().unwrap().code, "proof_missing");
    assert!(
        gate.check_proven_token(&bound, &none)
            .await
            .grant()
            .is_some()
    );
}

#[tokio::test]
async fn a_nonce_comes_with_the_denial_and_then_passes() {
    let change = |policy: &mut Value| policy["dpop"] = json!({ "nonce": { "secret_from": "n" } });
    let gate = builder(change).secret("n", [7; 32]).build().await.unwrap();
    let app = Router::new()
        .route("/notes", get(|| async { "notes" }))
        .layer(GateLayer::new(gate));
    let client = Client::new();
    let token = client.token();
    let send = async |jti: &str, nonce: Option<&str>| {
        let request = request(&[
            ("authorization", format!("DPoP {token}")),
            ("dpop", client.proof(&token, jti, nonce)),
        ]);
        let request = request.map(|()| axum::body::Body::empty());
        app.clone().oneshot(request).await.unwrap()
    };
    let denied = send("first", None).await;
    assert_eq!(denied.status(), 401);
    assert_eq!(denied.headers()["cache-control"], "no-store");
    let challenge = denied.headers()["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains("error=\"use_dpop_nonce\""),
        "{challenge}"
    );
    let nonce = denied.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    let passed = send("second", Some(&nonce)).await;
    assert_eq!(passed.status(), 200);
    assert!(!passed.headers().contains_key("dpop-nonce"));
    assert_eq!(send("third", Some("old")).await.status(), 401);
}

/// A server that answers after a while, and what was sent to it.
struct Server {
    answer: Option<Value>,
    document: Option<Value>,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn respond(&self, what: String, body: &Option<Value>) -> Fetching<'_> {
        self.sent.lock().unwrap().push(what);
        let response = body.as_ref().map(|body| Response {
            status: 200,
            cache_control: String::new(),
            body: body.to_string().into_bytes(),
        });
        Box::pin(async move {
            time::sleep(Duration::from_millis(100)).await;
            response.ok_or_else(|| FetchError::new("down"))
        })
    }
}

impl Fetcher for Server {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Fetching<'a> {
        let what = format!("{} {:?}", fetch.kind.as_str(), fetch.headers);
        assert!(!format!("{fetch:?}").contains("secret"));
        self.respond(what, &self.document)
    }

    fn send<'a>(&'a self, request: &'a Outgoing) -> Fetching<'a> {
        let what = String::from_utf8(request.body.clone()).unwrap();
        self.respond(what, &self.answer)
    }
}

fn opaque(policy: &mut Value) {
    policy["issuers"] = json!([{
        "name": "legacy",
        "audiences": ["api"],
        "introspection": {
            "uri": "https://legacy.example.com/introspect",
            "client": { "id": "gate", "secret_from": "client" },
            "prefix": ["opq_"],
        },
    }]);
    policy.as_object_mut().unwrap().remove("dpop");
    policy["credentials"] = json!([{ "header": "authorization", "scheme": "Bearer" }]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_opaque_token_is_asked_about_once_for_all_instances() {
    let sent = Arc::<Mutex<Vec<String>>>::default();
    let exp = START_MS / 1000 + 60;
    let server = Server {
        answer: Some(json!({ "active": true, "sub": "ada", "aud": "api", "exp": exp })),
        document: None,
        sent: sent.clone(),
    };
    let gate = builder(opaque).secret("client", "s").fetcher(server);
    let gate = gate.build().await.unwrap();
    let request = request(&[("authorization", "Bearer opq_1".to_owned())]);
    assert_eq!(codes(&gate, &request, 20).await, ["allow"; 20]);
    assert_eq!(
        *sent.lock().unwrap(),
        ["token=opq_1&token_type_hint=access_token"]
    );
}

#[tokio::test]
async fn a_server_that_is_down_is_told_from_one_that_says_no() {
    for (answer, expected) in [
        (None, "introspection_unavailable"),
        (
            Some(json!({ "active": "true" })),
            "introspection_unavailable",
        ),
        (Some(json!({ "active": false })), "token_inactive"),
    ] {
        let server = Server {
            answer,
            document: None,
            sent: Arc::default(),
        };
        let gate = builder(opaque).secret("client", "s").fetcher(server);
        let gate = gate.build().await.unwrap();
        let request = request(&[("authorization", "Bearer opq_1".to_owned())]);
        assert_eq!(code(&gate, &request).await, expected);
    }
}

#[tokio::test]
async fn api_keys_are_fetched_with_a_secret() {
    let pepper = b"a pepper of 16 bytes or more";
    let key = "sk_1_a-key-of-an-existing-system";
    let hash = sha256(&[pepper, &b":"[..], key.as_bytes()].concat());
    let sent = Arc::<Mutex<Vec<String>>>::default();
    let server = Server {
        answer: None,
        document: Some(json!({ "keys": [
            { "id": "k1", "hash": hash, "form": "sha256", "subject": "robot", "scopes": ["a"] },
        ] })),
        sent: sent.clone(),
    };
    let change = |policy: &mut Value| {
        opaque(policy);
        policy["issuers"] = json!([{
            "name": "keys",
            "api_keys": {
                "uri": "https://keys.example.com/keys.json",
                "headers": { "authorization": { "secret_from": "fetch" } },
                "prefix": ["sk_1_"],
                "pepper": [{ "version": "1", "secret_from": "pepper" }],
                "forms": ["sha256"],
                "checksum": false,
            },
        }]);
    };
    let gate = builder(change)
        .secret("fetch", "Bearer secret")
        .secret("other", "Bearer other")
        .secret("pepper", *pepper)
        .fetcher(server);
    let gate = gate.build().await.unwrap();
    for (key, expected) in [(key, "allow"), ("sk_1_unknown", "api_key_invalid")] {
        let request = request(&[("authorization", format!("Bearer {key}"))]);
        assert_eq!(code(&gate, &request).await, expected);
    }
    let expected = r#"api_keys [("authorization", "Bearer secret")]"#;
    assert_eq!(*sent.lock().unwrap(), [expected]);
    // A reload takes the document over, but not with other headers: then it can belong
    // to another customer of the server.
    gate.reload(policy(change)).await.unwrap();
    assert_eq!(sent.lock().unwrap().len(), 1);
    let other = policy(|policy| {
        change(policy);
        policy["issuers"][0]["api_keys"]["headers"] =
            json!({ "authorization": { "secret_from": "other" } });
    });
    gate.reload(other).await.unwrap();
    let expected = [expected, r#"api_keys [("authorization", "Bearer other")]"#];
    assert_eq!(*sent.lock().unwrap(), expected);
}
