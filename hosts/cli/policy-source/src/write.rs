//! JSON for people: indented, or as YAML that `countersign_host::yaml` reads back
//! as the same.

use std::fmt::Write;

use countersign_host::yaml::Yaml as Strict;
use saphyr::{LoadableYamlNode, Scalar, Yaml};

/// JSON indented, its members in the same order.
///
/// # Errors
/// It is not JSON.
pub fn pretty(json: &[u8]) -> serde_json::Result<String> {
    let mut pretty = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(json);
    let mut writer = serde_json::Serializer::pretty(&mut pretty);
    serde_transcode::transcode(&mut reader, &mut writer)?;
    reader.end()?;
    Ok(String::from_utf8_lossy(&pretty).into_owned())
}

/// JSON as YAML in block style, its members in the same order; `None` where it
/// is not JSON.
pub fn to_yaml(json: &str) -> Option<String> {
    // YAML 1.2 contains JSON, and this reader keeps the order.
    let documents = Yaml::load_from_str(json).ok()?;
    let mut yaml = String::new();
    block(documents.first()?, 0, &mut yaml);
    Some(yaml)
}

/// A value after `- ` or at the beginning of a line; its further lines are
/// indented by `depth`.
fn block(node: &Yaml<'_>, depth: usize, out: &mut String) {
    match node {
        Yaml::Mapping(members) if !members.is_empty() => {
            for (index, (name, value)) in members.iter().enumerate() {
                indent(if index == 0 { 0 } else { depth }, out);
                let name = scalar(name);
                match value {
                    Yaml::Mapping(inner) if !inner.is_empty() => {
                        let _ = writeln!(out, "{name}:");
                        indent(depth + 1, out);
                        block(value, depth + 1, out);
                    }
                    Yaml::Sequence(inner) if !inner.is_empty() => {
                        let _ = writeln!(out, "{name}:");
                        indent(depth + 1, out);
                        block(value, depth + 1, out);
                    }
                    _ => {
                        let _ = writeln!(out, "{name}: {}", scalar(value));
                    }
                }
            }
        }
        Yaml::Sequence(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                indent(if index == 0 { 0 } else { depth }, out);
                out.push_str("- ");
                block(item, depth + 1, out);
            }
        }
        _ => {
            let _ = writeln!(out, "{}", scalar(node));
        }
    }
}

fn indent(depth: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn scalar(node: &Yaml<'_>) -> String {
    match node {
        Yaml::Value(Scalar::Boolean(value)) => value.to_string(),
        Yaml::Value(Scalar::Integer(value)) => value.to_string(),
        Yaml::Value(Scalar::FloatingPoint(value)) => value.to_string(),
        Yaml::Value(Scalar::String(text)) => word(text),
        Yaml::Sequence(_) => "[]".to_owned(),
        Yaml::Mapping(_) => "{}".to_owned(),
        _ => "null".to_owned(),
    }
}

/// A text, in quotes where they are needed or make it clearer.
fn word(text: &str) -> String {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"/._:-".contains(&byte);
    if text.bytes().all(is_usual) {
        let pair = Strict::parse(&format!("{text}: {text}"));
        let quoted = serde_json::Value::from(text).to_string();
        if pair.is_ok_and(|pair| pair.json == format!("{{{quoted}:{quoted}}}")) {
            return text.to_owned();
        }
    }
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            // Those that the reader takes only escaped are in the first plane.
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            _ if character.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use countersign_host::yaml::Yaml;

    use super::to_yaml;

    #[test]
    fn what_is_written_is_read_back() {
        let json = r#"{"a":[{"b":{"c":[[1,[]],{}]},"no":"no"},"1:30","/x","a b","é"],"0123":-1.5e2,"q\"\\":"\u007f\u2028\n","true":true,"n":null,"":"","x:":"-y","d":"2026-11-21","z":"it's #1: {a}"}"#;
        let yaml = to_yaml(json).unwrap();
        let read = Yaml::parse(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
        let (mut read, mut wanted) = (value(&read.json), value(json));
        // The one number that is written otherwise.
        assert_eq!(read["0123"].as_f64(), wanted["0123"].as_f64());
        read["0123"] = wanted["0123"].take();
        wanted["0123"] = read["0123"].clone();
        assert_eq!(read, wanted, "{yaml}");
        assert!(
            yaml.contains("- \"1:30\"\n") && yaml.contains("  - /x\n"),
            "{yaml}"
        );
    }
}
