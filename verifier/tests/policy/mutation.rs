//! The table of mutations.

use std::collections::BTreeSet;

use countersign::{Problem, Severity};
use serde_json::{Value, json};

use crate::place::{parsed, remove, set};

pub(crate) const WHOLE: &str = include_str!("whole.json");
const MUTATIONS: &str = include_str!("mutations.json");

pub(crate) struct Mutation {
    pub(crate) name: String,
    pub(crate) policy: Value,
    pub(crate) expected: Places,
    pub(crate) not_in_a_schema: bool,
}

pub(crate) fn mutations() -> Vec<Mutation> {
    let mutations = parsed(MUTATIONS);
    let mutations = mutations.as_array().unwrap();
    assert!(mutations.len() >= 120);
    mutations.iter().map(mutation).collect()
}

fn mutation(mutation: &Value) -> Mutation {
    let mut policy = parsed(WHOLE);
    for (place, value) in mutation["set"].as_object().into_iter().flatten() {
        set(&mut policy, place, value.clone());
    }
    for place in mutation["remove"].as_array().into_iter().flatten() {
        remove(&mut policy, place.as_str().unwrap());
    }
    let expect = |list: &Value, severity: Severity| -> Places {
        let list = list.as_array().into_iter().flatten();
        list.map(|one| {
            let text = |index: usize| one[index].as_str().unwrap().to_owned();
            (text(0), text(1), severity)
        })
        .collect()
    };
    let mut expected = expect(&mutation["problems"], Severity::Error);
    expected.extend(expect(&mutation["warnings"], Severity::Warning));
    Mutation {
        name: mutation["name"].as_str().unwrap().to_owned(),
        policy,
        expected,
        not_in_a_schema: mutation.get("schema") == Some(&json!("cannot express")),
    }
}

/// Place, code and severity of each problem, without its message and in any
/// order.
pub(crate) type Places = BTreeSet<(String, String, Severity)>;

pub(crate) fn places(problems: &[Problem]) -> Places {
    problems
        .iter()
        .map(|p| (p.pointer.clone(), p.code.to_owned(), p.severity))
        .collect()
}
