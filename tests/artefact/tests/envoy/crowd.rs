//! Tests with many requests that wait for a document. Envoy nests the answers
//! of one callback, so too many at once crash the filter.

use std::{thread, time::Duration};

use countersign_artefact_tests::{cases, token::Key};
use serde_json::{Value, json};

use crate::stage::{
    self,
    client::Sent,
    clock::Clock,
    envoy::Envoy,
    eventually,
    http2::{self, Connection},
    issuer::{Document, Issuer, JWKS},
    policy,
    setup::Setup,
    upstream,
};

const CROWD: u64 = 5_000;
/// Streams of one HTTP/2 connection. Envoy allows 1,024.
const STREAMS: u64 = 1_000;

/// Envoy answers this path itself, which ends a request inside the callback.
const DIRECT: &str = "/direct";
const UPSTREAM: &str = "/upstream";

#[test]
fn a_crowd_is_answered_and_the_filter_survives() {
    let (Some(binary), Some(clock)) = (stage::binary(), Clock::new(cases::now_ms())) else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[&key]));
    let bounds =
        json!({ "max_waiting": 10_000, "max_wait_ms": 60_000, "fetch_timeout_ms": 10_000 });
    let configuration = policy::with(&policy::fetched(), bounds);
    let setup = stage::fetching(&issuer, &configuration)
        .environment(clock.environment())
        .upstream(|upstream| {
            upstream["circuit_breakers"] = json!({ "thresholds": [{
                "max_connections": 64, "max_pending_requests": 100_000, "max_requests": 100_000,
            }] });
        })
        .manage(|manager| {
            let routes = &mut manager["route_config"]["virtual_hosts"][0]["routes"];
            routes.as_array_mut().unwrap().insert(0, direct());
        });
    let envoy = Envoy::start(&binary, &setup);
    assert_eq!(envoy.get(UPSTREAM, Some(&policy::token(&key))).status, 200);

    for (round, (target, protocol, known)) in [
        (DIRECT, 1, false),
        (DIRECT, 1, true),
        (DIRECT, 2, false),
        (DIRECT, 2, true),
        (UPSTREAM, 1, false),
        (UPSTREAM, 1, true),
        (UPSTREAM, 2, false),
        (UPSTREAM, 2, true),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("{target} HTTP/{protocol}, known: {known}");
        let kid = format!("new-{round}");
        let mut new = key.public();
        new["kid"] = json!(kid);
        let keys = if known {
            vec![key.public(), new]
        } else {
            vec![key.public()]
        };
        issuer.publish(JWKS, Document::new(&json!({ "keys": keys })));
        issuer.hold();
        clock.pass(31);
        let token = format!("Bearer {}", key.sign_as(&kid, &policy::claims()));
        let crowd = Crowd::send(&envoy, protocol, target, token.as_bytes());
        eventually(&format!("{name}: all wait"), || {
            envoy.metric("http.http.downstream_rq_active") == Some(CROWD)
        });
        issuer.release();
        let statuses = crowd.statuses();
        let status = if known { 200 } else { 401 };
        let others = statuses.iter().filter(|seen| **seen != status).count();
        assert_eq!(statuses.len(), 5_000, "{name}");
        assert_eq!(others, 0, "{name}: {:?}\n{}", &statuses[..20], envoy.log());
        assert_eq!(envoy.get(UPSTREAM, Some(&policy::token(&key))).status, 200);
    }
    assert!(!envoy.log().contains("Wasm VM failed"), "{}", envoy.log());
}

#[test]
fn an_issuer_that_does_not_answer_does_not_affect_others() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let (hanging, well) = (Issuer::start(), Issuer::start());
    hanging.publish(JWKS, Document::keys(&[&key]).after(Duration::from_secs(60)));
    let mut policy = policy::fetched();
    let mut other = policy["issuers"][0].clone();
    other["name"] = json!("other");
    other["issuer"] = json!("https://other.example.com");
    other["keys"] = json!({ "jwks_uri": "https://other.example.com/jwks" });
    policy["issuers"].as_array_mut().unwrap().push(other);
    let configuration = json!({ "policy": policy, "envoy": {
        "clusters": { "auth.example.com": "hanging", "other.example.com": "well" },
        "max_waiting": 3, "max_wait_ms": 20_000,
    } });
    well.publish(JWKS, Document::keys(&[&key]).after(Duration::from_secs(3)));
    let setup = Setup::new(&configuration, upstream::echo())
        .cluster("hanging", hanging.address)
        .cluster("well", well.address);
    let envoy = Envoy::start(&binary, &setup);
    let begin = |iss: &str| {
        let mut claims = policy::claims();
        claims["iss"] = json!(iss);
        let token = format!("Bearer {}", key.sign(&claims)).into_bytes();
        envoy
            .begin("GET", "/", &[("authorization", token)])
            .unwrap()
    };
    let waiting: Vec<Sent> = (0..3).map(|_| begin(policy::ISSUER)).collect();
    eventually("the room is full", || {
        envoy.metric("wasmcustom.countersign.waited") == Some(3)
    });
    let refused = begin(policy::ISSUER).reply().unwrap();
    assert_eq!(
        (refused.status, &*refused.code()),
        (503, "keys_unavailable")
    );

    let others: Vec<Sent> = (0..3).map(|_| begin("https://other.example.com")).collect();
    for sent in others {
        assert_eq!(sent.reply().unwrap().status, 200);
    }
    assert_eq!((well.asked(JWKS), hanging.asked(JWKS)), (1, 1));
    eventually("a full room is another thing than a missing key", || {
        let metric = |name| envoy.metric(&format!("wasmcustom.countersign.{name}"));
        metric("room_full") == Some(1) && metric("denied.key_unknown") == Some(0)
    });
    drop(waiting);
}

enum Crowd {
    One(Vec<Sent>),
    Two(Vec<Connection>),
}

impl Crowd {
    fn send(envoy: &Envoy, protocol: u32, target: &str, token: &[u8]) -> Self {
        if protocol == 1 {
            let one = |_| envoy.begin("GET", target, &[("authorization", token.to_vec())]);
            return Self::One((0..CROWD).map(one).map(Option::unwrap).collect());
        }
        let connections = (0..CROWD / STREAMS).map(|_| {
            let mut connection = Connection::open(envoy.address).unwrap();
            for _ in 0..STREAMS {
                let fields = http2::get(target, &[("authorization", token)]);
                connection.send(&fields, true).unwrap();
            }
            connection
        });
        Self::Two(connections.collect())
    }

    fn statuses(self) -> Vec<u16> {
        match self {
            Self::One(all) => all
                .into_iter()
                .map(|sent| sent.reply().map_or(0, |reply| reply.status))
                .collect(),
            Self::Two(connections) => {
                // All replies are read, so that none blocks the others.
                let readers = connections
                    .into_iter()
                    .map(|c| thread::spawn(|| c.replies()));
                let readers: Vec<_> = readers.collect();
                let replies = readers
                    .into_iter()
                    .flat_map(|reader| reader.join().unwrap());
                replies.map(|(_, reply)| reply.status()).collect()
            }
        }
    }
}

fn direct() -> Value {
    json!({
        "match": { "prefix": DIRECT },
        "direct_response": { "status": 200, "body": { "inline_string": "direct" } },
    })
}
