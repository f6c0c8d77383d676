//! Converts YAML to JSON.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Value, json};

use crate::dist;

/// Every document of a file in `dist/deploy/`.
///
/// # Panics
/// Where it was not built, or is no YAML.
pub fn read(name: &str) -> Vec<Value> {
    let text = String::from_utf8(dist::read(&format!("deploy/{name}"))).unwrap();
    parse(&text)
}

/// Every document of a text.
///
/// # Panics
/// Where it is no YAML, or has what JSON has not.
pub fn parse(text: &str) -> Vec<Value> {
    let documents = Yaml::load_from_str(text).expect("the file is YAML");
    documents.iter().map(value).collect()
}

fn value(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(flag)) => json!(flag),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.0),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(members) => {
            let member = |(name, member): (&Yaml<'_>, &Yaml<'_>)| {
                let name = name.as_str().expect("a key is text");
                (name.to_owned(), value(member))
            };
            members.iter().map(member).collect()
        }
        other => panic!("{other:?} has no place in a manifest"),
    }
}
