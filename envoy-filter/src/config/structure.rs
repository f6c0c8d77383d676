//! Reads a `google.protobuf.Struct`. Envoy passes it in protobuf's encoding,
//! although its manual says otherwise.

use std::borrow::Cow;

use countersign::json::{Number, Object, Value};

use crate::protobuf::{Field, Message};

/// Maximum nesting of objects and arrays: one more than in a policy.
const DEPTH: usize = 33;
/// Up to this number, doubles represent integers exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a message. `None` if the bytes are not a valid one. A JSON text is
/// never valid: each member starts with a tag that JSON does not contain.
pub(crate) fn read(bytes: &[u8]) -> Option<Value<'_>> {
    if bytes.is_empty() {
        return None;
    }
    structure(bytes, DEPTH)
}

/// `repeated MapEntry fields = 1`.
fn structure(bytes: &[u8], depth: usize) -> Option<Value<'_>> {
    let (mut message, depth) = (Message(bytes), depth.checked_sub(1)?);
    let mut members = Vec::new();
    while let Some(field) = message.next()? {
        let Field::Bytes(1, entry) = field else {
            return None;
        };
        members.push(member(entry, depth)?);
    }
    Object::new(members).map(Value::Object)
}

/// `string key = 1; Value value = 2`.
fn member(bytes: &[u8], depth: usize) -> Option<(Cow<'_, str>, Value<'_>)> {
    let mut message = Message(bytes);
    let (Field::Bytes(1, name), Field::Bytes(2, held)) = (message.next()??, message.next()??)
    else {
        return None;
    };
    message.end()?;
    Some((
        Cow::Borrowed(str::from_utf8(name).ok()?),
        value(held, depth)?,
    ))
}

/// Reads a value: one of six fields.
fn value(bytes: &[u8], depth: usize) -> Option<Value<'_>> {
    let mut message = Message(bytes);
    let value = match message.next()?? {
        Field::Varint(1, 0) => Value::Null,
        Field::Fixed(2, bits) => Value::Number(number(f64::from_bits(bits))?),
        Field::Bytes(3, text) => Value::String(Cow::Borrowed(str::from_utf8(text).ok()?)),
        Field::Varint(4, flag @ 0..=1) => Value::Bool(flag == 1),
        Field::Bytes(5, members) => structure(members, depth)?,
        Field::Bytes(6, items) => list(items, depth)?,
        _ => return None,
    };
    message.end()?;
    Some(value)
}

/// `repeated Value values = 1`.
fn list(bytes: &[u8], depth: usize) -> Option<Value<'_>> {
    let (mut message, depth) = (Message(bytes), depth.checked_sub(1)?);
    let mut items = Vec::new();
    while let Some(field) = message.next()? {
        let Field::Bytes(1, item) = field else {
            return None;
        };
        items.push(value(item, depth)?);
    }
    Some(Value::Array(items))
}

/// Converts a double, since all numbers are doubles here. An integral double
/// becomes an integer.
fn number(number: f64) -> Option<Number> {
    if !number.is_finite() {
        return None;
    }
    // The conversions are exact within these bounds.
    Some(if number.trunc() != number || number.abs() > EXACT {
        Number::Float(number)
    } else if number < 0.0 {
        Number::Negative(number as i64)
    } else {
        Number::Unsigned(number as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
        let mut message = Vec::new();
        crate::protobuf::push(&mut message, tag >> 3, bytes);
        message
    }

    fn entry(name: &str, value: &[u8]) -> Vec<u8> {
        field(
            0x0a,
            &[field(0x0a, name.as_bytes()), field(0x12, value)].concat(),
        )
    }

    fn double(number: f64) -> Vec<u8> {
        [&[0x11][..], &number.to_le_bytes()].concat()
    }

    fn json(text: &str) -> Value<'_> {
        countersign::policy_json(text.as_bytes()).unwrap()
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let items = [field(0x0a, &double(1.0)), field(0x0a, &[0x20, 0x01])].concat();
        let message = [
            entry("null", &[0x08, 0x00]),
            entry("number", &double(30.0)),
            entry("negative", &double(-2.0)),
            entry("half", &double(0.5)),
            entry("text", &field(0x1a, "ü".repeat(100).as_bytes())),
            entry("no", &[0x20, 0x00]),
            entry("object", &field(0x2a, &entry("a", &field(0x1a, b"")))),
            entry("list", &field(0x32, &items)),
        ]
        .concat();
        let text = format!(
            r#"{{"null":null,"number":30,"negative":-2,"half":0.5,"text":"{}","no":false,
                "object":{{"a":""}},"list":[1,true]}}"#,
            "ü".repeat(100)
        );
        assert_eq!(read(&message), Some(json(&text)));
    }

    #[test]
    fn a_truncated_message_is_refused() {
        let message = entry("object", &field(0x2a, &entry("a", &field(0x1a, b"text"))));
        assert!(read(&message).is_some());
        for length in 1..message.len() {
            assert_eq!(read(&message[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn invalid_values_are_refused() {
        let unset: &[u8] = &[];
        for (what, value) in [
            ("no value", unset),
            ("two values", &[0x08, 0x00, 0x08, 0x00]),
            ("a null that is 1", &[0x08, 0x01]),
            ("a bool that is 2", &[0x20, 0x02]),
            ("an unknown field", &[0x38, 0x00]),
            ("not a number", &double(f64::NAN)),
            ("infinite", &double(f64::INFINITY)),
            ("not UTF-8", &field(0x1a, b"\xff")),
            (
                "an endless varint",
                &[
                    0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
                ],
            ),
        ] {
            assert_eq!(read(&entry("a", value)), None, "{what}");
        }
        let twice = [entry("a", &[0x08, 0x00]), entry("a", &[0x08, 0x00])].concat();
        assert_eq!(read(&twice), None, "a member that is here twice");
    }

    #[test]
    fn nesting_is_bounded() {
        let mut value = vec![0x08, 0x00];
        for _ in 0..31 {
            value = field(0x2a, &entry("a", &value));
        }
        assert!(read(&entry("a", &field(0x2a, &entry("a", &value)))).is_some());
        for _ in 0..2 {
            value = field(0x2a, &entry("a", &value));
        }
        assert_eq!(read(&entry("a", &value)), None);
    }

    #[test]
    fn a_json_text_is_not_a_message() {
        for text in ["{}", "\n{\n  \"policy\": {}\n}\n", "\n\n\n{}", "", " "] {
            assert_eq!(read(text.as_bytes()), None, "{text:?}");
        }
    }
}
