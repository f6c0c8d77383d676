//! Rules and conditions of Istio.

use serde_json::{Value, json};

use super::{SECRET, from_istio, nobody};

fn input(rules: &str, action: &str, authorization: &str) -> String {
    format!(
        "kind: RequestAuthentication\nspec: {{ jwtRules: [{rules}] }}\n---\n\
         kind: AuthorizationPolicy\nspec: {{ action: {action}, rules: [{authorization}] }}\n"
    )
}

fn rule(members: &str) -> String {
    format!("{{ issuer: 'https://a.example', jwks: {SECRET}, {members} }}")
}

fn required(action: &str, authorization: &str) -> Value {
    from_istio(&input(&rule(""), action, authorization))
        .required("/**")
        .clone()
}

#[test]
fn a_claim_is_a_text_or_an_item_of_a_list() {
    let when = |key: &str, values: &str| format!("{{ when: [{{ key: '{key}', {values} }}] }}");
    let groups = "request.auth.claims[groups]";
    let either = |one: Value, item: Value| json!({ "any_of": [one, item] });
    for (values, condition) in [
        (
            "values: [a]",
            either(json!({ "equals": "a" }), json!({ "contains": "a" })),
        ),
        (
            "values: [a, b]",
            either(
                json!({ "one_of": ["a", "b"] }),
                json!({ "some": { "one_of": ["a", "b"] } }),
            ),
        ),
        (
            "values: ['eng-*']",
            either(
                json!({ "starts_with": "eng-" }),
                json!({ "some": { "starts_with": "eng-" } }),
            ),
        ),
        (
            "values: ['*-ops']",
            either(
                json!({ "ends_with": "-ops" }),
                json!({ "some": { "ends_with": "-ops" } }),
            ),
        ),
        (
            "values: ['*']",
            either(
                json!({ "not": { "equals": "" } }),
                json!({ "some": { "not": { "equals": "" } } }),
            ),
        ),
        (
            "notValues: [guest]",
            json!({ "any_of": [{ "present": false }, { "not": { "equals": "guest" } },
                { "not": { "contains": "guest" } }] }),
        ),
    ] {
        let expected = json!({ "claims": { "/groups": condition } });
        assert_eq!(
            required("ALLOW", &when(groups, values)),
            expected,
            "{values}"
        );
    }
    let nested = when(
        "request.auth.claims[realm_access][roles]",
        "values: [admin]",
    );
    let claims = required("ALLOW", &nested)["claims"].clone();
    assert_eq!(
        claims["/realm_access/roles"]["any_of"][1],
        json!({ "contains": "admin" })
    );
    let scope = when("request.auth.claims[scope]", "notValues: [write]");
    assert_eq!(
        required("ALLOW", &scope)["claims"]["/scope"],
        json!({ "separator": " ", "any_of": [{ "present": false }, { "not": { "contains": "write" } }] })
    );
    let audiences = when("request.auth.audiences", "values: [x], notValues: [y]");
    assert_eq!(
        required("ALLOW", &audiences),
        json!({ "audiences": ["x"], "claims": { "/aud": { "any_of": [{ "present": false },
            { "not": { "equals": "y" } }, { "not": { "contains": "y" } }] } } })
    );
}

#[test]
fn a_request_principal_is_an_issuer_and_a_subject() {
    let from = |principals: &str| format!("{{ from: [{{ source: {{ {principals} }} }}] }}");
    let subject = |condition: Value| json!({ "claims": { "/sub": condition } });
    for (principals, expected) in [
        ("requestPrincipals: ['*']", json!({ "subject": "present" })),
        (
            "requestPrincipals: ['https://a.example/*']",
            json!({ "subject": "present" }),
        ),
        (
            "requestPrincipals: ['https://a.example/alice']",
            subject(json!({ "equals": "alice" })),
        ),
        (
            "requestPrincipals: ['https://a.example/team-*']",
            subject(json!({ "starts_with": "team-" })),
        ),
        (
            "requestPrincipals: ['*-bot']",
            subject(json!({ "ends_with": "-bot" })),
        ),
        (
            "notRequestPrincipals: ['*/mallory']",
            subject(
                json!({ "any_of": [{ "present": false }, { "not": { "equals": "mallory" } }] }),
            ),
        ),
        (
            "notRequestPrincipals: ['*']",
            subject(json!({ "any_of": [{ "present": false }, { "equals": "" }] })),
        ),
    ] {
        assert_eq!(
            required("ALLOW", &from(principals)),
            expected,
            "{principals}"
        );
    }
    let denied = input(
        &rule(""),
        "DENY",
        &from("requestPrincipals: ['https://a.example/*']"),
    );
    let made = from_istio(&denied);
    assert_eq!(
        *made.required("/**"),
        subject(json!({ "any_of": [{ "present": false }, { "equals": "" }] }))
    );
}

#[test]
fn without_a_token_nothing_is_known_of_claims() {
    let admin = "{ when: [{ key: 'request.auth.claims[role]', values: [guest] }] }";
    let denied = from_istio(&input(&rule(""), "DENY", admin));
    assert_eq!(denied.rule("/**")["optional"], json!(true));
    let allowed = from_istio(&input(&rule(""), "ALLOW", admin));
    assert!(allowed.rule("/**").get("optional").is_none());
}

#[test]
fn every_jwt_rule_has_its_places_headers_and_keys() {
    let other = format!(
        "{{ issuer: 'https://b.example', jwks: {SECRET}, fromParams: [t], fromCookies: [c] }}"
    );
    let rules = format!(
        "{}, {other}",
        rule(
            "fromHeaders: [{ name: x-a, prefix: 'Token ' }], outputClaimToHeaders: [{ header: x-mail, claim: email.work }]"
        )
    );
    let made = from_istio(&input(&rules, "ALLOW", "{}"));
    let places = json!([
        { "header": "x-a", "scheme": "Token", "issuers": ["a.example"] },
        { "cookie": "c", "issuers": ["b.example"] },
        { "query": "t", "issuers": ["b.example"] },
    ]);
    let rule = made.rule("/**");
    assert_eq!(rule["credentials"], places);
    assert_eq!(rule["optional"], json!(true));
    assert_eq!(made.policy["credentials"], json!([places[0], places[1]]));
    // Only one of the rules sets it.
    assert_eq!(made.policy["forward"], json!({ "x-mail": "tenant" }));

    let one = super::istio::rule(
        "outputClaimToHeaders: [{ header: x-mail, claim: email.work }, { header: x-sub, claim: sub }]",
    );
    let made = from_istio(&input(&one, "ALLOW", "{}"));
    assert_eq!(
        made.policy["forward"],
        json!({ "x-mail": { "claim": "/email/work" }, "x-sub": "subject" })
    );
}

#[test]
fn jwt_rules_of_one_issuer_share_their_keys() {
    let discovered = "{ issuer: 'https://a.example' }";
    let made = from_istio(&input(
        &format!("{}, {discovered}", rule("")),
        "ALLOW",
        "{}",
    ));
    let keys = made.policy["issuers"][0]["keys"].as_array().unwrap();
    assert_eq!(keys[0]["algorithms"], json!(["HS256"]));
    assert_eq!(
        keys[1],
        json!({ "discovery": true, "algorithms": ["RS256"] })
    );
}

#[test]
fn what_a_policy_cannot_see_is_denied() {
    for authorization in [
        "{ from: [{ source: { ipBlocks: [10.0.0.0/8] } }] }",
        "{ when: [{ key: 'request.headers[x-a]', values: [b] }] }",
        "{ when: [{ key: 'request.auth.claims[url]', values: ['https://a.example*'] }] }",
    ] {
        let made = from_istio(&input(&rule(""), "ALLOW", authorization));
        assert_eq!(made.policy["rules"], json!([]), "{authorization}");
        let made = from_istio(&input(&rule(""), "DENY", authorization));
        let rules = made.policy["rules"].as_array().unwrap();
        let all = rules.iter().all(|rule| rule["require"] == nobody());
        assert!(all, "{authorization} {rules:?}");
    }
}
