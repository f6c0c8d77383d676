//! Cryptography of the host that refuses, fails, panics and is slow.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{builder, check, is_internal_error};
use crate::{
    bindings::exports::countersign::gate::gate as wit,
    decision::Decision,
    gate::{Gate, GateBuilder},
    problem::{OpenError, Severity},
    report::Verdict,
    requirement::Requirement,
    signatures::{Cryptography, Prepared, Provider},
};

type Verify = dyn Fn(&[u8]) -> wit::Verification + Send + Sync;

/// Verifies as it is told: the signature is no more than a text.
#[derive(Clone)]
struct Fake {
    verify: Arc<Verify>,
    fips: bool,
    /// The calls that are told that the key is refused.
    refusals: Arc<AtomicUsize>,
    prepared: Arc<AtomicUsize>,
    verified: Arc<AtomicUsize>,
}

impl Fake {
    fn new(verify: impl Fn(&[u8]) -> wit::Verification + Send + Sync + 'static) -> Self {
        Self {
            verify: Arc::new(verify),
            fips: false,
            refusals: Arc::default(),
            prepared: Arc::default(),
            verified: Arc::default(),
        }
    }

    fn calls(&self) -> (usize, usize) {
        let count = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        (count(&self.prepared), count(&self.verified))
    }
}

impl Provider for Fake {
    fn cryptography(&self) -> Cryptography {
        Cryptography {
            name: "fake",
            version: "1".into(),
            fips: self.fips,
        }
    }

    fn algorithms(&self) -> &[&'static str] {
        &["HS256"]
    }

    fn prepare(&self, algorithm: &str, key: &wit::HostKey) -> Option<Box<dyn Prepared>> {
        assert_eq!(algorithm, "HS256");
        assert!(matches!(key, wit::HostKey::Secret(_)));
        self.prepared.fetch_add(1, Ordering::Relaxed);
        let left = |left: usize| left.checked_sub(1);
        let refused = self
            .refusals
            .try_update(Ordering::Relaxed, Ordering::Relaxed, left);
        refused.is_err().then(|| Box::new(self.clone()) as _)
    }
}

impl Prepared for Fake {
    fn verify(&self, _: &[u8], signature: &[u8]) -> wit::Verification {
        self.verified.fetch_add(1, Ordering::Relaxed);
        (self.verify)(signature)
    }
}

/// Good signatures begin with `good`.
fn honest(signature: &[u8]) -> wit::Verification {
    match signature.starts_with(b"good") {
        true => wit::Verification::Valid,
        false => wit::Verification::Invalid,
    }
}

fn policy() -> Value {
    json!({
        "contract": "1",
        "issuers": [{
            "name": "platform", "issuer": "https://auth.example.com", "audiences": "any",
            "algorithms": ["HS256"],
            "keys": { "secrets": [{ "kid": "one", "k": BASE64_URL_SAFE_NO_PAD.encode([7; 64]) }] },
        }],
        "credentials": [{ "header": "authorization", "scheme": "Bearer" }],
        "rules": [
            { "path": "/admin", "require": { "scopes": { "all": ["admin"] } } },
            { "path": "/**", "require": {} },
        ],
        "default": "deny",
    })
}

fn native(provider: &Fake, policy: &Value) -> GateBuilder {
    Gate::builder()
        .policy(policy.to_string())
        .provider(Arc::new(provider.clone()))
        .clock(|| 1_790_000_000_000)
        .instances(1)
}

fn token(subject: &str, signature: &str) -> String {
    let claims = json!({
        "iss": "https://auth.example.com", "sub": subject, "iat": 1_790_000_000, "exp": 1_790_000_600,
    });
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let header = json!({ "alg": "HS256", "kid": "one" }).to_string();
    let (header, claims) = (
        encode(header.as_bytes()),
        encode(claims.to_string().as_bytes()),
    );
    format!(
        "{header}.{claims}.{}",
        encode(format!("{signature:.<32}").as_bytes())
    )
}

async fn code(gate: &Gate, token: &str) -> String {
    let decision = gate.check_token(token, &Requirement::NONE).await;
    let denial = decision.denial();
    denial.map_or("allow".into(), |denial| denial.code.clone())
}

#[tokio::test]
async fn a_key_is_prepared_once_and_a_remembered_token_is_not_verified_again() {
    let provider = Fake::new(honest);
    let gate = native(&provider, &policy()).build().await.unwrap();
    for subject in ["ada", "bob", "ada", "bob"] {
        assert_eq!(code(&gate, &token(subject, "good")).await, "allow");
    }
    assert_eq!(provider.calls(), (1, 2));
    assert_eq!(gate.cryptography().to_string(), "fake 1");
}

#[tokio::test]
async fn a_signature_that_is_not_valid_is_denied_and_asked_about_again() {
    let provider = Fake::new(honest);
    let gate = native(&provider, &policy()).build().await.unwrap();
    for _ in 0..3 {
        let code = code(&gate, &token("ada", "bad")).await;
        assert_eq!(code, "signature_invalid");
    }
    assert_eq!(provider.calls(), (1, 3));
    // The gate sees itself that this is none.
    let short = &token("ada", "good")[..];
    let short = &short[..short.len() - 4];
    assert_eq!(code(&gate, short).await, "signature_invalid");
    assert_eq!(provider.calls(), (1, 3));
}

#[tokio::test]
async fn cryptography_that_fails_denies_and_the_module_does_not_verify_instead() {
    let fails = Arc::new(Mutex::new(true));
    let provider = Fake::new({
        let fails = fails.clone();
        move |signature| match *fails.lock().unwrap_or_else(PoisonError::into_inner) {
            true => wit::Verification::Failed,
            false => honest(signature),
        }
    });
    let gate = native(&provider, &policy()).build().await.unwrap();
    for _ in 0..2 {
        let decision = gate
            .check_token(token("ada", "good"), &Requirement::NONE)
            .await;
        assert!(is_denied_as_internal_error(&decision));
    }
    *fails.lock().unwrap() = false;
    assert_eq!(code(&gate, &token("ada", "good")).await, "allow");
}

fn is_denied_as_internal_error(decision: &Decision) -> bool {
    let denial = decision.denial();
    denial.is_some_and(|denial| (denial.status, &*denial.code) == (503, "internal_error"))
}

#[tokio::test]
async fn cryptography_that_panics_has_failed_and_leaves_the_instance_as_it_was() {
    let provider = Fake::new(|signature| {
        assert!(signature.starts_with(b"good"), "a fault");
        wit::Verification::Valid
    });
    let gate = native(&provider, &policy()).build().await.unwrap();
    for _ in 0..3 {
        assert_eq!(code(&gate, &token("ada", "bad")).await, "internal_error");
        assert_eq!(code(&gate, &token("ada", "good")).await, "allow");
    }
    // One instance has made all of this: no other one prepared the key again.
    assert_eq!(provider.calls().0, 1);
}

#[tokio::test]
async fn a_refused_key_denies_and_is_offered_again() {
    let provider = Fake::new(honest);
    provider.refusals.store(2, Ordering::Relaxed);
    let gate = native(&provider, &policy()).build().await.unwrap();
    for expected in ["internal_error", "internal_error", "allow", "allow"] {
        assert_eq!(code(&gate, &token("ada", "good")).await, expected);
    }
    assert_eq!(provider.calls(), (3, 1));
}

#[tokio::test]
async fn a_gate_that_asks_without_end_is_answered_a_few_times_only() {
    let provider = Fake::new(|_| wit::Verification::Valid);
    let gate = builder().provider(Arc::new(provider.clone()));
    let gate = gate.build().await.unwrap();
    assert!(check(&gate, "/s").await.grant().is_some());
    assert!(is_internal_error(&check(&gate, "/l").await));
    assert_eq!(provider.calls().0, 1);
    assert!((2..=10).contains(&provider.calls().1));
    assert!(is_internal_error(&check(&gate, "/z").await), "it traps");
    assert!(check(&gate, "/s").await.grant().is_some());
}

#[tokio::test]
async fn a_gate_that_asks_a_host_without_cryptography_denies() {
    let gate = builder().build().await.unwrap();
    assert!(is_internal_error(&check(&gate, "/s").await));
}

#[tokio::test]
async fn a_policy_that_demands_native_opens_with_nothing_else() {
    let mut demanding = policy();
    demanding["signatures"] = json!("native");
    let refused = Gate::builder().policy(demanding.to_string()).build().await;
    let refused = refused.unwrap_err();
    // The secrets that stand in the policy are warned of.
    let place = |refused: &OpenError| {
        let mut problems = refused.problems().iter();
        let error = problems.find(|problem| problem.severity == Severity::Error);
        error.map(|error| (error.code.clone(), error.pointer.clone()))
    };
    let unavailable = |pointer: &str| Some(("signatures_unavailable".into(), pointer.into()));
    assert_eq!(place(&refused), unavailable("/signatures"));

    let mut provider = Fake::new(honest);
    let gate = native(&provider, &demanding).build().await.unwrap();
    assert_eq!(code(&gate, &token("ada", "good")).await, "allow");

    demanding["fips"] = json!(true);
    let refused = native(&provider, &demanding).build().await.unwrap_err();
    assert_eq!(place(&refused), unavailable("/fips"));
    // A reload cannot do it either, and the old policy stays.
    assert!(gate.reload(demanding.to_string()).await.is_err());
    assert_eq!(code(&gate, &token("bob", "good")).await, "allow");

    provider.fips = true;
    let gate = native(&provider, &demanding).build().await.unwrap();
    assert_eq!(code(&gate, &token("ada", "good")).await, "allow");
    assert_eq!(gate.cryptography().to_string(), "fake 1 (FIPS 140-3)");

    // One that the host does not verify.
    demanding["issuers"][0]["algorithms"] = json!(["HS256", "HS512"]);
    let refused = native(&provider, &demanding).build().await.unwrap_err();
    let mut problems = refused.problems().iter();
    assert!(
        problems.any(|problem| problem.code == "signatures_unavailable"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_reload_between_question_and_answer_takes_the_answer_along() {
    let (asked, is_asked) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let goes_on = Mutex::new(goes_on);
    let provider = Fake::new(move |signature| {
        asked.send(()).unwrap();
        goes_on.lock().unwrap().recv().unwrap();
        honest(signature)
    });
    let gate = native(&provider, &policy()).build().await.unwrap();
    let first = tokio::spawn({
        let gate = gate.clone();
        async move { code(&gate, &token("ada", "good")).await }
    });
    tokio::task::block_in_place(|| is_asked.recv()).unwrap();

    // The same policy with another key under the same name.
    let mut changed = policy();
    let key = BASE64_URL_SAFE_NO_PAD.encode([8; 64]);
    changed["issuers"][0]["keys"]["secrets"][0]["k"] = json!(key);
    gate.reload(changed.to_string()).await.unwrap();
    // It began under the old policy, and ends under it.
    go_on.send(()).unwrap();
    assert_eq!(first.await.unwrap(), "allow");
    // The new one has not seen that answer: it hands over its own key and asks.
    go_on.send(()).unwrap();
    assert_eq!(code(&gate, &token("ada", "good")).await, "allow");
    assert_eq!(provider.calls(), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn answers_of_many_checks_at_once_are_those_of_their_own_tokens() {
    let provider = Fake::new(|signature| {
        std::thread::sleep(Duration::from_micros(50));
        honest(signature)
    });
    let gate = native(&provider, &policy()).instances(3).build().await;
    let gate = gate.unwrap();
    let checks = (0..200).map(|number| {
        let (gate, is_good) = (gate.clone(), number % 3 == 0);
        tokio::spawn(async move {
            let signature = if is_good { "good" } else { "bad" };
            let token = token(&format!("subject-{}", number / 3), signature);
            (is_good, code(&gate, &token).await)
        })
    });
    for check in checks.collect::<Vec<_>>() {
        let (is_good, code) = check.await.unwrap();
        assert_eq!(
            code,
            if is_good {
                "allow"
            } else {
                "signature_invalid"
            }
        );
    }
}

#[tokio::test]
async fn an_explanation_knows_what_was_verified() {
    let provider = Fake::new(honest);
    let gate = native(&provider, &policy()).build().await.unwrap();
    for (target, signature, expected) in [
        ("/", "good", None),
        ("/admin", "good", Some("scope_insufficient")),
        ("/", "bad", Some("signature_invalid")),
    ] {
        let request = http::Request::get(target)
            .header(
                "authorization",
                format!("Bearer {}", token(target, signature)),
            )
            .body(())
            .unwrap();
        let steps = gate.explain(&request).await.unwrap();
        assert!(
            steps.iter().all(|step| step.verdict != Verdict::Wait),
            "{steps:?}"
        );
        assert_eq!(steps.last().unwrap().code.as_deref(), expected, "{steps:?}");
    }
}
