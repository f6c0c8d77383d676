//! What the gate decides by an imported policy, and what Envoy decides.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use countersign::{Decision, Gate, Request};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Made, Options, SECRET, chain, claim, from_envoy, from_istio, of_one, provider, rbac};

const NOW_S: u64 = 1_790_000_000;

/// A token of the provider of this name.
fn token(name: &str, claims: &Value) -> String {
    let mut all =
        json!({ "iss": format!("https://{name}.example"), "sub": "u", "exp": NOW_S + 60 });
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    let part = |value: &Value| BASE64.encode(value.to_string());
    let signed = format!(
        "{}.{}",
        part(&json!({ "alg": "HS256", "kid": "s" })),
        part(&all)
    );
    let key = b"secret-of-thirty-two-bytes-or-more!";
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(mac.finalize().into_bytes()))
}

fn gate(made: &Made) -> Gate {
    let opened = Gate::open(made.policy.to_string().as_bytes(), 1);
    opened.unwrap_or_else(|problems| panic!("{problems:?}\n{:#}", made.policy))
}

fn is_allowed(gate: &mut Gate, target: &str, headers: &[(&str, String)]) -> bool {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    let request = Request {
        method: b"GET",
        authority: b"api.example",
        target: target.as_bytes(),
        headers: &headers,
        connection: Default::default(),
    };
    matches!(gate.check(&request, NOW_S * 1000), Decision::Allow(_))
}

fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

/// A comparison, and whether a value matches it in Envoy.
type Matcher = (&'static str, fn(&Value) -> bool);

/// `ValueMatcher` (`source/common/common/matchers.cc`).
const MATCHERS: [Matcher; 9] = [
    ("{ string_match: { exact: guest } }", |value| {
        *value == "guest"
    }),
    ("{ string_match: { prefix: gu } }", |value| {
        starts(value, "gu")
    }),
    ("{ string_match: { suffix: st } }", |value| {
        ends(value, "st")
    }),
    (
        "{ string_match: { safe_regex: { regex: '.+' } } }",
        |value| value.as_str().is_some_and(|text| !text.is_empty()),
    ),
    ("{ bool_match: true }", |value| *value == true),
    ("{ double_match: { exact: 7 } }", |value| *value == 7),
    ("{ present_match: true }", |_| true),
    (
        "{ list_match: { one_of: { string_match: { exact: guest } } } }",
        |value| {
            value
                .as_array()
                .is_some_and(|items| items.contains(&json!("guest")))
        },
    ),
    (
        "{ list_match: { one_of: { string_match: { suffix: st } } } }",
        |value| {
            let mut items = value.as_array().into_iter().flatten();
            items.any(|item| ends(item, "st"))
        },
    ),
];

fn starts(value: &Value, text: &str) -> bool {
    value.as_str().is_some_and(|value| value.starts_with(text))
}

fn ends(value: &Value, text: &str) -> bool {
    value.as_str().is_some_and(|value| value.ends_with(text))
}

#[test]
fn a_claim_of_any_shape_is_admitted_only_where_envoy_admits_it() {
    // A claim that is missing, texts, lists of texts, and everything else.
    let texts = json!([{}, { "role": "guest" }, { "role": "Guest" }, { "role": "" }]);
    let lists = json!([{ "role": ["guest"] }, { "role": ["admin", "host"] }, { "role": [] }]);
    let others = json!([{ "role": true }, { "role": 7 }, { "role": { "guest": true } },
        { "role": ["guest", 7] }, { "role": null }]);
    let (mut same, mut stricter) = (0, 0);
    for (text, matches) in MATCHERS {
        let principal = claim(&["role"], text);
        let not = format!("{{ not_id: {principal} }}");
        for (action, principal, holds) in [
            ("ALLOW", &principal, true),
            ("DENY", &principal, false),
            ("ALLOW", &not, false),
        ] {
            let made = from_envoy(&of_one("", &rbac(action, principal)), &Options::default());
            let mut gate = gate(&made);
            for claims in [&texts, &lists, &others]
                .into_iter()
                .flat_map(|all| all.as_array().unwrap())
            {
                let role = claims.get("role");
                let theirs = role.is_some_and(matches) == holds;
                let ours = is_allowed(&mut gate, "/", &[bearer(&token("a", claims))]);
                assert!(theirs || !ours, "{action} {principal} {claims}");
                match theirs == ours {
                    true => same += 1,
                    false => stricter += 1,
                }
                // Of the shapes that a comparison is for, nothing is lost.
                let is_own = match text.contains("list_match") {
                    true => lists.as_array().unwrap().contains(claims),
                    false => {
                        texts.as_array().unwrap().contains(claims) && text.contains("string_match")
                    }
                };
                assert!(!is_own || theirs == ours, "{action} {principal} {claims}");
            }
        }
    }
    assert!(same > stricter, "{same} {stricter}");
}

#[test]
fn tokens_are_good_only_from_the_places_of_their_issuer() {
    let providers = format!(
        "{{ {}, {} }}",
        provider("a", "from_headers: [{ name: x-a }]"),
        provider("b", "from_params: [ticket]"),
    );
    let any = "requires_any: { requirements: [{ provider_name: a }, { provider_name: b }] }";
    let rules = format!("[{{ match: {{ prefix: / }}, requires: {{ {any} }} }}]");
    let mut gate = gate(&from_envoy(
        &chain(&providers, &rules, ""),
        &Options::default(),
    ));
    let [a, b] = ["a", "b"].map(|name| token(name, &json!({})));
    assert!(is_allowed(&mut gate, "/", &[("x-a", a.clone())]));
    assert!(is_allowed(&mut gate, &format!("/?ticket={b}"), &[]));
    assert!(!is_allowed(&mut gate, "/", &[("x-a", b)]));
    assert!(!is_allowed(&mut gate, &format!("/?ticket={a}"), &[]));
    assert!(!is_allowed(&mut gate, "/", &[bearer(&a)]));
}

#[test]
fn a_bad_token_is_nobodys_where_the_input_says_so() {
    let providers = format!(
        "{{ {}, {} }}",
        provider("a", "audiences: [x]"),
        provider("b", "")
    );
    let any =
        "requires_any: { requirements: [{ provider_name: a }, { allow_missing_or_failed: {} }] }";
    let rules = format!("[{{ match: {{ prefix: / }}, requires: {{ {any} }} }}]");
    let mut gate = gate(&from_envoy(
        &chain(&providers, &rules, ""),
        &Options::default(),
    ));
    let mut allows = |token: &str| is_allowed(&mut gate, "/", &[bearer(token)]);
    assert!(allows("a.b.c"));
    assert!(allows(&token("a", &json!({ "aud": "x" }))));
    assert!(allows(&token("a", &json!({ "aud": "y" }))));
    assert!(allows(&token("b", &json!({}))));
}

#[test]
fn two_tokens_are_needed_where_both_are_required() {
    let providers = format!(
        "{{ {}, {} }}",
        provider("a", ""),
        provider("b", "from_headers: [{ name: x-workload }]"),
    );
    let all = "requires_all: { requirements: [{ provider_name: a }, { provider_name: b }] }";
    let rules = format!("[{{ match: {{ prefix: / }}, requires: {{ {all} }} }}]");
    let mut gate = gate(&from_envoy(
        &chain(&providers, &rules, ""),
        &Options::default(),
    ));
    let [a, b] = ["a", "b"].map(|name| token(name, &json!({})));
    let workload = |token: &str| ("x-workload", token.to_owned());
    assert!(is_allowed(&mut gate, "/", &[bearer(&a), workload(&b)]));
    assert!(!is_allowed(&mut gate, "/", &[bearer(&a)]));
    assert!(!is_allowed(&mut gate, "/", &[workload(&b)]));
    assert!(!is_allowed(&mut gate, "/", &[bearer(&b), workload(&a)]));
    assert!(!is_allowed(&mut gate, "/", &[bearer(&a), workload(&a)]));
}

#[test]
fn the_gate_opens_a_policy_with_every_word() {
    let providers = format!(
        "{{ {}, {}, {}, {} }}",
        provider(
            "a",
            "clock_skew_seconds: 5, claim_to_headers: [{ header_name: x-a, claim_name: a.b }]"
        ),
        provider(
            "b",
            "from_headers: [{ name: x-b }], subjects: { prefix: b- }, claim_to_headers: [{ header_name: x-id, claim_name: sub }, { header_name: x-team, claim_name: team }]"
        ),
        provider("c", "from_params: [t], from_cookies: [c]"),
        format_args!("d: {{ local_jwks: {{ inline_string: {SECRET} }} }}"),
    );
    let rule = |path: &str, requires: &str| {
        format!("{{ match: {{ path_separated_prefix: {path} }}, requires: {{ {requires} }} }}")
    };
    let rules = [
        rule(
            "/two",
            "requires_all: { requirements: [{ provider_name: a }, { provider_name: b }] }",
        ),
        rule(
            "/c",
            "requires_any: { requirements: [{ provider_name: c }, { allow_missing_or_failed: {} }] }",
        ),
        rule(
            "/any",
            "requires_any: { requirements: [{ provider_name: a }, { provider_name: c }] }",
        ),
        rule("/d", "provider_name: d"),
        rule("/a", "provider_name: a"),
    ];
    let group = claim(
        &["groups"],
        "{ list_match: { one_of: { string_match: { prefix: eng- } } } }",
    );
    let text = chain(
        &providers,
        &format!("[{}]", rules.join(", ")),
        &rbac("ALLOW", &format!("{group}, {{ not_id: {group} }}")),
    );
    gate(&from_envoy(&text, &Options::default()));

    let keys = r#"'{"keys":[{"kty":"EC","crv":"P-256","kid":"e","x":"HP6Ge-SURNjz7q3rmjL8_8NXYpG2bnKJ7SDa830X5ho","y":"d-OFU5OdxWcUNp_N7MzKg3dzenj6eqGwcyrVDN7rTVc"}]}'"#;
    let istio = format!(
        "kind: RequestAuthentication\nspec: {{ jwtRules: [{{ issuer: 'https://a.example', jwks: {SECRET} }}, \
         {{ issuer: 'https://a.example', jwks: {keys} }}, {{ issuer: 'https://a.example' }}] }}\n---\n\
         kind: AuthorizationPolicy\nspec: {{ rules: [{{ from: [{{ source: {{ requestPrincipals: ['*'] }} }}], \
         when: [{{ key: 'request.auth.claims[scope]', notValues: ['write:*'] }}, \
         {{ key: 'request.auth.claims[groups]', values: ['*'], notValues: [guest] }}] }}] }}\n"
    );
    gate(&from_istio(&istio));
}
