//! Generates the vectors with fixed keys and a fixed clock, so that every run
//! gives the same bytes. Each topic has one module and one file.

use serde_json::Value;

use crate::vector::{Topic, Vector};

mod draft;
mod expect;
mod key;
mod policy;
mod request;
mod sign;
mod token;

mod topic;

/// Returns every topic, in the order of the contract.
pub fn topics() -> Vec<Topic> {
    topic::all()
}

/// Returns the topics about what an operator asks.
pub fn operation() -> Vec<Topic> {
    topic::operation()
}

/// Makes a topic from its drafts.
fn topic(name: &str, title: &str, drafts: Vec<draft::Draft>) -> Topic {
    Topic {
        contract: "1".into(),
        topic: name.into(),
        title: title.into(),
        vectors: drafts.into_iter().map(draft::Draft::build).collect(),
    }
}

/// Returns the text of a file. Each member of a vector and each step has its
/// own line, so that a diff shows the changed part.
pub fn text(topic: &Topic) -> String {
    let vectors: Vec<String> = topic.vectors.iter().map(vector_text).collect();
    format!(
        "{{\n\"contract\": {}, \"topic\": {}, \"title\": {},\n\"vectors\": [\n{}\n]\n}}\n",
        Value::from(&*topic.contract),
        Value::from(&*topic.topic),
        Value::from(&*topic.title),
        vectors.join(",\n"),
    )
}

fn vector_text(vector: &Vector) -> String {
    let value = serde_json::to_value(vector).expect("a vector is JSON");
    let members = value.as_object().expect("a vector is an object");
    let lines: Vec<String> = members
        .iter()
        .map(|(name, value)| match value {
            Value::Array(steps) if name == "steps" => {
                let steps: Vec<String> = steps.iter().map(|step| format!("    {step}")).collect();
                format!("  \"steps\": [\n{}\n  ]", steps.join(",\n"))
            }
            value => format!("  \"{name}\": {value}"),
        })
        .collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}
