//! Providers, requirements and claims of an Envoy configuration.

use serde_json::json;

use super::{Options, chain, claim, from_envoy, nobody, of_one, provider, rbac};

/// What a rule for all paths requires, where RBAC admits this principal.
fn required(action: &str, principal: &str) -> serde_json::Value {
    let text = of_one("", &rbac(action, principal));
    let made = from_envoy(&text, &Options::default());
    match made.policy["rules"].as_array().unwrap().is_empty() {
        true => nobody(),
        false => made.required("/**").clone(),
    }
}

#[test]
fn a_claim_is_compared_by_its_beginning_its_end_or_its_presence() {
    for (value, condition) in [
        ("{ string_match: { exact: x } }", json!({ "equals": "x" })),
        (
            "{ string_match: { prefix: team- } }",
            json!({ "starts_with": "team-" }),
        ),
        (
            "{ string_match: { suffix: '@a.example' } }",
            json!({ "ends_with": "@a.example" }),
        ),
        (
            "{ string_match: { safe_regex: { regex: 'team-.*' } } }",
            json!({ "starts_with": "team-" }),
        ),
        (
            "{ string_match: { safe_regex: { regex: '.*-ops' } } }",
            json!({ "ends_with": "-ops" }),
        ),
        (
            "{ string_match: { safe_regex: { regex: '.+' } } }",
            json!({ "not": { "equals": "" } }),
        ),
        ("{ present_match: true }", json!({ "present": true })),
        ("{ bool_match: true }", json!({ "equals": true })),
        ("{ double_match: { exact: 7 } }", json!({ "equals": 7 })),
        (
            "{ list_match: { one_of: { string_match: { exact: x } } } }",
            json!({ "contains": "x" }),
        ),
        (
            "{ list_match: { one_of: { string_match: { prefix: eng- } } } }",
            json!({ "some": { "starts_with": "eng-" } }),
        ),
        (
            "{ or_match: { value_matchers: [{ string_match: { exact: x } }, { string_match: { prefix: y- } }] } }",
            json!({ "any_of": [{ "equals": "x" }, { "starts_with": "y-" }] }),
        ),
    ] {
        let required = required("ALLOW", &claim(&["team", "name"], value));
        assert_eq!(
            required,
            json!({ "claims": { "/team/name": condition } }),
            "{value}"
        );
    }
}

#[test]
fn what_must_not_hold_of_a_claim_holds_without_it() {
    for (value, condition) in [
        (
            "{ string_match: { exact: guest } }",
            json!({ "any_of": [{ "present": false }, { "not": { "equals": "guest" } }] }),
        ),
        (
            "{ list_match: { one_of: { string_match: { exact: guest } } } }",
            json!({ "any_of": [{ "present": false }, { "not": { "contains": "guest" } }] }),
        ),
    ] {
        let expected = json!({ "claims": { "/role": condition } });
        let principal = claim(&["role"], value);
        assert_eq!(required("DENY", &principal), expected);
        assert_eq!(
            required("ALLOW", &format!("{{ not_id: {principal} }}")),
            expected
        );
    }
    let (one, two) = (
        "{ string_match: { exact: a } }",
        "{ string_match: { exact: b } }",
    );
    let either = format!("{}, {}", claim(&["role"], one), claim(&["role"], two));
    assert_eq!(
        required("DENY", &either),
        json!({ "claims": { "/role":
            { "any_of": [{ "present": false }, { "not": { "one_of": ["a", "b"] } }] } } })
    );
}

#[test]
fn what_a_policy_would_admit_more_of_is_denied() {
    for (action, value) in [
        // `null` counts as absent, so that more would be.
        ("DENY", "{ present_match: true }"),
        // `Guest` would pass.
        (
            "DENY",
            "{ string_match: { exact: guest, ignore_case: true } }",
        ),
        // An empty text would pass.
        ("DENY", "{ string_match: { safe_regex: { regex: '.*' } } }"),
        ("ALLOW", "{ string_match: { contains: x } }"),
        (
            "ALLOW",
            "{ string_match: { safe_regex: { regex: '[a-z]+' } } }",
        ),
        // The host could be longer.
        ("ALLOW", "{ string_match: { prefix: 'https://a.example' } }"),
        ("ALLOW", "{ null_match: {} }"),
    ] {
        assert_eq!(
            required(action, &claim(&["role"], value)),
            nobody(),
            "{action} {value}"
        );
    }
    // A number in a pointer is a position in a list.
    let value = "{ string_match: { exact: x } }";
    assert_eq!(
        required("ALLOW", &claim(&["roles", "'0'"], value)),
        nobody()
    );
}

#[test]
fn words_of_a_claim_are_compared_where_every_provider_splits_it() {
    let split = "normalize_payload_in_metadata: { space_delimited_claims: [scope] }";
    let has = "{ list_match: { one_of: { string_match: { exact: read } } } }";
    let text = of_one(split, &rbac("ALLOW", &claim(&["scope"], has)));
    assert_eq!(
        *from_envoy(&text, &Options::default()).required("/**"),
        json!({ "claims": { "/scope": { "separator": " ", "contains": "read" } } })
    );
    let both = chain(
        &format!("{{ {}, {} }}", provider("a", split), provider("b", "")),
        "[{ match: { prefix: / }, requires: { provider_name: a } }]",
        &rbac("ALLOW", &claim(&["scope"], has)),
    );
    let made = from_envoy(&both, &Options::default());
    assert!(made.says("stricter", "only some providers split the claim"));
}

#[test]
fn each_place_names_the_issuers_whose_tokens_are_good_there() {
    let providers = format!(
        "{{ {}, {} }}",
        provider("a", "from_headers: [{ name: x-a }], from_cookies: [a]"),
        provider("b", "from_params: [ticket]"),
    );
    let any = "requires_any: { requirements: [{ provider_name: a }, { provider_name: b }] }";
    let rules = format!(
        "[{{ match: {{ path_separated_prefix: /a }}, requires: {{ provider_name: a }} }}, \
          {{ match: {{ path_separated_prefix: /b }}, requires: {{ provider_name: b }} }}, \
          {{ match: {{ prefix: / }}, requires: {{ {any} }} }}]"
    );
    let made = from_envoy(&chain(&providers, &rules, ""), &Options::default());
    // A policy's own list has no query.
    let of_a = json!([
        { "header": "x-a", "issuers": ["a"] },
        { "cookie": "a", "issuers": ["a"] },
    ]);
    assert_eq!(made.policy["credentials"], of_a);
    assert!(made.rule("/a/**").get("credentials").is_none());
    assert_eq!(
        made.rule("/b/**")["credentials"],
        json!([{ "query": "ticket" }])
    );
    let all = json!([of_a[0], of_a[1], { "query": "ticket", "issuers": ["b"] }]);
    assert_eq!(made.rule("/**")["credentials"], all);
    assert!(made.says("stricter", "two different tokens in one request"));
}

#[test]
fn tokens_in_the_query_are_read_by_default_only_where_that_is_chosen() {
    let text = of_one("", "");
    let made = from_envoy(&text, &Options::default());
    assert!(made.says("stricter", "`--query-token` reads them"));
    let options = Options {
        query_token: true,
        ..Options::default()
    };
    let made = from_envoy(&text, &options);
    assert_eq!(
        made.rule("/**")["credentials"],
        json!([{ "header": "authorization", "scheme": "Bearer" }, { "query": "access_token" }])
    );
}

#[test]
fn a_password_is_not_read_as_a_token() {
    let text = of_one(
        "from_headers: [{ name: authorization, value_prefix: 'Basic ' }, { name: x-a }]",
        "",
    );
    let made = from_envoy(&text, &Options::default());
    assert_eq!(made.policy["credentials"], json!([{ "header": "x-a" }]));
}

#[test]
fn a_bad_token_is_ignored_where_it_was() {
    let any =
        "requires_any: { requirements: [{ provider_name: a }, { allow_missing_or_failed: {} }] }";
    let rules = format!("[{{ match: {{ prefix: / }}, requires: {{ {any} }} }}]");
    let one = format!("{{ {} }}", provider("a", ""));
    let made = from_envoy(&chain(&one, &rules, ""), &Options::default());
    let rule = made.rule("/**");
    assert_eq!(rule["optional"], json!({ "bad_token": "ignore" }));
    assert!(rule.get("credentials").is_none() && rule.get("require").is_none());

    // Another issuer's token is a bad one too: the rule's places name theirs.
    let two = format!("{{ {}, {} }}", provider("a", ""), provider("b", ""));
    let made = from_envoy(&chain(&two, &rules, ""), &Options::default());
    let bearer = json!([{ "header": "authorization", "scheme": "Bearer", "issuers": ["a"] }]);
    assert_eq!(made.rule("/**")["credentials"], bearer);
    assert_eq!(*made.required("/**"), json!({ "issuers": ["a"] }));

    let missing = rules.replace("allow_missing_or_failed", "allow_missing");
    let made = from_envoy(&chain(&two, &missing, ""), &Options::default());
    assert_eq!(made.rule("/**")["optional"], json!(true));
}

#[test]
fn a_second_token_is_that_of_another_principal() {
    let providers = format!(
        "{{ {}, {} }}",
        provider(
            "a",
            "claim_to_headers: [{ header_name: x-user, claim_name: email }]"
        ),
        provider(
            "b",
            "from_headers: [{ name: x-workload }], audiences: [mesh], claim_to_headers: \
             [{ header_name: x-workload-id, claim_name: sub }, { header_name: x-team, claim_name: org.team }]"
        ),
    );
    let all = "requires_all: { requirements: [{ provider_name: a }, { provider_name: b }] }";
    let rules = format!("[{{ match: {{ prefix: / }}, requires: {{ {all} }} }}]");
    let made = from_envoy(&chain(&providers, &rules, ""), &Options::default());
    assert_eq!(
        *made.rule("/**"),
        json!({
            "path": "/**",
            "credentials": [
                { "header": "authorization", "scheme": "Bearer" },
                { "header": "x-workload", "issuers": ["b"], "principal": "b" },
            ],
            "require": { "issuers": ["a"] },
            "principals": { "b": { "issuers": ["b"] } },
        })
    );
    assert_eq!(
        made.policy["forward"],
        json!({
            "x-team": { "principal": "b", "claim": "/org/team" },
            "x-user": { "claim": "/email" },
            "x-workload-id": { "principal": "b", "value": "subject" },
        })
    );

    // Which of two tokens stands in one header cannot be known.
    let same = format!("{{ {}, {} }}", provider("a", ""), provider("b", ""));
    let made = from_envoy(&chain(&same, &rules, ""), &Options::default());
    assert_eq!(made.policy["rules"], json!([]));
    assert!(made.says(
        "stricter",
        "several only where each is read from places of its own"
    ));
}

#[test]
fn the_claims_of_a_second_token_are_asked_for_in_no_rule() {
    let providers = format!(
        "{{ {}, {} }}",
        provider("b", ""),
        provider("a", "from_headers: [{ name: x-workload }]"),
    );
    let all = "requires_all: { requirements: [{ provider_name: b }, { provider_name: a }] }";
    let rules = format!("[{{ match: {{ prefix: / }}, requires: {{ {all} }} }}]");
    let guest = claim(&["role"], "{ string_match: { exact: guest } }");
    for action in ["ALLOW", "DENY"] {
        let text = chain(&providers, &rules, &rbac(action, &guest));
        let made = from_envoy(&text, &Options::default());
        assert_eq!(made.policy["rules"], json!([]), "{action}");
        assert!(made.says("stricter", "the claims of a request's second token"));
    }
}

#[test]
fn a_header_is_set_from_one_claim_for_every_issuer_or_not_at_all() {
    let sets = "claim_to_headers: [{ header_name: x-email, claim_name: email }]";
    let rules = "[{ match: { prefix: / }, requires: { requires_any: { requirements: [{ provider_name: a }, { provider_name: b }] } } }]";
    let both = |a: &str, b: &str| {
        let providers = format!("{{ {}, {} }}", provider("a", a), provider("b", b));
        from_envoy(&chain(&providers, rules, ""), &Options::default())
    };
    let made = both(sets, sets);
    assert_eq!(
        made.policy["forward"],
        json!({ "x-email": { "claim": "/email" } })
    );
    // It is removed all the same: no token has a tenant.
    let made = both(sets, "");
    assert_eq!(made.policy["forward"], json!({ "x-email": "tenant" }));
    assert!(made.says(
        "stricter",
        "the header `x-email` is removed from requests and not set"
    ));
}

#[test]
fn no_header_of_the_policy_has_an_underscore() {
    let members = "from_headers: [{ name: x_token }, { name: x-other }], \
                   claim_to_headers: [{ header_name: X_Email, claim_name: email }]";
    let providers = format!("{{ {} }}", provider("a", members));
    let rules = "[{ match: { prefix: / }, requires: { provider_name: a } }]";
    let made = from_envoy(&chain(&providers, rules, ""), &Options::default());
    // Each spelling of it is removed from requests.
    assert_eq!(
        made.policy["forward"],
        json!({ "x-email": { "claim": "/email" } })
    );
    assert_eq!(made.policy["credentials"], json!([{ "header": "x-other" }]));
    assert!(made.says("stricter", "a header with `_` in its name is not read"));
    assert!(made.says("changed", "the header is set with `-` in place of `_`"));
}
