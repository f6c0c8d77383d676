//! Issuers: their keys, clocks and requirements.

use serde_json::{Value, json};

use super::{Options, SECRET, chain, from_envoy, provider};

const PUBLIC: &str = r#"{"kty":"EC","crv":"P-256","kid":"e","x":"HP6Ge-SURNjz7q3rmjL8_8NXYpG2bnKJ7SDa830X5ho","y":"d-OFU5OdxWcUNp_N7MzKg3dzenj6eqGwcyrVDN7rTVc"}"#;
const OTHER: &str =
    r#"{"kty":"OKP","crv":"Ed25519","kid":"d","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// A provider of `https://a.example`.
fn same(name: &str, keys: &str, members: &str) -> String {
    format!(
        "{name}: {{ issuer: 'https://a.example', local_jwks: {{ inline_string: '{{\"keys\":[{keys}]}}' }}, {members} }}"
    )
}

fn issuers(providers: &[String], requires: &str) -> Value {
    let rules = format!("[{{ match: {{ prefix: / }}, requires: {requires} }}]");
    let text = chain(&format!("{{ {} }}", providers.join(", ")), &rules, "");
    from_envoy(&text, &Options::default()).policy["issuers"].clone()
}

const OF_P: &str = "{ provider_name: p }";

#[test]
fn several_public_keys_are_one_source_and_secrets_another() {
    let secret = SECRET.trim_matches('\'');
    let secret = secret
        .trim_start_matches(r#"{"keys":["#)
        .trim_end_matches("]}");
    let keys = [PUBLIC, OTHER, secret].join(",");
    let issuers = issuers(&[same("p", &keys, "")], OF_P);
    let key = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(issuers[0]["algorithms"], json!(["ES256", "EdDSA", "HS256"]));
    assert_eq!(
        issuers[0]["keys"],
        json!([
            { "jwks": { "keys": [key(PUBLIC), key(OTHER)] }, "algorithms": ["ES256", "EdDSA"] },
            { "secrets": [{ "k": key(secret)["k"], "kid": "s", "alg": "HS256" }], "algorithms": ["HS256"] },
        ])
    );
}

#[test]
fn providers_of_one_issuer_share_their_keys_where_a_token_of_either_is_good() {
    let providers = [same("p", PUBLIC, ""), same("q", OTHER, "")];
    let either = "{ requires_any: { requirements: [{ provider_name: p }, { provider_name: q }] } }";
    let joined = issuers(&providers, either);
    assert_eq!(joined.as_array().unwrap().len(), 1);
    let keys = joined[0]["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[1]["algorithms"], json!(["EdDSA"]));

    // What only one of them verifies is not good everywhere.
    let one = |issuers: Value| issuers[0]["keys"]["jwks"]["keys"].as_array().map(Vec::len);
    assert_eq!(one(issuers(&providers, OF_P)), Some(1));
    let first = "{ requires_any: { requirements: [{ provider_name: p }, { requires_all: { requirements: \
                 [{ provider_name: p }, { provider_name: q }] } }] } }";
    assert_eq!(one(issuers(&providers, first)), Some(1));
    assert_eq!(one(issuers(&providers, "{ allow_missing: {} }")), Some(1));
    let narrower = [providers[0].clone(), same("q", OTHER, "audiences: [x]")];
    assert_eq!(one(issuers(&narrower, either)), Some(1));
}

#[test]
fn an_issuer_has_its_own_leeway_where_clocks_differ() {
    let providers = [
        provider("a", "clock_skew_seconds: 10"),
        provider("p", ""),
        provider("c", "clock_skew_seconds: 600"),
        provider("d", ""),
    ];
    let rules = "[{ match: { prefix: / }, requires: { provider_name: p } }]";
    let text = chain(&format!("{{ {} }}", providers.join(", ")), rules, "");
    let policy = from_envoy(&text, &Options::default()).policy;
    assert_eq!(policy["leeway_s"], 60);
    let own = |index: usize| policy["issuers"][index]["leeway_s"].clone();
    assert_eq!(
        [own(0), own(1), own(2), own(3)],
        [json!(10), Value::Null, json!(300), Value::Null]
    );
}

#[test]
fn a_required_subject_is_one_of_the_issuer() {
    let of = |subjects: &str| {
        let issuers = issuers(&[provider("p", &format!("subjects: {subjects}"))], OF_P);
        issuers[0]["require"].clone()
    };
    assert_eq!(
        of("{ exact: robot }"),
        json!({ "/sub": { "equals": "robot" } })
    );
    assert_eq!(
        of("{ prefix: 'spiffe://mesh.example/' }"),
        json!({ "/sub": { "starts_with": "spiffe://mesh.example/" } })
    );
    let never = json!({ "/iss": { "equals": false } });
    assert_eq!(of("{ contains: robot }"), never);
    assert_eq!(of("{ prefix: 'spiffe://mesh.example' }"), never);
    assert_eq!(of("{ exact: robot, ignore_case: true }"), never);
}

#[test]
fn a_provider_without_issuer_is_for_tokens_without_iss() {
    let keys = format!("local_jwks: {{ inline_string: {SECRET} }}");
    let providers = [format!("p: {{ {keys}, max_lifetime: 60s }}")];
    let issuers = issuers(&providers, OF_P);
    assert_eq!(issuers[0]["issuer"], json!({ "absent": true }));
    assert_eq!(
        issuers[0]["token_types"][0]["claim"],
        json!({ "/iss": { "present": false } })
    );
}
