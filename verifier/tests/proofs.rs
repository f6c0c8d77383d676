//! Proofs of a key that are used once: what the gate asks its host, and when it
//! uses the answers. The vectors `dpop-good` and `nonce-asked` have the requests.

use countersign::{
    Code, Connection, Decision, Gate, Host, Need, Proof, Request, Verdict, Verification,
    policy_json,
};
use serde_json::Value;

const NOW: u64 = 1_767_225_600_000;
const GOOD: &str = include_str!("../../tests/conformance/vectors/dpop.json");
const SENDER: &str = include_str!("../../tests/conformance/vectors/sender.json");
const TIMED: &str = include_str!("../../tests/conformance/vectors/dpop-time.json");

/// The policy and the first request of a vector.
struct Shown {
    policy: Value,
    headers: Vec<(String, String)>,
}

fn vector(topic: &str, id: &str) -> Shown {
    let topic: Value = serde_json::from_str(topic).unwrap();
    let vectors = topic["vectors"].as_array().unwrap();
    let vector = vectors.iter().find(|vector| vector["id"] == id).unwrap();
    let request = &vector["steps"][0]["request"];
    assert_eq!(request["target"], "/");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let headers = request["headers"].as_array().unwrap();
    Shown {
        policy: vector["policy"].clone(),
        headers: headers.iter().map(|h| (text(&h[0]), text(&h[1]))).collect(),
    }
}

fn good() -> Shown {
    vector(GOOD, "dpop-good")
}

impl Shown {
    fn open(&self) -> Gate {
        let policy = self.policy.to_string();
        let secrets = [("old", &b"old-secret-old-secret-old-secret-"[..])];
        let host = Host {
            secrets: &secrets,
            ..Host::default()
        };
        Gate::open_json(&policy_json(policy.as_bytes()).unwrap(), host).unwrap()
    }

    fn with<T>(&self, target: &str, use_it: impl FnOnce(&Request<'_>) -> T) -> T {
        let headers: Vec<(&[u8], &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        use_it(&Request {
            method: b"GET",
            authority: b"api.example.com",
            target: target.as_bytes(),
            headers: &headers,
            connection: Connection::default(),
        })
    }

    fn check(&self, gate: &mut Gate, now: u64) -> Decision {
        self.with("/", |request| gate.check(request, now))
    }

    /// Checks, and returns the question.
    fn ask(&self, gate: &mut Gate, now: u64) -> Proof {
        match self.check(gate, now) {
            Decision::Wait(needs) => match <[Need; 1]>::try_from(needs).unwrap() {
                [Need::Proof(proof)] => proof,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
}

fn code(decision: Decision) -> Option<Code> {
    match decision {
        Decision::Allow(_) => None,
        Decision::Deny(denial) => Some(denial.code),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_host_is_asked_once_with_hashes_only() {
    let (shown, mut gate) = (good(), good().open());
    let asked = shown.ask(&mut gate, NOW);
    // `max_age_s` is 60, without leeway; at that moment the proof is still good.
    assert_eq!(asked.expires_ms, NOW + 60_001);
    assert_ne!(asked.id, asked.owner);
    gate.verified(asked.ticket, Verification::Valid);
    assert_eq!(code(shown.check(&mut gate, NOW)), None);
    // The answer is used up: the host is asked about the same entry again.
    let again = shown.ask(&mut gate, NOW);
    assert_ne!(again.ticket, asked.ticket);
    assert_eq!((again.id, again.owner), (asked.id, asked.owner));
    gate.verified(again.ticket, Verification::Invalid);
    assert_eq!(code(shown.check(&mut gate, NOW)), Some(Code::ProofReplayed));
}

#[test]
fn of_two_requests_at_once_one_passes() {
    let (shown, mut gate) = (good(), good().open());
    let first = shown.ask(&mut gate, NOW);
    let second = shown.ask(&mut gate, NOW);
    assert_ne!(first.ticket, second.ticket);
    gate.verified(second.ticket, Verification::Invalid);
    gate.verified(first.ticket, Verification::Valid);
    let codes = [(), ()].map(|()| code(shown.check(&mut gate, NOW)));
    assert_eq!(codes, [None, Some(Code::ProofReplayed)]);
    // No answer is left over.
    shown.ask(&mut gate, NOW);
}

#[test]
fn a_table_that_cannot_be_reached_is_a_503() {
    let (shown, mut gate) = (good(), good().open());
    let asked = shown.ask(&mut gate, NOW);
    gate.verified(asked.ticket, Verification::Failed);
    let Decision::Deny(denial) = shown.check(&mut gate, NOW) else {
        panic!("not denied");
    };
    assert_eq!(denial.code, Code::ProofsUnavailable);
    assert_eq!((denial.status(), denial.retry_after_s), (503, Some(1)));
    assert_eq!((denial.challenge, denial.nonce), (None, None));
}

#[test]
fn answers_end_after_ten_seconds_and_only_the_first_counts() {
    let (shown, mut gate) = (good(), good().open());
    let asked = shown.ask(&mut gate, NOW);
    gate.verified(asked.ticket, Verification::Invalid);
    gate.verified(asked.ticket, Verification::Valid);
    assert_eq!(code(shown.check(&mut gate, NOW)), Some(Code::ProofReplayed));
    let asked = shown.ask(&mut gate, NOW);
    gate.verified(asked.ticket, Verification::Valid);
    gate.verified(asked.ticket + 1, Verification::Valid);
    let later = shown.ask(&mut gate, NOW + 10_000);
    assert_ne!(later.ticket, asked.ticket);
    // Another gate's answer, or none, is not this one's.
    shown.ask(&mut gate, NOW + 10_000);
}

#[test]
fn questions_without_an_answer_are_bounded() {
    let (shown, mut gate) = (good(), good().open());
    for _ in 0..256 {
        shown.ask(&mut gate, NOW);
    }
    assert_eq!(
        code(shown.check(&mut gate, NOW)),
        Some(Code::ProofsUnavailable)
    );
    shown.ask(&mut gate, NOW + 10_000);
}

#[test]
fn an_explanation_asks_nothing_and_uses_nothing_up() {
    let (shown, mut gate) = (good(), good().open());
    let explain = |gate: &Gate, target: &str| {
        let steps = shown.with(target, |request| gate.explain(request, NOW));
        let last = steps.last().unwrap().clone();
        (last.check, last.verdict, steps)
    };
    let (check, verdict, steps) = explain(&gate, "/");
    assert_eq!((check, verdict), ("first_use", Verdict::Skip));
    assert!(
        steps
            .iter()
            .any(|s| s.check == "proof" && s.verdict == Verdict::Pass)
    );
    let asked = shown.ask(&mut gate, NOW);
    gate.verified(asked.ticket, Verification::Valid);
    explain(&gate, "/");
    assert_eq!(code(shown.check(&mut gate, NOW)), None);
    let (check, verdict, steps) = explain(&gate, "/elsewhere");
    assert_eq!(
        (check, verdict),
        ("proof", Verdict::Fail(Code::ProofInvalid))
    );
    assert_eq!(
        steps.last().unwrap().detail,
        "the proof is not good: its `htu` is not the address of the request"
    );
    // A token, a proof or a key stands in no step.
    for (_, value) in &shown.headers {
        for part in value.split(['.', ' ']).filter(|part| part.len() > 20) {
            assert!(steps.iter().all(|step| !step.detail.contains(part)));
        }
    }
}

#[test]
fn an_answer_for_one_request_is_none_for_another() {
    let (shown, mut gate) = (good(), good().open());
    let asked = shown.ask(&mut gate, NOW);
    gate.verified(asked.ticket, Verification::Valid);
    let elsewhere = shown.with("/elsewhere", |request| gate.check(request, NOW));
    assert_eq!(code(elsewhere), Some(Code::ProofInvalid));
    assert_eq!(code(shown.check(&mut gate, NOW)), None);
}

#[test]
fn a_nonce_is_the_same_for_all_replicas_and_in_no_debug() {
    let shown = vector(TIMED, "nonce-asked");
    let nonces = [shown.open(), shown.open()].map(|mut gate| {
        let Decision::Deny(denial) = shown.check(&mut gate, NOW) else {
            panic!("not denied");
        };
        assert_eq!(denial.code, Code::NonceRequired);
        assert!(!format!("{gate:?}").contains("old-secret"));
        denial.nonce.unwrap()
    });
    assert_eq!(nonces[0], nonces[1]);
}

#[test]
fn the_gate_reads_the_headers_of_proofs_only_where_a_policy_has_them() {
    let mut shown = good();
    assert!(shown.open().reads().contains(&"dpop"));
    shown.policy["credentials"] =
        serde_json::json!([{ "header": "authorization", "scheme": "Bearer" }]);
    assert!(!shown.open().reads().contains(&"dpop"));
    shown.policy["client_certificate"] = serde_json::json!({
        "header": "X-Client-Cert", "format": "pem", "trusted_proxies": ["10.0.0.0/8"],
    });
    let gate = shown.open();
    assert!(gate.reads().contains(&"x-client-cert"));
    // A preflight is from a peer that nobody knows.
    let anonymous = gate.anonymous();
    assert!(
        anonymous
            .remove_headers
            .iter()
            .any(|name| **name == *"x-client-cert")
    );
}

#[test]
fn a_gate_says_whether_a_certificate_was_looked_for_in_vain() {
    let shown = vector(SENDER, "rule-proof-mtls");
    let mut gate = shown.open();
    assert!(!gate.lacks_certificate());
    assert_eq!(code(shown.check(&mut gate, NOW)), Some(Code::ProofMissing));
    assert!(gate.lacks_certificate());

    // Another certificate is one.
    let connection = Connection {
        certificate: &[7; 32],
        ..Connection::default()
    };
    let decision = shown.with("/", |request| {
        let request = Request {
            connection,
            ..*request
        };
        gate.check(&request, NOW)
    });
    assert_eq!(code(decision), Some(Code::ProofInvalid));
    assert!(!gate.lacks_certificate());

    let (unbound, mut gate) = (good(), good().open());
    unbound.check(&mut gate, NOW);
    assert!(!gate.lacks_certificate());
}
