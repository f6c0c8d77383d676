//! YAML of other programs: version 1.2 with its core schema, anchors and several
//! documents. Policies are read by `countersign_host::yaml`, which is strict.

use saphyr::{LoadableYamlNode, MarkedYaml, Marker, Scalar, YamlData};

use countersign_host::yaml::Position;

use crate::parsed::{DEPTH, Invalid, Parsed, child_pointer};

/// Every document of a text, except empty ones.
pub(super) fn parse_all(text: &str) -> Result<Vec<Parsed>, Invalid> {
    let documents = MarkedYaml::load_from_str(text)
        .map_err(|error| invalid(*error.marker(), error.info().to_owned()))?;
    let is_empty =
        |document: &&MarkedYaml<'_>| matches!(document.data, YamlData::Value(Scalar::Null));
    let documents = documents.iter().filter(|document| !is_empty(document));
    documents.map(read).collect()
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
                let pointer = child_pointer(pointer, name);
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
