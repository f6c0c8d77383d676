//! Single differences that random policies seldom have.
#![allow(missing_docs)]

use countersign_regions::{Admits, Difference, Subject, differences};
use serde_json::{Value, json};

fn policy(rules: &Value) -> Value {
    json!({
        "contract": "1",
        "issuers": [{ "name": "a", "issuer": "https://a.example", "audiences": "any",
            "algorithms": ["RS256"], "keys": { "discovery": true } }],
        "rules": rules,
    })
}

fn found(old: &Value, new: &Value) -> Vec<Difference> {
    differences(old, new, 1_790_000_000)
}

fn of_rules(old: &Value, new: &Value) -> Vec<Difference> {
    found(&policy(old), &policy(new))
}

fn can_admit_more(found: &[Difference]) -> bool {
    found.iter().any(Difference::admits_more)
}

#[test]
fn a_capture_is_where_it_stands_and_not_its_name() {
    let rule = |path: &str, name: &str| json!([{ "path": path, "require": { "subject": { "capture": name } } }]);
    let old = rule("/a/{x}/{y}", "x");
    assert!(of_rules(&old, &rule("/a/{p}/{q}", "p")).is_empty());
    assert!(
        of_rules(
            &old,
            &json!([{ "path": "/a/{p}/{q}", "require": { "subject": "{p}" } }])
        )
        .is_empty()
    );
    assert!(can_admit_more(&of_rules(&old, &rule("/a/{x}/{y}", "y"))));
}

#[test]
fn a_header_that_is_compared_no_more_may_be_sent_twice() {
    let rule = |required: Value| json!([{ "path": "/**", "require": required }]);
    let old = json!({ "any_of": [{ "roles": ["r"] }, { "tenant": { "header": "x-org" } }] });
    let found = of_rules(&rule(old), &rule(json!({ "roles": ["r"] })));
    let facts = found
        .iter()
        .flat_map(|one| &one.effects)
        .flat_map(|effect| {
            assert_ne!(effect.admits, Admits::Same);
            &effect.facts
        });
    let clear = "header `x-org` at most once, as one value".to_owned();
    assert!(
        facts
            .into_iter()
            .any(|fact| *fact == (clear.clone(), false)),
        "{found:#?}"
    );
}

#[test]
fn what_is_not_known_can_admit_more_and_a_name_changes_nothing() {
    let rule = json!({ "path": "/**", "require": { "roles": ["r"] } });
    let old = policy(&json!([rule]));
    for pointer in ["", "/issuers/0", "/rules/0", "/rules/0/require"] {
        let mut new = old.clone();
        new.pointer_mut(pointer).unwrap()["from_the_future"] = json!(1);
        assert!(can_admit_more(&found(&old, &new)), "{pointer}");
        assert!(can_admit_more(&found(&new, &old)), "{pointer}");
    }
    let mut new = old.clone();
    new["rules"][0]["name"] = json!("a rule");
    new["$schema"] = json!("https://example.com/schema.json");
    assert!(found(&old, &new).is_empty());
    new["issuers"][0]["needed_at_start"] = json!(true);
    let found = found(&old, &new);
    assert!(found.len() == 1 && !can_admit_more(&found), "{found:#?}");
}

#[test]
fn a_further_rule_with_the_same_words_refuses_spellings_and_admits_nothing() {
    let whole = json!({ "path": "/**", "public": true });
    let found = of_rules(
        &json!([whole]),
        &json!([{ "path": "/a", "public": true }, whole]),
    );
    let [
        Difference {
            subject: Subject::Spellings(regions),
            effects,
            ..
        },
    ] = &*found
    else {
        panic!("{found:#?}")
    };
    assert_eq!(
        (regions[0].to_string().as_str(), effects[0].admits),
        ("/a", Admits::Less)
    );
}

#[test]
fn the_order_of_checks_counts_and_that_of_other_members_does_not() {
    let rule = |required: Value| json!([{ "path": "/**", "require": required }]);
    let of = |old: Value, new: Value| of_rules(&rule(old), &rule(new));
    let sorted = of(
        json!({ "roles": ["r"], "scopes": ["s"] }),
        json!({ "scopes": ["s"], "roles": ["r"] }),
    );
    assert!(sorted.is_empty(), "{sorted:#?}");
    let checks = of(
        json!({ "claims": { "a": 1, "b": 2 } }),
        json!({ "claims": { "b": 2, "a": 1 } }),
    );
    assert!(
        checks.len() == 1 && checks[0].effects[0].admits == Admits::Same,
        "{checks:#?}"
    );
}

#[test]
fn a_public_rule_admits_what_a_rule_that_ignores_bad_tokens_does_not() {
    let old = json!([{ "path": "/**", "optional": { "bad_token": "ignore" }, "require": {} }]);
    // Two different tokens are neither good nor bad.
    assert!(can_admit_more(&of_rules(
        &old,
        &json!([{ "path": "/**", "public": true }])
    )));
}
