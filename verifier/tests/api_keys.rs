//! Documents of API keys: large ones, what is printed, and what an explanation
//! says.
#![allow(missing_docs)]

use std::{borrow::Cow, fmt::Write};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use countersign::{
    Code, Connection, Decision, Gate, Host, Need, Outcome, Request, Step, Supplied, Verdict,
    policy_json,
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

const NOW_MS: u64 = 1_700_000_000_000;
/// The numbers of the sources.
const REVOCATIONS: u32 = 0;
const KEYS: u32 = 1;
const URI: &str = "https://keys.test/api-keys.json";
const PEPPER: &[u8] = b"a pepper of these tests";
const SECRETS: [(&str, &[u8]); 2] = [("pepper", PEPPER), ("bearer", b"Bearer of-the-fetch")];

fn open(api_keys: Value) -> Gate {
    let mut settings = json!({
        "uri": URI, "prefix": ["sk_"], "pepper": [{ "version": "1", "secret_from": "pepper" }],
        "checksum": false, "headers": { "authorization": { "secret_from": "bearer" } },
    });
    for (name, value) in api_keys.as_object().unwrap() {
        settings[name] = value.clone();
    }
    let policy = json!({
        "contract": "1",
        "issuers": [{
            "name": "keys", "api_keys": settings,
            "revocations": { "uri": "https://keys.test/revoked.json" },
        }],
        "rules": [{ "path": "/**", "require": {} }],
    });
    let text = policy.to_string();
    let host = Host {
        secrets: &SECRETS,
        ..Host::default()
    };
    Gate::open_json(&policy_json(text.as_bytes()).unwrap(), host).unwrap()
}

fn key(number: usize) -> String {
    format!("sk_id{number}_secret{number}")
}

fn hash(key: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(PEPPER).unwrap();
    mac.update(key.as_bytes());
    B64.encode(mac.finalize().into_bytes())
}

fn document(count: usize) -> String {
    let mut text = String::from("{\"keys\":[");
    for number in 0..count {
        let comma = if number > 0 { "," } else { "" };
        let hash = hash(&key(number));
        write!(
            text,
            "{comma}\n{{\"id\":\"id{number}\",\"hash\":\"{hash}\",\"subject\":\"robot-{number}\",\"tenant\":\"acme\"}}"
        )
        .unwrap();
    }
    text + "]}"
}

#[test]
fn a_gate_lists_its_documents_as_they_are_fetched_and_starts_no_fetch() {
    let mut gate = open(json!({}));
    let listed = gate.documents();
    let uris: Vec<&str> = listed.iter().map(|fetch| &*fetch.uri).collect();
    assert_eq!(uris, ["https://keys.test/revoked.json", URI]);
    assert!(listed[0].headers.is_empty());
    let header = (Box::from("authorization"), Box::from("Bearer of-the-fetch"));
    assert_eq!(*listed[1].headers, [header]);
    assert_eq!(gate.due(NOW_MS), listed);
    assert!(gate.asks().is_empty());
}

/// Supplies a document in parts of one MiB. Returns the result and the number of
/// calls.
fn supply(gate: &mut Gate, text: &str) -> (Supplied, usize) {
    let parts: Vec<&[u8]> = text.as_bytes().chunks(1 << 20).collect();
    let outcome = Outcome::Response {
        status: 200,
        cache_control: "",
        length: text.len(),
        body: Cow::Borrowed(parts[0]),
    };
    let mut supplied = gate.supply(KEYS, URI, outcome, NOW_MS);
    let mut rest = parts[1..].iter();
    let mut calls = 1;
    while supplied == Supplied::Unfinished {
        supplied = gate.resume(KEYS, rest.next().unwrap_or(&&[][..]), NOW_MS);
        calls += 1;
    }
    (supplied, calls)
}

fn request<'r>(headers: &'r [(&'r [u8], &'r [u8])]) -> Request<'r> {
    Request {
        method: b"GET",
        authority: b"a.test",
        target: b"/",
        headers,
        connection: Connection::default(),
    }
}

fn check(gate: &mut Gate, key: &str) -> Decision {
    let value = format!("Bearer {key}");
    gate.check(&request(&[(b"authorization", value.as_bytes())]), NOW_MS)
}

fn code(decision: &Decision) -> Option<Code> {
    match decision {
        Decision::Deny(denial) => Some(denial.code),
        _ => None,
    }
}

#[test]
fn a_hundred_thousand_keys_are_read_in_slices_and_each_is_found() {
    let mut gate = open(json!({}));
    let text = document(100_000);
    let (supplied, calls) = supply(&mut gate, &text);
    assert_eq!(
        supplied,
        Supplied::Accepted {
            used: 100_000,
            skipped: vec![]
        }
    );
    // No slice reads more than 128 KiB, and tables that grow end one earlier.
    assert!(calls > text.len() / (128 * 1024), "{calls}");
    for number in (0..100_000).step_by(991) {
        let Decision::Allow(grant) = check(&mut gate, &key(number)) else {
            panic!("{number}")
        };
        let principal = grant.principal.unwrap();
        assert_eq!(
            principal.subject.as_deref(),
            Some(&*format!("robot-{number}"))
        );
        let wrong = format!("sk_id{number}_secret{}", number + 1);
        assert_eq!(code(&check(&mut gate, &wrong)), Some(Code::ApiKeyInvalid));
    }
    assert_eq!(
        code(&check(&mut gate, &key(100_000))),
        Some(Code::ApiKeyInvalid)
    );
}

#[test]
fn of_many_skipped_keys_a_hundred_are_reported() {
    let mut gate = open(json!({}));
    let entries = vec![json!({ "id": "" }); 1_000];
    let (supplied, _) = supply(&mut gate, &json!({ "keys": entries }).to_string());
    let Supplied::Accepted { used: 0, skipped } = supplied else {
        panic!("{supplied:?}")
    };
    assert_eq!(skipped.len(), 101);
    assert_eq!(
        (&*skipped[7].pointer, skipped[7].code),
        ("/keys/7", "api_key_unusable")
    );
    assert!(
        skipped[100].message.ends_with(": 900"),
        "{:?}",
        skipped[100]
    );
}

#[test]
fn a_fetch_has_the_headers_of_the_policy_and_does_not_show_them() {
    let mut gate = open(json!({}));
    let fetches = gate.due(NOW_MS);
    let headers = &fetches.last().unwrap().headers;
    assert_eq!(
        (&*headers[0].0, &*headers[0].1),
        ("authorization", "Bearer of-the-fetch")
    );
    let Decision::Wait(needs) = check(&mut gate, &key(0)) else {
        panic!("a document is needed")
    };
    assert!(matches!(&needs[..], [Need::Document(fetch)] if fetch.headers == *headers));
    let shown = format!("{fetches:?} {needs:?} {gate:?}");
    assert!(
        !shown.contains("of-the-fetch") && !shown.contains("pepper of"),
        "{shown}"
    );
}

#[test]
fn an_explanation_says_why_and_shows_no_key() {
    let mut gate = open(json!({}));
    let mut entries: Value = serde_json::from_str(&document(2)).unwrap();
    entries["keys"][1]["status"] = "disabled".into();
    supply(&mut gate, &entries.to_string());
    let explain = |key: &str| {
        let value = format!("Bearer {key}");
        let steps = gate.explain(&request(&[(b"authorization", value.as_bytes())]), NOW_MS);
        assert!(
            steps.iter().all(|step| !step.detail.contains("secret")),
            "{steps:?}"
        );
        steps
    };
    let steps = explain(&key(0));
    let failed = |step: &Step| matches!(step.verdict, Verdict::Fail(_));
    assert!(!steps.iter().any(failed), "{steps:?}");
    let found = steps.iter().find(|step| step.check == "api_key").unwrap();
    assert_eq!(found.detail, "id `id0`: found");
    for (key, says) in [
        (
            "sk_id0_secret9",
            "id `id0`: the document has another hash for its id",
        ),
        (
            "sk_id1_secret1",
            "id `id1`: its `status` is not `active`, or its entry is skipped",
        ),
        (
            "sk_mysecret_x",
            "the document has neither its id nor its hash",
        ),
    ] {
        let steps = explain(key);
        let last = steps.last().unwrap();
        assert_eq!(
            (&*last.detail, last.verdict),
            (says, Verdict::Fail(Code::ApiKeyInvalid))
        );
    }
}

#[test]
fn only_a_document_of_its_issuer_makes_a_key_be_looked_for_again() {
    let mut gate = open(json!({}));
    supply(&mut gate, &document(1));
    // A grant keeps its number while the key is remembered.
    let number = |gate: &mut Gate| match check(gate, &key(0)) {
        Decision::Allow(grant) => grant.number,
        other => panic!("{other:?}"),
    };
    let first = number(&mut gate);
    let other = Outcome::Response {
        status: 200,
        cache_control: "",
        length: 2,
        body: Cow::Borrowed(b"{}"),
    };
    let supplied = gate.supply(REVOCATIONS, "https://keys.test/revoked.json", other, NOW_MS);
    assert_eq!(
        supplied,
        Supplied::Accepted {
            used: 0,
            skipped: vec![]
        }
    );
    assert_eq!(number(&mut gate), first);
    supply(&mut gate, &document(1));
    assert_ne!(number(&mut gate), first);
}
