//! Finds the text of a value, as it was written.

use alloc::borrow::Cow;

use super::{Bounds, Pointer, Value, parse};

/// Returns the text of the value at a place. `text` is strict JSON.
pub(crate) fn raw<'t>(text: &'t str, pointer: &Pointer) -> Option<&'t str> {
    let mut rest = skip_space(text);
    for token in pointer.tokens() {
        rest = match rest.as_bytes().first()? {
            b'{' => member(rest.get(1..)?, token)?,
            b'[' => item(rest.get(1..)?, token.parse().ok()?)?,
            _ => return None,
        };
    }
    rest.get(..length(rest)).filter(|value| !value.is_empty())
}

fn member<'t>(mut rest: &'t str, wanted: &str) -> Option<&'t str> {
    loop {
        rest = skip_space(rest);
        let (name, after) = rest.split_at_checked(length(rest))?;
        let value = skip_space(skip_space(after).strip_prefix(':')?);
        if is_name(name, wanted) {
            return Some(value);
        }
        rest = skip_space(value.get(length(value)..)?).strip_prefix(',')?;
    }
}

fn item(mut rest: &str, wanted: usize) -> Option<&str> {
    for _ in 0..wanted {
        rest = skip_space(rest);
        rest = skip_space(rest.get(length(rest)..)?).strip_prefix(',')?;
    }
    Some(skip_space(rest))
}

fn is_name(written: &str, wanted: &str) -> bool {
    const BOUNDS: Bounds = Bounds {
        depth: 0,
        members: 0,
    };
    match parse(written.as_bytes(), BOUNDS) {
        Ok(Value::String(Cow::Borrowed(name))) => name == wanted,
        Ok(Value::String(Cow::Owned(name))) => *name == *wanted,
        _ => false,
    }
}

fn skip_space(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

/// Returns the length of the value at the start.
fn length(text: &str) -> usize {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => {
                in_text = !in_text;
                if !in_text && depth == 0 {
                    return index.saturating_add(1);
                }
            }
            _ if in_text => {}
            b'{' | b'[' => depth = depth.saturating_add(1),
            b'}' | b']' if depth == 0 => return index,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index.saturating_add(1);
                }
            }
            b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => return index,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_as_it_was_written() {
        let text = r#" { "a\u0062" : [ 1.50 , {"x": "}\"]" , "y":-1e2} ] , "z" : "" , "": true }"#;
        for (pointer, value) in [
            ("/ab/0", Some("1.50")),
            ("/ab/1", Some(r#"{"x": "}\"]" , "y":-1e2}"#)),
            ("/ab/1/x", Some(r#""}\"]""#)),
            ("/ab/1/y", Some("-1e2")),
            ("/ab/2", None),
            ("/z", Some("\"\"")),
            ("/", Some("true")),
            ("/none", None),
            ("/z/a", None),
        ] {
            let pointer = Pointer::parse(pointer).unwrap();
            assert_eq!(raw(text, &pointer), value);
        }
    }
}
