//! The examples of `docs/`, decided by the gate. An example is a part of a policy in
//! a block `yaml`, and cases for `countersign policy test` in the block after it.
//! `real` has policies written from these pages, for cases that people had.

mod gate;
mod page;
mod real;

#[path = "../../../../hosts/cli/src/policy/case.rs"]
#[allow(dead_code, unreachable_pub)]
mod case;
#[path = "../../../../hosts/cli/src/policy/compare.rs"]
#[allow(unreachable_pub)]
mod compare;
#[path = "../../../../hosts/cli/src/policy/mint.rs"]
#[allow(dead_code, unreachable_pub)]
mod mint;
#[path = "../../../../hosts/cli/src/moment.rs"]
#[allow(dead_code, unreachable_pub)]
mod moment;
#[path = "../../../../hosts/cli/src/place.rs"]
#[allow(unreachable_pub)]
mod place;
#[path = "../../../../hosts/wasmtime/src/yaml/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod yaml;

use std::collections::BTreeSet;

use countersign::POLICY_SCHEMA;
use page::Example;
use serde_json::Value;

const LANGUAGE: &str = include_str!("../../../../docs/policy.md");
const QUESTIONS: &str = include_str!("../../../../docs/how-do-i-say.md");
const OPERATORS: &str = include_str!("../../../../docs/operators.md");
const EVENTS: &str = include_str!("../../../../docs/events.md");

/// Runs every example of a page, and says everything that is wrong at once.
fn run(page: &str) -> usize {
    let examples = page::examples(page);
    let wrong: Vec<String> = examples.iter().flat_map(gate::problems).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    examples.len()
}

#[test]
fn the_examples_of_the_language_decide_as_they_say() {
    assert!(run(LANGUAGE) >= 9);
}

#[test]
fn each_answer_passes_one_request_and_refuses_another() {
    let questions = QUESTIONS
        .lines()
        .filter(|line| line.starts_with("### "))
        .count();
    assert!(questions >= 30, "{questions}");
    assert_eq!(run(QUESTIONS), questions, "a question has no example");
    for Example { title, cases, .. } in page::examples(QUESTIONS) {
        let (passes, refused): (Vec<_>, Vec<_>) = cases.cases.iter().partition(|case| {
            let decision = case.expect.get("decision");
            decision.is_some_and(|word| word != "deny")
        });
        assert!(!passes.is_empty() && !refused.is_empty(), "{title}");
    }
}

#[test]
fn each_word_of_the_schema_is_in_the_reference() {
    let schema = serde_json::from_str(POLICY_SCHEMA).unwrap();
    let mut words = BTreeSet::new();
    collect(&schema, &mut words);
    let missing: Vec<_> = words
        .iter()
        .filter(|word| !LANGUAGE.contains(&format!("`{word}`")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The names of all `properties`.
fn collect(schema: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                words.extend(properties.keys().cloned());
            }
            members.values().for_each(|value| collect(value, words));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        _ => {}
    }
}

#[test]
fn each_link_of_the_pages_leads_to_something() {
    for page in [LANGUAGE, QUESTIONS, OPERATORS, EVENTS] {
        for target in page.split("](").skip(1) {
            let target = target.split(')').next().unwrap();
            if target.starts_with("https://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/");
            let text = match file {
                "" => page.to_owned(),
                file => std::fs::read_to_string(format!("{docs}{file}"))
                    .unwrap_or_else(|_| panic!("{target}")),
            };
            let titles = text.lines().filter(|line| line.starts_with('#'));
            let mut anchors = titles.map(page::anchor);
            assert!(
                anchor.is_empty() || anchors.any(|known| known == anchor),
                "{target}"
            );
        }
    }
}
