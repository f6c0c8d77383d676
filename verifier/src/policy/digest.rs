//! The canonical form of a policy and its digest, which says whether two hosts
//! have the same policy in force.

use alloc::{format, vec::Vec};

use super::parse::policy_json;
use crate::{
    base::Problem,
    jose::sha256,
    json::{Number, Object, Value},
};

/// Returns the SHA-256 of a policy in its canonical form: RFC 8785, except that a
/// number that is no whole number within ±(2^53 - 1) is written as its 64 bits
/// (IEEE 754) in 16 hexadecimal digits. Spaces, the order of members, and whether
/// a host has read YAML or JSON do not change it.
///
/// # Errors
/// The problem, if the text is not strict JSON within the bounds of a policy.
pub fn policy_digest(policy: &[u8]) -> Result<[u8; 32], Vec<Problem>> {
    Ok(digest(&policy_json(policy)?))
}

pub(crate) fn digest(policy: &Value<'_>) -> [u8; 32] {
    let mut body = Vec::new();
    write(&mut body, policy);
    sha256(&[&body])
}

/// The parser bounds the depth.
fn write(body: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Null => body.extend_from_slice(b"null"),
        Value::Bool(flag) => body.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Number(number) => write_number(body, *number),
        Value::String(text) => write_text(body, text),
        Value::Array(items) => {
            body.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    body.push(b',');
                }
                write(body, item);
            }
            body.push(b']');
        }
        Value::Object(object) => write_object(body, object),
    }
}

fn write_object(body: &mut Vec<u8>, object: &Object<'_>) {
    let mut members: Vec<(&str, &Value<'_>)> = Vec::new();
    for member in object.iter() {
        // RFC 8785 §3.2.3: in the order of their UTF-16 code units. An object has
        // few members, and the library's sort is 5 KB.
        let is_before = |(name, _): &(&str, _)| name.encode_utf16().lt(member.0.encode_utf16());
        members.insert(members.partition_point(is_before), member);
    }
    body.push(b'{');
    for (index, (name, value)) in members.into_iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        write_text(body, name);
        body.push(b':');
        write(body, value);
    }
    body.push(b'}');
}

fn write_number(body: &mut Vec<u8>, number: Number) {
    let whole = number.is_exact().then(|| match number {
        Number::Unsigned(n) => i64::try_from(n).ok(),
        Number::Negative(n) => Some(n),
        // `as` truncates; then the result differs.
        Number::Float(x) if x as i64 as f64 == x => Some(x as i64),
        Number::Float(_) => None,
    });
    let text = match whole.flatten() {
        Some(n) => format!("{n}"),
        None => format!("{:016x}", number.as_f64().to_bits()),
    };
    body.extend_from_slice(text.as_bytes());
}

/// RFC 8785 §3.2.2.2.
fn write_text(body: &mut Vec<u8>, text: &str) {
    body.push(b'"');
    for byte in text.bytes() {
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            0x09 => b't',
            0x0a => b'n',
            0x0c => b'f',
            0x0d => b'r',
            0..0x20 => {
                body.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                continue;
            }
            _ => {
                body.push(byte);
                continue;
            }
        };
        body.extend_from_slice(&[b'\\', short]);
    }
    body.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> alloc::string::String {
        let mut body = Vec::new();
        write(&mut body, &policy_json(text.as_bytes()).unwrap());
        alloc::string::String::from_utf8(body).unwrap()
    }

    #[test]
    fn the_form_is_that_of_rfc_8785() {
        // The members of RFC 8785 §3.2.3, whose order by UTF-8 is another.
        let text = "{\"\u{20ac}\":1,\"\\r\":2,\"\u{fb33}\":3,\"1\":4,\"\u{1f600}\":5,\"\u{80}\":6,\"\u{f6}\":7}";
        let sorted = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}";
        assert_eq!(canonical(text), sorted);
        let text =
            r#" [ 1.0, -0, 1e2, 9007199254740991, null, true, "\u0001\b\t\n\f\r\"\\\/\u00e9" ] "#;
        let written =
            "[1,0,100,9007199254740991,null,true,\"\\u0001\\b\\t\\n\\f\\r\\\"\\\\/\u{e9}\"]";
        assert_eq!(canonical(text), written);
    }

    #[test]
    fn other_numbers_are_their_bits() {
        assert_eq!(
            canonical("[1.5,-1.5]"),
            "[3ff8000000000000,bff8000000000000]"
        );
    }
}
