//! API keys: their form, how they are found, and what becomes of them.

use hmac::Hmac;
use sha2::{Digest, Sha256};

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [
        forms(),
        hashes(),
        found(),
        states(),
        claims(),
        places(),
        order(),
    ];
    topic(
        "api-keys",
        "API keys: their form, how they are found, and what becomes of them",
        drafts.concat(),
    )
}

pub(super) const PEPPER: &str = "a-pepper-of-these-vectors-2026-11";
const OLD_PEPPER: &str = "an-older-pepper-of-these-vectors";
/// The random part of a key: 128 bits or more in base62.
pub(super) const RANDOM: &str = "4fTk0bqYz7WdNcR1sJ8hVx";
const OTHER: &str = "9GmE2nPaKu5XwQ6yLt3oBi";

/// A key as the command makes it: prefix, id, random part, checksum.
pub(super) fn key(id: &str, random: &str) -> String {
    with_sum(&format!("sk_live_{id}_{random}"))
}

fn with_sum(body: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut sum = [b'0'; 6];
    for digit in sum.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    format!("{body}{}", String::from_utf8_lossy(&sum))
}

pub(super) fn hash(pepper: &str, key: &str) -> String {
    encode(hmac::<Hmac<Sha256>>(pepper.as_bytes(), key.as_bytes()))
}

fn sha(pepper: &str, key: &str) -> String {
    encode(Sha256::digest(format!("{pepper}:{key}")))
}

/// The entry of a key of the first pepper.
pub(super) fn entry(id: &str) -> Value {
    let hash = hash(PEPPER, &key(id, RANDOM));
    json!({ "id": id, "hash": hash, "pepper": "2026-11", "subject": "robot-1" })
}

pub(super) fn with(mut entry: Value, members: Value) -> Value {
    for (name, value) in members.as_object().expect("members") {
        entry[name] = value.clone();
    }
    entry
}

fn settings() -> Value {
    json!({
        "prefix": ["sk_live_"],
        "pepper": [
            { "version": "2026-11", "secret_from": "pepper" },
            { "version": "2025", "secret_from": "old-pepper" },
        ],
    })
}

/// The plain policy, and beside its issuer of JWTs one of these API keys.
fn policy_of(api_keys: Value) -> Policy {
    let issuers = policy().build()["issuers"].clone();
    let keys = json!({ "name": "keys", "api_keys": with(settings(), api_keys) });
    let issuers: Vec<Value> = issuers.as_array().into_iter().flatten().cloned().collect();
    policy().top("issuers", [issuers, vec![keys]].concat())
}

fn listing(entries: &[Value]) -> Policy {
    policy_of(json!({ "inline": { "keys": entries } }))
}

fn draft(id: &str, title: &str, rules: &[&str]) -> Draft {
    vector(id, title, rules)
        .secret("pepper", PEPPER)
        .secret("old-pepper", OLD_PEPPER)
        .policy(listing(&[entry("aaaa1111")]))
}

fn bearer(key: &str) -> Request {
    get("/").header("authorization", format!("Bearer {key}"))
}

fn good() -> String {
    key("aaaa1111", RANDOM)
}

fn forms() -> Vec<Draft> {
    let long = |length: usize| with_sum(&format!("sk_live_aaaa1111_{}", "x".repeat(length - 23)));
    let listed = |key: &str| {
        listing(&[with(
            entry("aaaa1111"),
            json!({ "hash": hash(PEPPER, key) }),
        )])
    };
    let typo = good().replacen("4fTk", "4fTK", 1);
    let swapped = good().replacen("4fTk", "f4Tk", 1);
    vec![
        draft("api-key", "a good key", &["api-key.hmac", "api-keys.inline"])
            .ask(bearer(&good()), principal(json!({ "issuer": "keys", "iss": "", "subject": "robot-1", "tenant": null })))
            .token(good().as_str(), None, allow())
            .ask(token(), allow()),
        draft("api-key-typo", "a typing error is found by the checksum, whatever the document says", &["api-key.checksum"])
            .attack("api-key-typo")
            .policy(listed(&typo))
            .ask(bearer(&typo), Code::ApiKeyInvalid)
            .ask(bearer(&swapped), Code::ApiKeyInvalid)
            .ask(bearer(&good()[..good().len() - 1]), Code::ApiKeyInvalid)
            .ask(bearer("sk_live_"), Code::ApiKeyInvalid)
            .ask(bearer(&with_sum("sk_live_")), Code::ApiKeyInvalid),
        draft("api-key-no-checksum", "keys of an existing system have none", &["api-key.checksum", "api-key.found"])
            .policy(policy_of(json!({ "checksum": false, "inline": { "keys": [
                { "id": "42", "hash": hash(PEPPER, "sk_live_4eC39HqLyjWDarjtT1zdp7dc"), "subject": "robot-1" },
            ] } })))
            .ask(bearer("sk_live_4eC39HqLyjWDarjtT1zdp7dc"), principal(json!({ "subject": "robot-1" })))
            .ask(bearer("sk_live_4eC39HqLyjWDarjtT1zdp7dC"), Code::ApiKeyInvalid),
        draft("api-key-512", "512 bytes", &["api-key.form"])
            .policy(listed(&long(512)))
            .ask(bearer(&long(512)), allow()),
        draft("api-key-513", "513 bytes", &["api-key.form"])
            .policy(listed(&long(513)))
            .ask(bearer(&long(513)), Code::ApiKeyInvalid),
        draft("api-key-not-ascii", "a byte beyond visible ASCII", &["api-key.form"])
            .token([with_sum("sk_live_aaaa1111_").as_bytes(), b"\xe9"].concat(), None, Code::ApiKeyInvalid)
            .token(with_sum("sk_live_aaaa1111_ x"), None, Code::ApiKeyInvalid),
    ]
}

fn hashes() -> Vec<Draft> {
    let legacy = sha(PEPPER, &good());
    let forms = json!(["hmac-sha256", "sha256"]);
    let of = |entry: Value| policy_of(json!({ "forms": forms, "inline": { "keys": [entry] } }));
    let sha_entry = || {
        with(
            entry("aaaa1111"),
            json!({ "form": "sha256", "hash": legacy }),
        )
    };
    let old = |members: Value| {
        let hash = hash(OLD_PEPPER, &good());
        listing(&[with(
            with(entry("aaaa1111"), json!({ "hash": hash })),
            members,
        )])
    };
    let mut unversioned = entry("aaaa1111");
    unversioned
        .as_object_mut()
        .expect("an entry")
        .shift_remove("pepper");
    let hex: String = hmac::<Hmac<Sha256>>(PEPPER.as_bytes(), good().as_bytes())
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    vec![
        draft(
            "api-key-sha256",
            "SHA-256 of pepper and key",
            &["api-key.sha"],
        )
        .policy(of(sha_entry()))
        .ask(bearer(&good()), allow()),
        draft(
            "api-key-sha256-as-hmac",
            "a hash of one form is none of the other",
            &["api-key.hmac", "api-key.sha"],
        )
        .policy(of(with(entry("aaaa1111"), json!({ "hash": legacy }))))
        .ask(bearer(&good()), Code::ApiKeyInvalid),
        draft(
            "api-key-hmac-as-sha256",
            "nor the other way round",
            &["api-key.hmac", "api-key.sha"],
        )
        .policy(of(with(entry("aaaa1111"), json!({ "form": "sha256" }))))
        .ask(bearer(&good()), Code::ApiKeyInvalid),
        draft("api-key-hex", "the hash in hex", &["api-keys.hash"])
            .policy(listing(&[with(entry("aaaa1111"), json!({ "hash": hex }))]))
            .ask(bearer(&good()), allow()),
        draft(
            "api-key-other-pepper",
            "the pepper is of another version than the entry says",
            &["api-key.pepper"],
        )
        .attack("api-key-pepper")
        .policy(old(json!({})))
        .ask(bearer(&good()), Code::ApiKeyInvalid),
        draft(
            "api-key-old-pepper",
            "an older pepper is good for what was hashed with it",
            &["api-key.pepper"],
        )
        .policy(old(json!({ "pepper": "2025" })))
        .ask(bearer(&good()), allow()),
        draft(
            "api-key-no-version",
            "without a version each pepper is tried",
            &["api-key.pepper"],
        )
        .policy(listing(&[unversioned]))
        .ask(bearer(&good()), allow()),
        draft(
            "api-key-no-pepper",
            "a hash without a pepper is none",
            &["api-key.pepper"],
        )
        .policy(of(with(
            sha_entry(),
            json!({ "hash": encode(Sha256::digest(good())) }),
        )))
        .ask(bearer(&good()), Code::ApiKeyInvalid),
    ]
}

fn found() -> Vec<Draft> {
    let two = || listing(&[entry("aaaa1111"), entry("bbbb2222")]);
    let renamed = with(entry("aaaa1111"), json!({ "id": "row-17" }));
    let taken = with(entry("bbbb2222"), json!({ "id": "aaaa1111" }));
    vec![
        draft("api-key-unknown-id", "an unknown id and a wrong secret: one answer", &["api-key.found"])
            .attack("api-key-guess")
            .policy(two())
            .ask_all(
                [key("cccc3333", RANDOM), key("aaaa1111", OTHER), key("bbbb2222", OTHER), key("", RANDOM)]
                    .iter()
                    .map(|key| bearer(key)),
                deny(Code::ApiKeyInvalid).naming_none().challenging(
                    "Bearer realm=\"platform\", error=\"invalid_token\", error_description=\"the API key is not valid\"",
                ),
            ),
        draft("api-key-by-hash", "found by its hash where the document has another id", &["api-key.found"])
            .policy(listing(&[renamed]))
            .ask(bearer(&good()), allow()),
        draft("api-key-by-id", "where the document has its id, that entry alone counts", &["api-key.found"])
            .policy(listing(&[taken, with(entry("aaaa1111"), json!({ "id": "row-17" }))]))
            .ask(bearer(&good()), Code::ApiKeyInvalid),
    ]
}

fn states() -> Vec<Draft> {
    let of = |members: Value| listing(&[with(entry("aaaa1111"), members)]);
    let expiring = |at: Value| of(json!({ "expires_at": at }));
    let off = |id: &str, status: &str| {
        draft(id, "switched off", &["api-key.status"])
            .policy(of(json!({ "status": status })))
            .ask(bearer(&good()), Code::ApiKeyInvalid)
    };
    vec![
        off("api-key-disabled", "disabled"),
        off("api-key-revoked", "revoked"),
        draft(
            "api-key-active",
            "active, as without a status",
            &["api-key.status"],
        )
        .policy(of(json!({ "status": "active" })))
        .ask(bearer(&good()), allow()),
        draft(
            "api-key-expired",
            "expired, whatever the leeway",
            &["api-key.expiry"],
        )
        .policy(expiring(json!(NOW_S)).top("leeway_s", 300))
        .ask(bearer(&good()), Code::TokenExpired),
        draft(
            "api-key-accept-expired",
            "a rule that accepts expired tokens accepts expired keys",
            &["api-key.expiry"],
        )
        .policy(expiring(json!(NOW_S - 59)).rules(json!([
            { "path": "/renew", "accept_expired_s": 60, "require": {} },
            { "path": "/**", "require": {} },
        ])))
        .ask(bearer(&good()), Code::TokenExpired)
        .ask(
            get("/renew").header("authorization", format!("Bearer {}", good())),
            allow(),
        ),
        draft(
            "api-key-expires",
            "it expires while it is remembered",
            &["api-key.expiry", "memory.time"],
        )
        .policy(expiring(json!(NOW_S + 60)))
        .ask(
            bearer(&good()),
            principal(json!({ "expires_at_ms": (NOW_S + 60) * 1000 })),
        )
        .at(59_999)
        .ask(bearer(&good()), allow())
        .at(60_000)
        .ask(bearer(&good()), Code::TokenExpired),
    ]
}

fn claims() -> Vec<Draft> {
    let full = json!({
        "tenant": "acme", "roles": ["reader", "Site Manager"], "scopes": ["api:read", "api:write"],
        "expires_at": NOW_S + 60, "claims": { "plan": "pro", "scope": "admin", "scp": ["admin"] },
    });
    let policy = || listing(&[with(entry("aaaa1111"), full.clone())]);
    let named = |policy: Policy| policy.issuer_at(1, "issuer", "https://keys.example.com");
    let text = format!(
        "{{\"iss\":\"https://keys.example.com\",\"jti\":\"aaaa1111\",\"sub\":\"robot-1\",\"tenant\":\"acme\",\"roles\":[\"reader\",\"Site Manager\"],\"scopes\":[\"api:read\",\"api:write\"],\"exp\":{},\"plan\":\"pro\",\"scope\":\"admin\",\"scp\":[\"admin\"]}}",
        NOW_S + 60
    );
    vec![
        draft("api-key-claims", "its entry in the terms of the policy", &["api-key.claims"])
            .policy(named(policy()))
            .ask(
                bearer(&good()),
                principal(json!({
                    "issuer": "keys", "iss": "https://keys.example.com", "subject": "robot-1", "token_type": null,
                    "tenant": "acme", "tenants": ["acme"], "roles": ["reader", "Site Manager"],
                    "scopes": ["api:read", "api:write"], "claims": text,
                })),
            ),
        draft("api-key-free-claims", "a free claim is no scope, and is read where the policy says so", &["api-key.claims", "rule.claims"])
            .policy(policy().rules(json!([
                { "path": "/plan", "require": { "claims": { "/plan": "pro" } } },
                { "path": "/admin", "require": { "scopes": ["admin"] } },
            ])))
            .ask(bearer(&good()).clone(), Code::RuleDenied)
            .ask(get("/plan").header("authorization", format!("Bearer {}", good())), allow())
            .ask(get("/admin").header("authorization", format!("Bearer {}", good())), Code::ScopeInsufficient),
        draft("api-key-rules", "rules and forwarding are those of tokens", &["api-key.same"])
            .policy(
                policy()
                    .rules(json!([
                        { "path": "/orgs/{org}/**", "require": { "tenant": "{org}", "scopes": ["api:read"], "issuers": ["keys"] } },
                        { "path": "/jwt", "require": { "issuers": ["platform"] } },
                    ]))
                    .top("forward", json!({ "x-auth-subject": "subject", "x-auth-tenant": "tenant" })),
            )
            .ask(
                get("/orgs/acme/a").header("authorization", format!("Bearer {}", good())),
                sets(json!({ "x-auth-subject": "robot-1", "x-auth-tenant": "acme" })),
            )
            .ask(get("/orgs/globex/a").header("authorization", format!("Bearer {}", good())), Code::TenantDenied)
            .ask(get("/jwt").header("authorization", format!("Bearer {}", good())), Code::IssuerDenied),
        draft("api-key-required", "what the issuer requires", &["api-key.same"])
            .policy(policy().issuer_at(1, "require", json!({ "/plan": "free" })))
            .ask(bearer(&good()), deny(Code::ClaimMismatch).naming("/plan")),
        draft("api-key-revocation", "a revocation document can name its id", &["api-key.same", "revocation.jti"])
            .policy(policy().issuer_at(1, "revocations", json!({ "uri": "https://keys.example.com/revoked.json" })))
            .ask(bearer(&good()), allow())
            .due_of([document("keys", "revocations")])
            .supply("keys", "revocations", Some(ok(&json!({ "jti": ["aaaa1111"] }))), crate::vector::SupplyExpect::Accepted(Vec::new()))
            .ask(bearer(&good()), Code::TokenRevoked),
    ]
}

fn places() -> Vec<Draft> {
    let all = json!([
        { "header": "authorization", "scheme": "Bearer" },
        { "header": "authorization", "scheme": "Basic" },
        { "header": "x-api-key" },
        { "cookie": "key" },
    ]);
    let anywhere = || {
        listing(&[entry("aaaa1111")])
            .top("credentials", all.clone())
            .top("strip_credential", true)
            .rules(json!([
                { "path": "/query", "require": {}, "credentials": [{ "query": "key" }] },
                { "path": "/**", "require": {} },
            ]))
    };
    let good = good();
    let basic = |key: &str| {
        get("/").header(
            "authorization",
            format!("Basic {}", base64(format!("robot:{key}"))),
        )
    };
    let owned = listing(&[entry("aaaa1111")]).top(
        "credentials",
        json!([
            { "header": "authorization", "scheme": "Bearer", "issuers": ["platform"] },
            { "header": "x-api-key", "issuers": ["keys"] },
        ]),
    );
    let jwt_like = format!("sk_live_{}", token().compact());
    vec![
        draft(
            "api-key-places",
            "in each place of a credential",
            &["api-key.prefix"],
        )
        .attack("api-key-places")
        .policy(anywhere())
        .ask(bearer(&good), allow())
        .ask(get("/").header("x-api-key", good.as_str()), allow())
        .ask(
            get("/").header("cookie", format!("a=1; key={good}")),
            allow(),
        )
        .ask(basic(&good), allow())
        .ask(get(&format!("/query?a=1&key={good}")), allow())
        .ask(basic(&key("aaaa1111", OTHER)), Code::ApiKeyInvalid)
        .ask(get("/").header("x-api-key", token().compact()), allow()),
        draft(
            "api-key-two",
            "two different credentials are refused, one in two places is not",
            &["api-key.prefix", "credential.multiple"],
        )
        .attack("api-key-places")
        .policy(anywhere())
        .ask(
            bearer(&good).header("x-api-key", token().compact()),
            Code::TokenMultiple,
        )
        .ask(
            bearer(&good).header("x-api-key", key("bbbb2222", RANDOM)),
            Code::TokenMultiple,
        )
        .ask(bearer(&good).header("x-api-key", good.as_str()), allow()),
        draft(
            "api-key-place-issuers",
            "a place of another issuer",
            &["api-key.prefix", "order.api-key"],
        )
        .policy(owned)
        .ask(bearer(&good), Code::IssuerUnknown)
        .ask(bearer(&good[..20]), Code::IssuerUnknown)
        .ask(get("/").header("x-api-key", good.as_str()), allow())
        .ask(token(), allow()),
        draft(
            "api-key-jwt",
            "what begins as a key is never read as a JWT, nor the other way round",
            &["api-key.prefix"],
        )
        .attack("api-key-jwt")
        .ask(bearer(&jwt_like), Code::ApiKeyInvalid)
        .ask(bearer(&with_sum(&jwt_like)), Code::ApiKeyInvalid)
        .ask(bearer(&good[3..]), Code::TokenMalformed)
        .ask(
            bearer(&format!("SK_LIVE_{}", &good[8..])),
            Code::TokenMalformed,
        ),
    ]
}

fn order() -> Vec<Draft> {
    let expired = || {
        with(
            entry("aaaa1111"),
            json!({ "expires_at": 1, "status": "revoked" }),
        )
    };
    let wanting = |policy: Policy| policy.requires(json!({ "roles": ["admin"] }));
    vec![
        draft(
            "order-api-key-size",
            "a key over `token_bytes` is of no form",
            &["order.size", "order.by-form"],
        )
        .policy(listing(&[entry("aaaa1111")]).top("limits", json!({ "token_bytes": 20 })))
        .ask(bearer(&good()), Code::TokenTooLarge),
        draft(
            "order-api-key-form",
            "no form, and no document",
            &["order.api-key", "order.by-form"],
        )
        .policy(policy_of(json!({ "uri": "https://keys.example.com/k" })))
        .ask(bearer("sk_live_no.form.here"), Code::ApiKeyInvalid),
        draft(
            "order-api-key-status",
            "switched off and expired",
            &["order.api-key"],
        )
        .policy(listing(&[expired()]))
        .ask(bearer(&good()), Code::ApiKeyInvalid)
        .ask(bearer(&key("aaaa1111", OTHER)), Code::ApiKeyInvalid),
        draft(
            "order-api-key-rule",
            "expired, and without the rule's role",
            &["order.api-key", "order.token-before-rule"],
        )
        .policy(wanting(listing(&[with(
            entry("aaaa1111"),
            json!({ "expires_at": 1 }),
        )])))
        .ask(bearer(&good()), Code::TokenExpired),
    ]
}
