//! Checks requests with any API key, opaque token, proof and client certificate,
//! against any document of API keys and any answer of an authorization server. A
//! bound token passes only with its certificate from a trusted proxy; a check that is
//! repeated gives the same decision.
#![no_main]

use std::sync::{LazyLock, Mutex};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use countersign::{
    Connection, Decision, Gate, Header, Host, Need, Outcome, Request, Supplied, Verification,
    policy_json,
};
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;

const SECRET: &[u8] = b"a secret of thirty-two bytes ....";
const NOW_MS: u64 = 1_700_000_000_000;

fn gate() -> Gate {
    let policy = r#"{ "contract": "1", "issuers": [
        { "name": "a", "issuer": "a", "audiences": "any", "algorithms": ["HS256"], "keys": { "secrets": [{ "secret_from": "s" }] } },
        { "name": "k", "api_keys": { "uri": "https://k.test/", "prefix": ["sk_"], "forms": ["hmac-sha256", "sha256"], "checksum": false,
          "pepper": [{ "version": "1", "secret_from": "s" }] } },
        { "name": "o", "audiences": ["api"], "introspection": { "uri": "https://o.test/", "client": { "id": "g", "secret_from": "s" }, "opaque": true } }],
      "credentials": [{ "header": "authorization", "scheme": "Bearer" }, { "header": "authorization", "scheme": "DPoP" }],
      "dpop": { "nonce": { "secret_from": "s" } },
      "client_certificate": { "header": "x-forwarded-client-cert", "format": "xfcc", "trusted_proxies": ["10.0.0.0/8"] },
      "rules": [{ "path": "/**", "require": {} }] }"#;
    let host = Host {
        seed: 7,
        secrets: &[("s", SECRET)],
        ..Host::default()
    };
    Gate::open_json(&policy_json(policy.as_bytes()).expect("it is JSON"), host).expect("it is good")
}

static GATE: LazyLock<Mutex<Gate>> = LazyLock::new(|| gate().into());

/// Which token is sent, the bytes of it, the header and the claims of the proof, the
/// certificate's header, the document of API keys and the answer of the server.
type Input<'a> = (u8, &'a [u8], [&'a [u8]; 2], &'a [u8], [u8; 4], &'a [u8], &'a [u8]);

fuzz_target!(|input: Input<'_>| {
    let (kind, token, [header, claims], certificate, peer, keys, answer) = input;
    let is_bound = kind % 3 == 0;
    let token = match kind % 3 {
        0 => bound(token),
        1 => [b"sk_", token].concat(),
        _ => token.to_vec(),
    };
    let scheme: &[u8] = if kind & 128 == 0 { b"DPoP " } else { b"Bearer " };
    let credential = [scheme, &token].concat();
    let proof = [header, claims, certificate].map(|part| B64.encode(part)).join(".");
    let headers: [Header<'_>; 3] = [
        (b"authorization", &credential),
        (b"dpop", proof.as_bytes()),
        (b"x-forwarded-client-cert", certificate),
    ];
    let request = Request {
        method: b"GET",
        authority: b"a.test",
        target: b"/",
        headers: &headers,
        connection: Connection {
            scheme: b"https",
            certificate: b"",
            peer: &peer,
        },
    };
    let mut gate = GATE.lock().expect("nobody panicked with it");
    let mut decision = gate.check(&request, NOW_MS);
    for _ in 0..8 {
        let Decision::Wait(needs) = decision else {
            break;
        };
        for need in needs {
            match need {
                Need::Document(fetch) => {
                    let mut supplied =
                        gate.supply(fetch.source, &fetch.uri, response(keys), NOW_MS);
                    while supplied == Supplied::Unfinished {
                        supplied = gate.resume(fetch.source, &[], NOW_MS);
                    }
                }
                Need::Request(asked) => drop(gate.respond(asked.ticket, response(answer), NOW_MS)),
                Need::Proof(proof) => gate.verified(proof.ticket, Verification::Valid),
                Need::Signature(_) => panic!("the module verifies signatures"),
            }
        }
        gate.explain(&request, NOW_MS);
        decision = gate.check(&request, NOW_MS);
    }
    let passes = matches!(&decision, Decision::Allow(_));
    // A trusted proxy may say that the client has the certificate.
    let may_have = peer.starts_with(&[10]) && scheme == b"Bearer ";
    assert!(!(passes && is_bound) || may_have, "without its sender");
    if passes {
        assert_eq!(gate.check(&request, NOW_MS), decision);
    }
});

/// A token of our key that is bound to a certificate of 32 zero bytes.
fn bound(subject: &[u8]) -> Vec<u8> {
    let claims = format!(
        r#"{{"iss":"a","exp":1800000000,"sub":"{}","cnf":{{"x5t#S256":"{}"}}}}"#,
        B64.encode(subject),
        B64.encode([0; 32])
    );
    let signed = format!("{}.{}", B64.encode(r#"{"alg":"HS256"}"#), B64.encode(claims));
    let mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("any length");
    let tag = mac.chain_update(&signed).finalize().into_bytes();
    format!("{signed}.{}", B64.encode(tag)).into_bytes()
}

fn response(body: &[u8]) -> Outcome<'_> {
    Outcome::Response {
        status: 200,
        cache_control: "",
        length: body.len(),
        body: body.into(),
    }
}
