//! What holds for every provider.

use std::collections::BTreeSet;

use countersign_init::{Error, PROVIDERS, Provider, Value, provider};

use crate::{bench::open, token::SECRET, yaml::Yaml};

/// The example of each value; a secret is what its file contains.
fn examples(
    provider: &'static Provider,
    wanted: impl Fn(&Value) -> bool,
) -> Vec<(&'static str, &'static str)> {
    let values = provider.values.iter().filter(|value| wanted(value));
    values
        .map(|value| match value.is_secret() {
            true => (value.name, SECRET),
            false => (value.name, value.example),
        })
        .collect()
}

#[test]
fn a_policy_lints_clean_with_all_values_and_with_only_the_needed_ones() {
    let mut problems = Vec::new();
    for provider in PROVIDERS {
        for least in [false, true] {
            let given = examples(provider, |value| !least || !value.can_be_left_out());
            let policy = provider.policy(&given).unwrap();
            problems.extend(open(provider.name, &policy).err());
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn every_policy_is_strict_yaml_with_a_comment_for_each_part() {
    for provider in PROVIDERS {
        let policy = provider.policy(&examples(provider, |_| true)).unwrap();
        Yaml::parse(&policy).unwrap_or_else(|error| panic!("{}: {error}", provider.name));
        assert!(!policy.contains("{{"), "{}", provider.name);
        assert!(policy.starts_with("# "), "{}", provider.name);
        let is_comment = |line: &&str| line.trim_start().starts_with('#');
        let comments = policy.lines().filter(is_comment).count();
        let others = policy.lines().count() - comments;
        assert!(
            comments * 3 >= others,
            "{}: {comments} of {others}",
            provider.name
        );
        assert!(
            policy.lines().all(|line| line.len() <= 130),
            "{}",
            provider.name
        );
    }
}

/// The policy with the examples in its comments taken in: `# - { … }`, the lines
/// that go on with it, and `# name: { … }`.
fn with_examples(policy: &str) -> (String, usize) {
    let mut text = String::new();
    let mut examples = 0;
    for line in policy.lines() {
        let indent = line.len() - line.trim_start().len();
        let said = line.trim_start().strip_prefix("# ").unwrap_or("");
        let is_member = || {
            let (name, value) = said.split_once(": ").unwrap_or((said, ""));
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                && value.starts_with(['{', '['])
        };
        let is_example = said.starts_with("- ") || said.starts_with("  ") || is_member();
        match indent >= 2 && is_example {
            true => {
                examples += 1;
                text.push_str(&line[..indent]);
                text.push_str(said);
            }
            false => text.push_str(line),
        }
        text.push('\n');
    }
    (text, examples)
}

#[test]
fn the_examples_in_the_comments_lint_clean_too() {
    let mut problems = Vec::new();
    let mut all = 0;
    for provider in PROVIDERS {
        let given = examples(provider, |value| !value.can_be_left_out());
        let (policy, examples) = with_examples(&provider.policy(&given).unwrap());
        problems.extend(open(provider.name, &policy).err());
        all += examples;
    }
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(all >= 50, "{all}");
}

#[test]
fn the_providers_of_the_issue_are_there_in_the_order_of_their_names() {
    let names: Vec<_> = PROVIDERS.iter().map(|provider| provider.name).collect();
    let sorted: Vec<_> = names
        .iter()
        .copied()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    assert_eq!(names.len(), sorted.len());
    for name in [
        "auth0",
        "cognito",
        "entra",
        "okta",
        "keycloak",
        "google",
        "firebase",
        "supabase",
        "workos",
        "clerk",
        "zitadel",
        "github-actions",
        "gitlab-ci",
        "kubernetes",
        "spiffe",
        "cloudflare-access",
        "google-iap",
        "auth-js",
        "generic",
    ] {
        assert!(provider(name).is_some(), "{name}");
    }
}

#[test]
fn what_is_missing_is_said_all_at_once() {
    let error = provider("auth0").unwrap().policy(&[]).unwrap_err();
    assert!(matches!(&error, Error::Missing("auth0", values) if values.len() == 2));
    let text = error.to_string();
    assert!(text.contains("--domain acme.eu.auth0.com"), "{text}");
    assert!(
        text.contains("--audience https://api.example.com"),
        "{text}"
    );
    // An empty answer is none.
    let empty = [("domain", ""), ("audience", "")];
    let error = provider("auth0").unwrap().policy(&empty).unwrap_err();
    assert!(matches!(error, Error::Missing(..)));
}

#[test]
fn a_value_that_cannot_be_right_is_refused_with_an_example() {
    let auth0 = provider("auth0").unwrap();
    let given = [
        ("domain", "https://acme.eu.auth0.com/"),
        ("audience", "api"),
    ];
    let text = auth0.policy(&given).unwrap_err().to_string();
    assert!(text.contains("`--domain`: a host is needed"), "{text}");
    assert!(text.contains("for example `acme.eu.auth0.com`"), "{text}");

    let given = [
        ("domain", "acme.eu.auth0.com"),
        ("audience", "api"),
        ("realm", "x"),
    ];
    let text = auth0.policy(&given).unwrap_err().to_string();
    assert_eq!(text, "`auth0` does not take `--realm`");
}

/// Whatever a value is, it stays within its quotation marks.
#[test]
fn a_value_cannot_write_into_the_policy() {
    let domain = ("domain", "acme.eu.auth0.com");
    for audience in [
        r#"", "other"#,
        r"\",
        "a: b # c",
        "'",
        "]",
        "&a",
        "!!str x",
        "no",
        "0123",
    ] {
        let policy = provider("auth0")
            .unwrap()
            .policy(&[domain, ("audience", audience)])
            .unwrap();
        let json: serde_json::Value =
            serde_json::from_str(&Yaml::parse(&policy).unwrap().json).unwrap();
        assert_eq!(
            json["issuers"][0]["audiences"],
            serde_json::json!([audience])
        );
    }
    for audience in ["a\nrules: []", "a\r", "a\u{2028}b", "a\u{0}"] {
        let refused = provider("auth0")
            .unwrap()
            .policy(&[domain, ("audience", audience)]);
        assert!(matches!(refused, Err(Error::Invalid(..))));
    }
}

#[test]
fn examples_and_defaults_are_values() {
    for provider in PROVIDERS {
        let known: Vec<_> = examples(provider, |_| true)
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .collect();
        for value in provider.values {
            if !value.is_secret() {
                assert_eq!(
                    value.check(value.example),
                    Ok(()),
                    "{} {}",
                    provider.name,
                    value.name
                );
            }
            if let Some(default) = provider.default_of(value, &known) {
                assert_eq!(
                    value.check(&default),
                    Ok(()),
                    "{} {}",
                    provider.name,
                    value.name
                );
            }
        }
    }
}
