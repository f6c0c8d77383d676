//! Writes strings and values.

use alloc::{format, vec::Vec};

use super::{Number, Value};

/// Appends a JSON string (RFC 8259 §7).
pub fn push_text(body: &mut Vec<u8>, text: &str) {
    body.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => body.extend_from_slice(&[b'\\', byte]),
            0..0x20 => {
                let digit = |n: u8| {
                    if n < 10 {
                        n | b'0'
                    } else {
                        n.wrapping_add(b'a' - 10)
                    }
                };
                let escape = [b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)];
                body.extend_from_slice(&escape);
            }
            _ => body.push(byte),
        }
    }
    body.push(b'"');
}

/// Appends a JSON value, nested at most `depth` deep. `None` if it is deeper, or
/// has a number that is not a whole one written in digits alone.
pub(crate) fn push_value(body: &mut Vec<u8>, value: &Value<'_>, depth: usize) -> Option<()> {
    match value {
        Value::Null => body.extend_from_slice(b"null"),
        Value::Bool(flag) => body.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Number(Number::Unsigned(n)) => body.extend_from_slice(format!("{n}").as_bytes()),
        Value::Number(Number::Negative(n)) => body.extend_from_slice(format!("{n}").as_bytes()),
        // `as` saturates and truncates; then the result differs from `x`.
        Value::Number(Number::Float(x)) if f64::from(*x as i32) == *x => {
            body.extend_from_slice(format!("{}", *x as i32).as_bytes());
        }
        Value::Number(Number::Float(_)) => return None,
        Value::String(text) => push_text(body, text),
        Value::Array(items) => {
            let depth = depth.checked_sub(1)?;
            let mut before = b'[';
            for item in items {
                body.push(before);
                push_value(body, item, depth)?;
                before = b',';
            }
            body.extend_from_slice(if before == b'[' { b"[]" } else { b"]" });
        }
        Value::Object(object) => {
            let depth = depth.checked_sub(1)?;
            let mut before = b'{';
            for (name, value) in object.iter() {
                body.push(before);
                push_text(body, name);
                body.push(b':');
                push_value(body, value, depth)?;
                before = b',';
            }
            body.extend_from_slice(if before == b'{' { b"{}" } else { b"}" });
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Bounds, parse};

    const BOUNDS: Bounds = Bounds {
        depth: 8,
        members: 8,
    };

    #[test]
    fn a_written_value_is_read_as_the_same() {
        let text = br#"{"a\"":[null,true,-1,18446744073709551615,"\u0001"],"b":{},"c":[]}"#;
        let value = parse(text, BOUNDS).unwrap();
        let mut body = Vec::new();
        push_value(&mut body, &value, 2).unwrap();
        assert_eq!(body, text);
        assert_eq!(push_value(&mut body, &value, 1), None);
        let float = parse(b"[1.5]", BOUNDS).unwrap();
        assert_eq!(push_value(&mut body, &float, 2), None);
    }
}
