//! YAML 1.2, core schema: `no` is a word, a repeated key is an error.

use saphyr::{LoadableYamlNode, MarkedYaml, Marker, Scalar, Yaml, YamlData, YamlEmitter};

use super::{DEPTH, Invalid, Parsed, Position, child};

pub(super) fn parse(text: &str) -> Result<Parsed, Invalid> {
    let documents = load(text)?;
    let document = match documents.as_slice() {
        [document] => document,
        [] => {
            return Err(Invalid {
                position: None,
                message: "the file is empty".to_owned(),
            });
        }
        [_, second, ..] => {
            return Err(invalid(
                second.span.start,
                "one document is expected, not several",
            ));
        }
    };
    read(document)
}

/// Every document of a text; an empty one is none.
pub(super) fn parse_all(text: &str) -> Result<Vec<Parsed>, Invalid> {
    let documents = load(text)?;
    let is_empty =
        |document: &&MarkedYaml<'_>| matches!(document.data, YamlData::Value(Scalar::Null));
    let documents = documents.iter().filter(|document| !is_empty(document));
    documents.map(read).collect()
}

/// JSON as YAML in block style, in the same order.
pub(super) fn from_json(json: &str) -> Option<String> {
    let documents = Yaml::load_from_str(json).ok()?;
    let mut yaml = String::new();
    YamlEmitter::new(&mut yaml).dump(documents.first()?).ok()?;
    // A file with one document needs no mark of its start.
    let yaml = yaml.strip_prefix("---\n").unwrap_or(&yaml);
    Some(format!("{yaml}\n"))
}

fn load(text: &str) -> Result<Vec<MarkedYaml<'_>>, Invalid> {
    MarkedYaml::load_from_str(text)
        .map_err(|error| invalid(*error.marker(), error.info().to_owned()))
}

fn read(document: &MarkedYaml<'_>) -> Result<Parsed, Invalid> {
    let mut parsed = Parsed::default();
    write(document, "", 0, &mut parsed)?;
    Ok(parsed)
}

fn write(
    node: &MarkedYaml<'_>,
    pointer: &str,
    depth: usize,
    out: &mut Parsed,
) -> Result<(), Invalid> {
    let here = node.span.start;
    if depth > DEPTH {
        return Err(invalid(here, "values are nested too deeply"));
    }
    out.place(pointer, position(here));
    match &node.data {
        YamlData::Value(scalar) => match scalar {
            Scalar::Null => out.scalar(&()),
            Scalar::Boolean(value) => out.scalar(value),
            Scalar::Integer(value) => out.scalar(value),
            Scalar::FloatingPoint(value) if value.0.is_finite() => out.scalar(&value.0),
            Scalar::FloatingPoint(_) => return Err(invalid(here, "a number must be finite")),
            Scalar::String(value) => out.scalar(value),
        },
        YamlData::Sequence(items) => {
            out.json.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.json.push(',');
                }
                write(item, &format!("{pointer}/{index}"), depth + 1, out)?;
            }
            out.json.push(']');
        }
        YamlData::Mapping(members) => {
            out.json.push('{');
            for (index, (key, value)) in members.iter().enumerate() {
                let YamlData::Value(Scalar::String(name)) = &key.data else {
                    return Err(invalid(
                        key.span.start,
                        "a key must be text: put it in quotes",
                    ));
                };
                if index > 0 {
                    out.json.push(',');
                }
                let pointer = child(pointer, name);
                out.place(&pointer, position(key.span.start));
                out.scalar(name);
                out.json.push(':');
                write(value, &pointer, depth + 1, out)?;
            }
            out.json.push('}');
        }
        YamlData::Tagged(tag, _) => {
            return Err(invalid(
                here,
                format!("the tag `{tag}` has no meaning here"),
            ));
        }
        YamlData::Representation(..) | YamlData::Alias(_) | YamlData::BadValue => {
            return Err(invalid(here, "this value cannot be read"));
        }
    }
    Ok(())
}

fn position(marker: Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

fn invalid(marker: Marker, message: impl Into<String>) -> Invalid {
    Invalid {
        position: Some(position(marker)),
        message: message.into(),
    }
}
