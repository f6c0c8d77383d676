//! Tests of the problems that the parser reports.

use std::collections::BTreeSet;

use countersign::{Severity, lint};
use serde_json::{Value, json};

use crate::{
    mutation::{WHOLE, mutations, places},
    place::{parsed, set},
};

#[test]
fn each_mutation_has_exactly_its_problems() {
    let mut differing = Vec::new();
    for mutation in mutations() {
        let found = lint(mutation.policy.to_string().as_bytes());
        if places(&found) != mutation.expected {
            differing.push((mutation.name, found));
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
}

#[test]
fn each_code_has_a_mutation() {
    let codes = mutations()
        .into_iter()
        .flat_map(|mutation| mutation.expected);
    let shown: BTreeSet<String> = codes.map(|(_, code, _)| code).collect();
    let expected = [
        "admits_more",
        "conflict",
        "csrf",
        "duplicate",
        "exp_not_required",
        "field_missing",
        "field_unknown",
        "inline_secret",
        "insecure_http",
        "jwks_no_usable_key",
        "jwks_symmetric",
        "key_encoding",
        "key_not_tried",
        "key_unusable",
        "matches_nothing",
        "resource_unknown",
        "tenant_unmapped",
        "too_deep",
        "too_many",
        "type_wrong",
        "unknown_name",
        "unreachable",
        "value_invalid",
        "value_out_of_range",
    ];
    assert_eq!(shown, expected.map(str::to_owned).into());
}

#[test]
fn every_problem_points_at_something_in_the_policy() {
    for mutation in mutations() {
        for problem in lint(mutation.policy.to_string().as_bytes()) {
            assert!(
                mutation.policy.pointer(&problem.pointer).is_some(),
                "{problem:?}"
            );
        }
    }
}

#[test]
fn every_message_is_in_lower_case_and_without_a_full_stop() {
    for mutation in mutations() {
        for problem in lint(mutation.policy.to_string().as_bytes()) {
            let message = &problem.message;
            let starts = message.chars().next().is_some_and(|c| !c.is_uppercase());
            let acronym = message.starts_with("HS256") || message.starts_with("JWK");
            assert!((starts || acronym) && !message.ends_with('.'), "{message}");
        }
    }
}

#[test]
fn all_problems_are_reported_at_once_in_the_order_of_the_policy() {
    let policy = br#"{
        "rules": [{ "path": "orgs", "publik": true }, { "path": "/a", "require": { "types": ["pat"] } }],
        "leeway_s": 301,
        "issuers": [{
            "issuer": "https://auth.example.com",
            "keys": { "jwks_uri": "http://auth.example.com/jwks" },
            "algorithms": ["none"],
            "name": "platform"
        }],
        "contract": "2"
    }"#;
    let found: Vec<(String, &str)> = lint(policy)
        .into_iter()
        .map(|problem| (problem.pointer, problem.code))
        .collect();
    let expected = [
        ("/rules/0", "field_missing"),
        ("/rules/0/path", "value_invalid"),
        ("/rules/0/publik", "field_unknown"),
        ("/rules/1/require/types/0", "unknown_name"),
        ("/leeway_s", "value_out_of_range"),
        ("/issuers/0", "field_missing"),
        ("/issuers/0/keys/jwks_uri", "value_invalid"),
        ("/issuers/0/algorithms/0", "value_invalid"),
        ("/contract", "value_invalid"),
    ];
    assert_eq!(
        found,
        expected.map(|(place, code)| (place.to_owned(), code))
    );
}

#[test]
fn a_misspelled_name_gets_a_suggestion() {
    for (place, wrong, meant) in [
        ("/leway_s", json!(5), "leeway_s"),
        ("/issuers/0/aud", json!("any"), "audiences"),
        ("/issuers/0/keys/jwks-url", json!(""), "jwks_uri"),
        ("/rules/0/Methods", json!([]), "methods"),
        ("/rules/1/require/types/0", json!("acess"), "access"),
        ("/rules/1/require/issuers/0", json!("platfrom"), "platform"),
        ("/rules/1/require/tenant", json!("{orgs}"), "org"),
        ("/forward/x-auth-type", json!("role"), "roles"),
    ] {
        let mut policy = parsed(WHOLE);
        set(&mut policy, place, wrong);
        let found = lint(policy.to_string().as_bytes());
        let hint = format!("did you mean `{meant}`?");
        assert!(
            found
                .iter()
                .any(|p| p.pointer == place && p.message.ends_with(&hint)),
            "{found:?}"
        );
    }
}

#[test]
fn a_json_fault_is_reported_with_its_line_and_column_or_its_place() {
    let one = |text: &[u8]| match &lint(text)[..] {
        [problem] => (
            problem.pointer.clone(),
            problem.code,
            problem.message.clone(),
        ),
        problems => panic!("{problems:?}"),
    };
    let (place, code, message) = one(b"{\n  \"contract\": \"1\",\n}");
    assert_eq!((&*place, code), ("", "syntax"));
    assert!(message.contains("line 3, column 1"), "{message}");
    let (place, code, message) = one(b"{ \"issuers\": [{ \"name\": 1,\n \"n\\u0061me\": 2 }] }");
    assert_eq!((&*place, code), ("/issuers/0/name", "duplicate"));
    assert!(message.contains("line 2"), "{message}");
    assert_eq!(one(b"").1, "syntax");
    assert_eq!(one(b"{\"contract\": \"\xff\"}").1, "syntax");
    assert_eq!(one("[".repeat(100).as_bytes()).1, "too_deep");
    assert_eq!(one(&vec![b' '; 16 * 1024 * 1024 + 1]).1, "too_large");
}

#[test]
fn invalid_names_cause_no_further_problems() {
    let mut policy = parsed(WHOLE);
    set(&mut policy, "/issuers/0/name", json!(5));
    let found = places(&lint(policy.to_string().as_bytes()));
    assert_eq!(
        found,
        [(
            "/issuers/0/name".into(),
            "type_wrong".into(),
            Severity::Error
        )]
        .into()
    );
}

#[test]
fn very_many_problems_are_counted() {
    let mut policy = parsed(WHOLE);
    let rules: Vec<Value> = (0..10_000)
        .map(|i| json!({ "path": format!("a{i}") }))
        .collect();
    policy["rules"] = json!(rules);
    let found = lint(policy.to_string().as_bytes());
    let last = found.last().unwrap();
    assert_eq!((&*last.pointer, last.code), ("", "too_many"));
    let left_out: usize = last
        .message
        .split(' ')
        .next_back()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(left_out + found.len() - 1, 20_000);
}

#[test]
fn no_message_quotes_a_secret_or_a_password() {
    let mut policy = parsed(WHOLE);
    set(
        &mut policy,
        "/issuers/3/keys/secrets/0",
        json!({ "k": "hunter2", "hunter2": "hunter2" }),
    );
    set(
        &mut policy,
        "/issuers/0/keys/jwks_uri",
        json!("https://me:hunter2@auth.example.com/"),
    );
    let found = lint(policy.to_string().as_bytes());
    // With the warning of the inline secret.
    assert_eq!(found.len(), 3);
    assert!(
        found.iter().all(|p| !p.message.contains("me:hunter2")),
        "{found:?}"
    );
    set(
        &mut policy,
        "/issuers/3/keys/secrets/0",
        json!({ "k": "hunter2" }),
    );
    let found = lint(policy.to_string().as_bytes());
    assert!(
        found.iter().all(|p| !p.message.contains("hunter2")),
        "{found:?}"
    );
}
