//! Tests of API keys: Envoy fetches the document that lists them, with its
//! secret header, once for all workers.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::stage::{
    self,
    client::Reply,
    envoy::Envoy,
    eventually,
    issuer::{Document, Issuer},
    policy,
    setup::Setup,
    upstream,
};

const PATH: &str = "/keys.json";
const PEPPER: &str = "a pepper of 22 bytes..";
const HEADER: &str = "Bearer of the document";
/// Base62 of a CRC-32 (IEEE 802.3).
const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#[test]
fn a_key_passes_in_each_worker_and_one_worker_fetches_with_the_secret_header() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let issuer = Issuer::start();
    let key = key("robot1");
    issuer.publish(PATH, Document::new(&listing(&[entry(&key, "active")])));
    let setup = stage::fetching(&issuer, &with_secrets(secrets())).concurrency(2);
    let envoy = Envoy::start(&binary, &setup);
    for _ in 0..20 {
        let reply = envoy.get("/", Some(&key));
        assert_eq!(reply.status, 200, "{reply:?}\n{}", envoy.log());
        let forwarded = reply.body.contains("x-auth-subject: robot-1\r\n");
        assert!(forwarded, "{}", reply.body);
    }
    assert_eq!(issuer.asked(PATH), 1);
    let head = issuer.heads().concat();
    let header = format!("\r\nauthorization: {HEADER}\r\n");
    assert!(head.contains(&header), "{head}");

    let mut other = key.clone();
    other.replace_range(20..21, "X");
    for (token, code) in [
        (other, "api_key_invalid"),
        (self::key("robot2"), "api_key_invalid"),
        ("sk_test_robot1".to_owned(), "token_malformed"),
    ] {
        let reply = envoy.get("/", Some(&token));
        assert_eq!((reply.status, &*reply.code()), (401, code));
    }
    for secret in [PEPPER, HEADER, &*key] {
        assert!(!envoy.log().contains(secret), "{}", envoy.log());
    }
}

#[test]
fn a_revoked_key_is_refused_in_each_worker_within_the_refresh_time() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let issuer = Issuer::start();
    let (kept, revoked) = (key("kept"), key("revoked"));
    let publish = |status| {
        let entries = [entry(&kept, "active"), entry(&revoked, status)];
        issuer.publish(PATH, Document::new(&listing(&entries)));
    };
    publish("active");
    let setup = stage::fetching(&issuer, &with_secrets(secrets())).concurrency(2);
    let envoy = Envoy::start(&binary, &setup);
    let all = |wanted: &dyn Fn(&Reply) -> bool| {
        (0..10).all(|_| {
            assert_eq!(envoy.get("/", Some(&kept)).status, 200);
            wanted(&envoy.get("/", Some(&revoked)))
        })
    };
    assert!(all(&|reply| reply.status == 200), "{}", envoy.log());
    publish("revoked");
    // The policy says `refresh_s: 5`, far less than the wait of `eventually`.
    eventually("the key is refused", || {
        all(&|reply| reply.code() == "api_key_invalid")
    });
    assert!(issuer.asked(PATH) <= 8, "{}", issuer.asked(PATH));
}

#[test]
fn without_a_document_keys_get_503() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let issuer = Issuer::start();
    let configuration = with_secrets(secrets());
    let envoy = Envoy::start(&binary, &stage::fetching(&issuer, &configuration));
    let reply = envoy.get("/", Some(&key("robot1")));
    let seen = (reply.status, &*reply.code());
    assert_eq!(seen, (503, "api_keys_unavailable"));
    assert!(reply.header("retry-after").is_some(), "{reply:?}");
    issuer.publish(
        PATH,
        Document::new(&listing(&[entry(&key("robot1"), "active")])),
    );
    eventually("the document is there", || {
        envoy.get("/", Some(&key("robot1"))).status == 200
    });
}

#[test]
fn a_plugin_without_the_secret_does_not_read_the_document_of_one_that_has_it() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let issuer = Issuer::start();
    let key = key("robot1");
    issuer.publish(PATH, Document::new(&listing(&[entry(&key, "active")])));
    let mut stranger = secrets();
    stranger["document"] = json!("Bearer of somebody else");
    let setup = stage::fetching(&issuer, &with_secrets(secrets()))
        .listen("same", &with_secrets(secrets()).to_string())
        .listen("stranger", &with_secrets(stranger).to_string());
    let envoy = Envoy::start(&binary, &setup);
    let listeners = envoy.listeners();
    let ask = |name: &str| {
        let bearer = [("authorization", policy::bearer(&key))];
        let sent = stage::client::send(listeners[name], "GET", "/", &bearer);
        sent.and_then(stage::client::Sent::reply).unwrap().status
    };
    for name in ["main", "same", "stranger"] {
        eventually("the listener has the document", || ask(name) == 200);
    }
    // One fetch for those with the same secret, one for the other.
    let heads = issuer.heads();
    let with = |secret: &str| heads.iter().filter(|head| head.contains(secret)).count();
    assert_eq!((with(HEADER), with("Bearer of somebody else")), (1, 1));
}

#[test]
fn a_secret_that_envoy_does_not_have_refuses_the_configuration() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let mut missing = secrets();
    missing.as_object_mut().unwrap().remove("pepper");
    for (secrets, says) in [
        (missing, "(secret_missing)"),
        (json!({ "pepper": 1 }), "`/envoy/secrets/pepper`"),
        (json!([]), "`/envoy/secrets`"),
    ] {
        let setup = Setup::new(&with_secrets(secrets), upstream::echo());
        let log = Envoy::refuse(&binary, &setup);
        assert!(log.contains(says), "{says}: {log}");
        assert!(!log.contains(HEADER), "{log}");
    }
}

fn with_secrets(secrets: Value) -> Value {
    let mut policy = policy::fetched();
    policy["issuers"] = json!([{ "name": "keys", "api_keys": {
        "uri": format!("{}{PATH}", policy::ISSUER),
        "prefix": ["sk_live_"],
        "refresh_s": 5,
        "forms": ["sha256"],
        "headers": { "authorization": { "secret_from": "document" } },
        "pepper": [{ "version": "1", "secret_from": "pepper" }],
    } }]);
    policy::with(&policy, json!({ "secrets": secrets }))
}

fn secrets() -> Value {
    json!({ "pepper": PEPPER, "document": HEADER })
}

fn listing(entries: &[Value]) -> Value {
    json!({ "keys": entries })
}

fn entry(key: &str, status: &str) -> Value {
    let id = key.strip_prefix("sk_live_").unwrap().split('_').next();
    let hash = Sha256::digest(format!("{PEPPER}:{key}"));
    json!({
        "id": id, "hash": URL_SAFE_NO_PAD.encode(hash), "form": "sha256", "pepper": "1",
        "subject": "robot-1", "status": status,
    })
}

/// Makes a key with this id, and the checksum that the contract asks for.
fn key(id: &str) -> String {
    let body = format!("sk_live_{id}_0123456789abcdefghijkl");
    let crc = !body.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    let digit = |place: u32| {
        let index = u64::from(crc) / 62_u64.pow(place) % 62;
        char::from(DIGITS[usize::try_from(index).unwrap()])
    };
    body.chars().chain((0..6).rev().map(digit)).collect()
}
