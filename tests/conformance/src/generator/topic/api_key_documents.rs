//! Documents of API keys: their form, their time, and the policy that names one.

use super::{
    api_keys::{PEPPER, RANDOM, entry, hash, key, with},
    prelude::*,
};
use crate::vector::Document;

pub(super) fn vectors() -> Topic {
    let drafts = [times(), forms(), entries(), policies()].concat();
    topic(
        "api-key-documents",
        "Documents of API keys: their form, their time, and the policy that names one",
        drafts,
    )
}

const URI: &str = "https://keys.example.com/api-keys.json";

/// A policy whose only issuer has API keys at an address.
fn at_uri(api_keys: Value) -> Policy {
    let settings = json!({
        "uri": URI, "prefix": ["sk_live_"],
        "pepper": [{ "version": "2026-11", "secret_from": "pepper" }],
    });
    policy().top(
        "issuers",
        json!([{ "name": "platform", "api_keys": with(settings, api_keys) }]),
    )
}

fn draft(id: &str, title: &str, rules: &[&str]) -> Draft {
    vector(id, title, rules)
        .secret("pepper", PEPPER)
        .policy(at_uri(json!({})))
}

fn listing(entries: &[Value]) -> Value {
    json!({ "keys": entries })
}

fn bearer(id: &str) -> Request {
    get("/").header("authorization", format!("Bearer {}", key(id, RANDOM)))
}

fn loaded(id: &str, title: &str, rules: &[&str]) -> Draft {
    draft(id, title, rules)
        .due(&["api_keys"])
        .accept("api_keys", ok(&listing(&[entry("aaaa1111")])))
}

fn times() -> Vec<Draft> {
    let a = || bearer("aaaa1111");
    vec![
        draft("api-keys-first", "never had", &["api-keys.required", "decision.wait"])
            .ask(a(), wait(&["api_keys"]))
            .fail("api_keys")
            .ask(a(), deny(Code::ApiKeysUnavailable).retry_after(Some(1)).without_challenge())
            .at(1_000)
            .ask(a(), wait(&["api_keys"]))
            .accept("api_keys", ok(&listing(&[entry("aaaa1111")])))
            .ask(a(), allow())
            .ask(bearer("bbbb2222"), Code::ApiKeyInvalid),
        loaded("api-keys-refresh", "due every 30 seconds, whatever the response says", &["api-keys.fetch"])
            .next_due(Some(30_000))
            .at(29_999)
            .due(&[])
            .at(30_000)
            .due(&["api_keys"])
            .accept("api_keys", response(200, "max-age=86400", listing(&[]).to_string()))
            .next_due(Some(30_000)),
        draft("api-keys-headers", "fetched with the headers of the policy", &["api-keys.fetch", "policy.secret-from"])
            .secret("authorization", "Bearer of-the-fetch")
            .policy(at_uri(json!({ "headers": { "Authorization": { "secret_from": "authorization" }, "x-tenant": { "secret": "acme" } } })))
            .due_of([Document {
                uri: Some(URI.into()),
                headers: Some(vec![
                    ("authorization".into(), "Bearer of-the-fetch".into()),
                    ("x-tenant".into(), "acme".into()),
                ]),
                ..document("platform", "api_keys")
            }]),
        loaded("api-keys-revoked-remembered", "revoked while it is remembered", &["api-key.remembered"])
            .attack("api-key-revoked")
            .ask(a(), allow())
            .at(30_000)
            .due(&["api_keys"])
            .accept("api_keys", ok(&listing(&[with(entry("aaaa1111"), json!({ "status": "revoked" }))])))
            .ask(a(), Code::ApiKeyInvalid)
            .at(60_000)
            .due(&["api_keys"])
            .accept("api_keys", ok(&listing(&[with(entry("aaaa1111"), json!({ "subject": "robot-2" }))])))
            .ask(a(), principal(json!({ "subject": "robot-2" })))
            .at(90_000)
            .due(&["api_keys"])
            .accept("api_keys", ok(&listing(&[])))
            .ask(a(), Code::ApiKeyInvalid),
        loaded("api-keys-failing", "a failed fetch changes nothing", &["api-keys.document"])
            .at(30_000)
            .due(&["api_keys"])
            .fail("api_keys")
            .ask(a(), allow())
            .ask(bearer("bbbb2222"), Code::ApiKeyInvalid),
        loaded("api-keys-stale", "an hour old: as if never had, for a remembered key too", &["api-keys.required"])
            .ask(a(), allow())
            .at(30_000)
            .due(&["api_keys"])
            .fail("api_keys")
            .at(3_599_999)
            .ask(a(), allow())
            .at(3_600_000)
            .ask(a(), wait(&["api_keys"]))
            .fail("api_keys")
            .ask(a(), Code::ApiKeysUnavailable)
            .ask(bearer("bbbb2222"), Code::ApiKeysUnavailable),
        draft("api-keys-max-stale", "the policy says how old", &["api-keys.required"])
            .policy(at_uri(json!({ "max_stale_s": 60 })))
            .due(&["api_keys"])
            .accept("api_keys", ok(&listing(&[entry("aaaa1111")])))
            .at(59_999)
            .ask(a(), allow())
            .at(60_000)
            .ask(a(), wait(&["api_keys"])),
    ]
}

fn forms() -> Vec<Draft> {
    let refused = |id: &str, title: &str, text: &str| {
        loaded(id, title, &["api-keys.document"])
            .at(30_000)
            .due(&["api_keys"])
            .refuse("api_keys", response(200, "", text))
            .ask(bearer("aaaa1111"), allow())
    };
    let limited = |id: &str, title: &str, limits: Value| {
        draft(id, title, &["api-keys.size", "limits.lower"])
            .policy(at_uri(json!({})).top("limits", limits))
    };
    let three = listing(&[entry("aaaa1111"), entry("bbbb2222"), entry("cccc3333")]);
    let size = three.to_string().len();
    let large = with(
        entry("aaaa1111"),
        json!({ "claims": { "a": "x".repeat(16_384) } }),
    );
    vec![
        refused("api-keys-not-json", "no JSON", "<html></html>"),
        refused("api-keys-array", "an array", "[]"),
        refused("api-keys-empty", "an object without `keys`", "{}"),
        refused("api-keys-object", "`keys` is an object", "{\"keys\":{}}"),
        refused("api-keys-member", "an unknown member", "{\"keys\":[],\"next\":\"/2\"}"),
        refused("api-keys-list", "another array", "{\"keys\":[],\"revoked\":[]}"),
        refused("api-keys-duplicate", "a member of an entry twice", "{\"keys\":[{\"id\":\"a\",\"id\":\"b\"}]}"),
        refused("api-keys-after", "something after the document", "{\"keys\":[]}{}"),
        limited("api-keys-count", "more keys than the limit", json!({ "api_keys": 2 }))
            .due(&["api_keys"])
            .refuse("api_keys", ok(&three)),
        limited("api-keys-count-most", "as many as the limit", json!({ "api_keys": 3 }))
            .due(&["api_keys"])
            .accept("api_keys", ok(&three))
            .ask(bearer("cccc3333"), allow()),
        limited("api-keys-bytes", "more bytes than the limit", json!({ "api_keys_bytes": size - 1 }))
            .due(&["api_keys"])
            .refuse("api_keys", ok(&three)),
        draft("api-keys-entry-bytes", "an entry of more than 16,384 bytes", &["api-keys.size"])
            .due(&["api_keys"])
            .refuse("api_keys", ok(&listing(&[large]))),
        draft("api-keys-white-space", "white space and escapes change nothing", &["api-keys.document"])
            .due(&["api_keys"])
            .accept(
                "api_keys",
                response(
                    200,
                    "",
                    format!(
                        " {{ \"k\\u0065ys\" : [\n{{ \"\\u0069d\":\"aaaa\\u0031111\" , \"hash\" : \"{}\" ,\"subject\":\"robot\\u002d1\", \"claims\" : {{ }} }} ] }} ",
                        hash(PEPPER, &key("aaaa1111", RANDOM))
                    ),
                ),
            )
            .ask(bearer("aaaa1111"), principal(json!({ "subject": "robot-1" }))),
    ]
}

fn entries() -> Vec<Draft> {
    let a = || entry("aaaa1111");
    let bad = |id: &str, title: &str, bad: Value| {
        draft(id, title, &["api-keys.entry"])
            .due(&["api_keys"])
            .accept_but(
                "api_keys",
                ok(&listing(&[bad, entry("bbbb2222")])),
                &["/keys/0"],
            )
            .ask(bearer("aaaa1111"), Code::ApiKeyInvalid)
            .ask(bearer("bbbb2222"), allow())
    };
    let without = |name: &str| {
        let mut entry = a();
        entry.as_object_mut().expect("an entry").shift_remove(name);
        entry
    };
    let twice = |id: &str, title: &str, second: Value| {
        draft(id, title, &["api-keys.twice"])
            .due(&["api_keys"])
            .accept_but(
                "api_keys",
                ok(&listing(&[a(), second, entry("bbbb2222")])),
                &["/keys/1"],
            )
            .ask(bearer("aaaa1111"), Code::ApiKeyInvalid)
            .ask(bearer("bbbb2222"), allow())
    };
    let mut drafts = vec![
        bad(
            "api-keys-no-object",
            "an entry that is a text",
            json!("aaaa1111"),
        ),
        bad("api-keys-no-id", "without an id", without("id")),
        bad("api-keys-no-hash", "without a hash", without("hash")),
        bad(
            "api-keys-no-subject",
            "without a subject",
            without("subject"),
        ),
    ];
    for (id, title, members) in [
        (
            "api-keys-odd-id",
            "an id with a space",
            json!({ "id": "a 1" }),
        ),
        (
            "api-keys-short-hash",
            "a hash of 31 bytes",
            json!({ "hash": encode([0; 31]) }),
        ),
        (
            "api-keys-padded-hash",
            "a padded hash",
            json!({ "hash": format!("{}=", encode([0; 32])) }),
        ),
        ("api-keys-form", "an unknown form", json!({ "form": "md5" })),
        (
            "api-keys-form-unlisted",
            "a form that the policy does not list",
            json!({ "form": "sha256" }),
        ),
        (
            "api-keys-pepper",
            "a pepper that the policy does not have",
            json!({ "pepper": "2024" }),
        ),
        (
            "api-keys-subject",
            "a subject that is a number",
            json!({ "subject": 1 }),
        ),
        (
            "api-keys-tenant",
            "an empty tenant",
            json!({ "tenant": "" }),
        ),
        (
            "api-keys-roles",
            "roles in a text",
            json!({ "roles": "admin" }),
        ),
        (
            "api-keys-scopes",
            "scopes with a number",
            json!({ "scopes": [1] }),
        ),
        (
            "api-keys-expiry",
            "an expiry in a text",
            json!({ "expires_at": "2026-01-01" }),
        ),
        (
            "api-keys-status",
            "a status in capitals",
            json!({ "status": "Revoked" }),
        ),
        (
            "api-keys-null",
            "`null` is no value",
            json!({ "status": null }),
        ),
        (
            "api-keys-claims",
            "claims in an array",
            json!({ "claims": [] }),
        ),
        (
            "api-keys-claims-sub",
            "a free claim in place of a field",
            json!({ "claims": { "sub": "root" } }),
        ),
        (
            "api-keys-claims-exp",
            "a free expiry",
            json!({ "claims": { "exp": NOW_S + 600 } }),
        ),
        (
            "api-keys-claims-many",
            "65 free claims",
            json!({ "claims": (0..65).map(|n| (n.to_string(), json!(n))).collect::<serde_json::Map<_, _>>() }),
        ),
        (
            "api-keys-unknown",
            "an unknown field",
            json!({ "not_before": NOW_S + 600 }),
        ),
    ] {
        drafts.push(bad(id, title, with(a(), members)));
    }
    drafts.extend([
        twice(
            "api-keys-id-twice",
            "one id twice: neither is good",
            with(a(), json!({ "status": "revoked" })),
        ),
        twice(
            "api-keys-id-bad",
            "one id twice, the second is no key",
            json!({ "id": "aaaa1111" }),
        ),
        twice(
            "api-keys-hash-twice",
            "one hash twice: neither is good",
            with(a(), json!({ "id": "row-2" })),
        ),
        draft(
            "api-keys-thrice",
            "and a third one changes nothing",
            &["api-keys.twice"],
        )
        .due(&["api_keys"])
        .accept_but(
            "api_keys",
            ok(&listing(&[a(), a(), a()])),
            &["/keys/1", "/keys/2"],
        )
        .ask(bearer("aaaa1111"), Code::ApiKeyInvalid),
    ]);
    drafts
}

fn policies() -> Vec<Draft> {
    let refused = |id: &str, title: &str, rule: &str, policy: Policy, problems: &[(&str, &str)]| {
        vector(id, title, &[rule])
            .secret("pepper", PEPPER)
            .policy(policy)
            .refused(problems)
    };
    const KEYS: &str = "/issuers/0/api_keys";
    vec![
        refused(
            "policy-api-keys-prefix",
            "a prefix with which a JWT can begin",
            "policy.api-keys",
            at_uri(json!({ "prefix": ["eyJ"] })),
            &[("value_invalid", "/issuers/0/api_keys/prefix/0")],
        )
        .attack("api-key-jwt"),
        refused(
            "policy-api-keys-prefixes",
            "a prefix that begins as another",
            "policy.api-keys",
            at_uri(json!({ "prefix": ["sk_", "sk_live_"] })),
            &[("conflict", "/issuers/0/api_keys/prefix/1")],
        ),
        refused(
            "policy-api-keys-places",
            "no document, or two",
            "policy.api-keys",
            at_uri(json!({ "inline": { "keys": [] } })),
            &[("conflict", KEYS)],
        ),
        refused(
            "policy-api-keys-pepper",
            "no pepper",
            "policy.api-keys",
            at_uri(json!({ "pepper": [] })),
            &[("value_invalid", "/issuers/0/api_keys/pepper")],
        ),
        refused(
            "policy-api-keys-short",
            "a short pepper",
            "policy.api-keys",
            at_uri(json!({ "pepper": [{ "version": "1", "secret": "short" }] })),
            &[("value_invalid", "/issuers/0/api_keys/pepper/0")],
        ),
        refused(
            "policy-api-keys-audiences",
            "a field of tokens",
            "policy.api-keys",
            at_uri(json!({})).issuer("audiences", "any"),
            &[("conflict", "/issuers/0/audiences")],
        ),
        refused(
            "policy-api-keys-entry",
            "an inline key that would be skipped",
            "api-keys.inline",
            {
                let keys = json!([with(entry("aaaa1111"), json!({ "status": "gone" }))]);
                at_uri(json!({})).issuer(
                    "api_keys",
                    json!({
                        "inline": { "keys": keys }, "prefix": ["sk_live_"],
                        "pepper": [{ "version": "2026-11", "secret_from": "pepper" }],
                    }),
                )
            },
            &[("key_unusable", "/issuers/0/api_keys/inline/keys/0")],
        ),
        refused(
            "policy-secret-missing",
            "a secret that the host does not have",
            "policy.secret-from",
            at_uri(json!({ "pepper": [{ "version": "2026-11", "secret_from": "salt" }] })),
            &[("secret_missing", "/issuers/0/api_keys/pepper/0/secret_from")],
        ),
        vector(
            "policy-secret-hmac",
            "a secret of HS* by its name",
            &["policy.secret-from"],
        )
        .secret("house", "0123456789abcdef0123456789abcdef")
        .policy(policy().issuer("algorithms", json!(["HS256"])).issuer(
            "keys",
            json!({ "secrets": [{ "kid": "s", "secret_from": "house" }] }),
        ))
        .ask(
            {
                let unsigned = token().alg("HS256").header("kid", "s");
                let tag = hmac::<hmac::Hmac<sha2::Sha256>>(
                    b"0123456789abcdef0123456789abcdef",
                    unsigned.signing_input().as_bytes(),
                );
                unsigned.signature(tag)
            },
            allow(),
        ),
        refused(
            "policy-secret-both",
            "a secret that is inline and named",
            "policy.secret-from",
            policy().issuer("algorithms", json!(["HS256"])).issuer(
                "keys",
                json!({ "secrets": [{ "k": encode([1; 32]), "secret_from": "pepper" }] }),
            ),
            &[("conflict", "/issuers/0/keys/secrets/0")],
        ),
    ]
}
