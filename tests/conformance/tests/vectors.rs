//! Tests of the corpus: it equals the output of the generator, it is complete,
//! and ids are unique.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use boon::{Compiler, Schemas};
use countersign::Code;
use countersign_conformance::{
    corpora, files, generator,
    vector::{Event, Expect, Topic, Vector},
};

/// The published topics: those of all hosts, and those of what an operator asks.
fn topics() -> Vec<Topic> {
    let mut topics = files::topics().expect("vectors");
    topics.extend(files::topics_of(&files::operation()).expect("vectors"));
    topics
}

fn vectors() -> Vec<Vector> {
    let topics = topics().into_iter();
    topics.flat_map(|topic| topic.vectors).collect()
}

#[test]
fn the_published_vectors_equal_the_output_of_the_generator() {
    equal(&files::vectors(), &generator::topics());
    equal(&files::operation(), &generator::operation());
}

fn equal(folder: &Path, topics: &[Topic]) {
    let mut written: BTreeMap<String, String> = BTreeMap::new();
    for topic in topics {
        written.insert(format!("{}.json", topic.topic), generator::text(topic));
    }
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&path).expect("a text");
        let generated = written.remove(&name).unwrap_or_default();
        assert!(
            text == generated,
            "{name} differs: cargo run -p countersign-conformance --bin generate"
        );
    }
    assert!(written.is_empty(), "not published: {:?}", written.keys());
}

#[test]
fn the_published_vectors_satisfy_the_published_schema() {
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    let schema = include_str!("../vector.schema.json");
    let schema = serde_json::from_str(schema).expect("JSON");
    compiler
        .add_resource("vector.schema.json", schema)
        .expect("a schema");
    let index = compiler
        .compile("vector.schema.json", &mut schemas)
        .expect("a schema");
    for topic in topics() {
        let value = serde_json::to_value(&topic).expect("JSON");
        if let Err(error) = schemas.validate(&value, index) {
            panic!("{}: {error}", topic.topic);
        }
    }
}

#[test]
fn no_id_is_used_twice_and_every_vector_does_something() {
    let mut ids = BTreeSet::new();
    for vector in vectors() {
        assert!(ids.insert(vector.id.clone()), "`{}` twice", vector.id);
        assert!(
            !vector.title.is_empty() && !vector.rules.is_empty(),
            "{}",
            vector.id
        );
        assert!(
            vector.problems.is_empty() != vector.steps.is_empty(),
            "{}",
            vector.id
        );
    }
    assert!(ids.len() >= 300, "{} vectors", ids.len());
}

#[test]
fn every_sentence_of_the_contract_has_a_vector_and_every_vector_a_sentence() {
    let contract = files::contract().expect("CONTRACT.md");
    let mut sentences = BTreeSet::new();
    for line in contract.lines() {
        if let Some((id, _)) = line
            .strip_prefix("- `")
            .and_then(|rest| rest.split_once('`'))
        {
            assert!(
                sentences.insert(id.to_owned()),
                "`{id}` twice in CONTRACT.md"
            );
        }
    }
    let proved: BTreeSet<String> = vectors()
        .into_iter()
        .flat_map(|vector| vector.rules)
        .collect();
    let unproved: Vec<_> = sentences.difference(&proved).collect();
    let unknown: Vec<_> = proved.difference(&sentences).collect();
    assert!(unproved.is_empty(), "no vector for {unproved:?}");
    assert!(unknown.is_empty(), "not in CONTRACT.md: {unknown:?}");
}

#[test]
fn every_code_has_a_vector_except_those_of_a_host() {
    let mut seen = BTreeSet::new();
    for vector in vectors() {
        for step in vector.steps {
            if let Event::Request {
                expect: Expect::Deny(deny),
                ..
            }
            | Event::Token {
                expect: Expect::Deny(deny),
                ..
            } = step.event
            {
                seen.insert(deny.code);
            }
        }
    }
    let missing: Vec<_> = Code::ALL
        .iter()
        .filter(|code| !seen.contains(code.as_str()))
        .collect();
    assert_eq!(missing, [&Code::ProofsUnavailable, &Code::InternalError]);
}

#[test]
fn every_code_is_in_the_contract_with_its_status_and_sentence() {
    let contract = files::contract().expect("CONTRACT.md");
    for code in Code::ALL {
        let row = contract
            .lines()
            .find(|line| line.starts_with("| `") && line.contains(&format!("`{code}`")))
            .unwrap_or_else(|| panic!("`{code}` is not in the table of CONTRACT.md"));
        assert!(row.contains(&format!("| {} |", code.status())), "{row}");
        let sentence = format!("| `{code}` | {} |", code.sentence());
        let is_listed = contract.lines().any(|line| line == sentence);
        assert!(is_listed, "not in the table of sentences: {sentence}");
    }
}

#[test]
fn the_list_of_attack_classes_equals_that_of_the_vectors() {
    let listed = corpora::attack_classes();
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // The file has the order of the generator.
    for vector in generator::topics()
        .into_iter()
        .flat_map(|topic| topic.vectors)
    {
        for class in vector.attacks {
            seen.entry(class).or_default().push(vector.id.clone());
        }
    }
    assert_eq!(
        listed, seen,
        "write attacks.json: cargo run … --bin generate"
    );
}

#[test]
fn every_known_attack_class_has_a_vector() {
    let Some(folder) = corpora::folder("attack_classes") else {
        return;
    };
    let listed = corpora::attack_classes();
    let text = fs::read_to_string(folder.join("classes.json")).expect("classes.json");
    let known: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for class in known["classes"].as_array().expect("classes") {
        let id = class["id"].as_str().expect("an id");
        assert!(
            listed.get(id).is_some_and(|ids| !ids.is_empty()),
            "no vector for `{id}`"
        );
    }
}
