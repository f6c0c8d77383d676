//! Checks requests with signed tokens of any header and claims, with invalid
//! tokens and with none. A fresh check, a check of a remembered token and
//! `explain` give the same decision. Only a token with our signature gives a
//! principal.
#![no_main]

use std::sync::{LazyLock, Mutex};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use countersign::{Decision, Gate, Header, Request, Verdict};
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;

const SECRET: &[u8] = b"a secret of thirty-two bytes ....";
const NOW_MS: u64 = 1_700_000_000_000;

fn gate() -> Gate {
    let secret = B64.encode(SECRET);
    let policy = format!(
        r#"{{ "contract": "1", "issuers": [{{ "name": "a", "issuer": "a", "audiences": ["api"],
          "algorithms": ["HS256"], "keys": {{ "secrets": [{{ "kid": "1", "k": "{secret}" }}] }},
          "claims": {{ "tenant": "/tenant", "roles": "/roles" }}, "scope_wildcards": true,
          "token_types": [{{ "name": "pat", "claim": {{ "typ": "pat" }} }}, {{ "name": "at", "header_typ": ["at+jwt"] }}] }},
          {{ "name": "t", "issuer": {{ "template": "https://t.example/{{tid}}/v2", "claims": {{ "tid": "/tid" }} }}, "audiences": ["api"],
            "algorithms": ["HS256"], "keys": [{{ "algorithms": ["HS256"], "secrets": [{{ "k": "{secret}" }}] }}], "leeway_s": 5, "numbers_as_text": true,
            "claims": {{ "subject": ["/oid", "/sub"], "tenants": {{ "claim": "/org", "as": "keys" }}, "roles": ["/r", {{ "claim": "/s", "separator": "," }}] }} }},
          {{ "name": "n", "issuer": {{ "absent": true }}, "audiences": ["api"], "algorithms": ["HS256"], "keys": {{ "secrets": [{{ "k": "{secret}" }}] }},
            "require": {{ "/house": true }} }},
          {{ "name": "s", "issuer": "s", "audiences": "any", "algorithms": ["HS256"], "keys": {{ "secrets": [{{ "k": "{secret}" }}] }} }}],
        "challenge": {{ "scope": true, "resource_metadata": {{ "resource": "https://a.test/m" }} }},
        "credentials": [{{ "header": "authorization", "scheme": "Bearer" }}, {{ "cookie": "session", "same_origin": true }}],
        "rules": [{{ "path": "/open/**", "public": true }}, {{ "path": "/maybe", "optional": true }},
          {{ "path": "/ws", "optional": {{ "bad_token": "ignore" }}, "several": "first", "require": {{ "acr_values": ["a"] }},
            "credentials": [{{ "header": "authorization", "scheme": "Basic" }}, {{ "cookie": "session", "same_origin": true }},
              {{ "websocket_protocol": {{ "after": "v1" }} }}, {{ "websocket_protocol": {{ "prefix": "b.", "base64url": true }} }}, {{ "query": "t" }}] }},
          {{ "path": "/both", "optional": {{ "bad_token": "ignore" }}, "require": {{ "max_auth_age_s": 60 }}, "challenge": {{ "scope": false }},
            "credentials": [{{ "header": "authorization", "scheme": "Bearer" }}, {{ "header": "x-service", "issuers": ["s"], "principal": "service" }}],
            "principals": {{ "service": {{ "claims": {{ "/w": {{ "one_of": ["x", 1] }} }} }} }} }},
          {{ "hosts": ["*.example.com"], "path": "/orgs/{{org}}/**", "require": {{ "tenant": "{{org}}", "scopes": ["read"] }} }},
          {{ "hosts": ["{{org}}.example.net"], "path": "/items/{{item}}", "encoded_slash": "keep", "accept_expired_s": 60, "require": {{ "issuers": ["t"],
            "tenant": {{ "capture": "org" }}, "subject": {{ "header": "x-user" }}, "claims": {{
              "/j": {{ "as": "json", "at": "/a", "some": {{ "/b": {{ "starts_with": "x-" }} }} }},
              "/k": {{ "as": "keys", "contains": {{ "capture": "item" }} }},
              "/l": {{ "separator": ",", "every": {{ "not": {{ "one_of": ["a", 1] }} }} }},
              "/m": {{ "any_of": [{{ "present": false }}, {{ "all_of": [{{ "ends_with": "y." }}, {{ "equals": "ay." }}] }}] }} }} }} }},
          {{ "path": "/**", "methods": ["GET"], "require": {{ "any_of": [{{ "roles": ["admin"] }}, {{ "types": ["pat"] }}] }} }}],
        "forward": {{ "x-subject": "subject", "x-claims": "claims", "x-tenants": "tenants", "x-work": {{ "principal": "service", "value": "subject" }}, "x-k": {{ "claim": "/l", "join": ";" }}, "x-j": {{ "claim": "/j", "json": true }} }}, "strip_credential": true }}"#
    );
    Gate::open(policy.as_bytes(), 7).expect("the policy is good")
}

static GATE: LazyLock<Mutex<Gate>> = LazyLock::new(|| gate().into());

type Input<'a> = (bool, &'a [u8], &'a [u8], [&'a [u8]; 3], &'a [u8], &'a [u8]);

fuzz_target!(|input: Input<'_>| {
    let (sign, header, claims, [method, authority, target], cookie, other) = input;
    let mut token = format!("{}.{}", B64.encode(header), B64.encode(claims));
    let mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("any length");
    let mac = mac.chain_update(&token).finalize().into_bytes();
    let tag = if sign { &mac[..] } else { other };
    token = format!("{token}.{}", B64.encode(tag));
    let credential = format!("Bearer {token}");
    let headers: [Header<'_>; 7] = [
        (
            b"authorization",
            if cookie.is_empty() {
                credential.as_bytes()
            } else {
                b""
            },
        ),
        (b"cookie", cookie),
        (b"origin", other),
        (b"x-subject", other),
        (b"x-user", other),
        (b"sec-websocket-protocol", other),
        (b"x-service", token.as_bytes()),
    ];
    let request = Request {
        method,
        authority,
        target,
        headers: &headers,
        connection: Default::default(),
    };

    // The gate may remember tokens of earlier inputs. This must not change a
    // decision.
    let mut gate = GATE.lock().expect("nobody panicked with it");
    let fresh = gate.check(&request, NOW_MS);
    assert_eq!(gate.check(&request, NOW_MS), fresh);
    let last = gate
        .explain(&request, NOW_MS)
        .pop()
        .expect("it says something");
    match &fresh {
        Decision::Deny(denial) => assert_eq!(last.verdict, Verdict::Fail(denial.code)),
        Decision::Allow(grant) => {
            assert!(matches!(last.verdict, Verdict::Pass | Verdict::Skip));
            assert!(grant.principal.is_none() || sign || tag == &mac[..]);
            let visible = |value: &str| {
                value
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() || byte == b' ')
            };
            assert!(grant.set_headers.iter().all(|(_, value)| visible(value)));
        }
        Decision::Answer(answer) => {
            assert_eq!((last.verdict, answer.status), (Verdict::Skip, 200));
        }
        Decision::Wait(_) => panic!("there is nothing to wait for"),
    }
});
