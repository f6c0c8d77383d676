//! Texts that every host reads as the same JSON, or refuses.

mod random;

use std::collections::HashMap;

use countersign_host::yaml::{Position, Yaml};
use random::numbers;
use serde_json::Value;

fn cases() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/yaml/cases.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn every_text_is_the_json_that_the_list_says_or_is_refused() {
    let cases = cases();
    assert!(cases.len() >= 200, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let text = case["yaml"].as_str().unwrap();
        let read = Yaml::parse(text);
        let is_right = match (&read, case.get("json")) {
            (Ok(yaml), Some(json)) => is_same(&serde_json::from_str(&yaml.json).unwrap(), json),
            (Err(error), None) => {
                let line = case["line"].as_u64();
                line.is_none_or(|line| error.position.line as u64 == line)
            }
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{}: {text:?}: {read:?}", case["id"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A number is its value, however it is written.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, one)| other.get(name).is_some_and(|other| is_same(one, other)))
        }
        _ => one == other,
    }
}

#[test]
fn members_keep_their_order_and_every_value_its_place() {
    let text = "b: 1\r\n# a comment\r\na:\r\n  - x: é\r\n    'y/z': [1, { w: \"\" }]\r\n";
    let yaml = Yaml::parse(text).unwrap();
    assert_eq!(yaml.json, r#"{"b":1,"a":[{"x":"é","y/z":[1,{"w":""}]}]}"#);
    let places = [
        ("", (1, 1)),
        ("/b", (1, 1)),
        ("/a", (3, 1)),
        ("/a/0", (4, 5)),
        ("/a/0/x", (4, 5)),
        ("/a/0/y~1z", (5, 5)),
        ("/a/0/y~1z/0", (5, 13)),
        ("/a/0/y~1z/1", (5, 16)),
        ("/a/0/y~1z/1/w", (5, 18)),
    ];
    let places =
        places.map(|(pointer, (line, column))| (pointer.to_owned(), Position { line, column }));
    assert_eq!(yaml.positions, HashMap::from(places));
}

#[test]
fn a_comment_may_stand_behind_any_text() {
    let text = "a: \"b\\\"\"   # it's \"said\"\nc: 'd''' # '\ne: f # g\nh: [\"i\", # j\n  k]\n";
    let yaml = Yaml::parse(text).unwrap();
    assert_eq!(yaml.json, r#"{"a":"b\"","c":"d'","e":"f","h":["i","k"]}"#);
}

#[test]
fn a_refusal_says_where_and_what_to_do() {
    let error = Yaml::parse("a: 1\nb: no\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 2, column 4: some readers do not take this for a text: put it in quotes"
    );
}

/// Whatever the text: JSON, or a refusal inside of it.
#[test]
fn broken_texts_are_refused_and_never_a_panic() {
    let cases = cases();
    let texts = cases.iter().map(|case| case["yaml"].as_str().unwrap());
    let texts = texts.filter(|text| text.len() < 500).collect::<Vec<_>>();
    let bits = [
        "\n", "  ", ": ", "- ", "? ", "#", "|", "|-\n", "[", "]", "{", "}", ",", "\"", "'", "&a ",
        "*a", "!!str ", "---\n", "é", "0", "\\u0041", "<<", "no",
    ];
    let mut below = numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..20_000 {
        let mut text = texts[below(texts.len())].to_owned();
        for _ in 0..=below(3) {
            let mut at = below(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            if below(3) == 0 {
                text.truncate(at);
            } else {
                text.insert_str(at, bits[below(bits.len())]);
            }
        }
        match Yaml::parse(&text) {
            Ok(yaml) => {
                let json = serde_json::from_str::<Value>(&yaml.json);
                assert!(json.is_ok(), "{text:?}: {}", yaml.json);
            }
            Err(error) => {
                let lines = text.lines().count() + 1;
                assert!(
                    (1..=lines).contains(&error.position.line),
                    "{text:?}: {error}"
                );
            }
        }
    }
}
