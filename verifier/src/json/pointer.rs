//! JSON Pointer (RFC 6901).

use alloc::{borrow::ToOwned, boxed::Box, string::String, vec::Vec};

use super::Value;

/// A place in a JSON value. A text without a leading `/` names one top-level
/// member, so `tenant_id` and `/tenant_id` are the same place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pointer {
    text: Box<str>,
    tokens: Box<[Box<str>]>,
}

impl Pointer {
    /// `None` if an escape is neither `~0` nor `~1` (RFC 6901 §3).
    pub fn parse(text: &str) -> Option<Self> {
        let tokens: Option<Vec<Box<str>>> = match text.strip_prefix('/') {
            Some(rest) => rest.split('/').map(unescape).collect(),
            None if text.is_empty() => Some(Vec::new()),
            None => Some(Vec::from([Box::from(text)])),
        };
        Some(Self {
            text: text.into(),
            tokens: tokens?.into(),
        })
    }

    /// Makes the pointer to the whole value.
    pub(crate) fn whole() -> Self {
        Self {
            text: Box::default(),
            tokens: Box::default(),
        }
    }

    /// Makes the pointer to a top-level member: `sub` becomes `/sub`.
    pub(crate) fn member(name: &str) -> Self {
        let mut text = String::new();
        push_token(&mut text, name);
        Self {
            text: text.into(),
            tokens: Box::new([name.into()]),
        }
    }

    /// Returns the pointer as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the names and indices of the path, unescaped.
    pub(crate) fn tokens(&self) -> &[Box<str>] {
        &self.tokens
    }

    /// Returns the value at this place (RFC 6901 §4).
    pub fn resolve<'v, 'a>(&self, value: &'v Value<'a>) -> Option<&'v Value<'a>> {
        self.tokens
            .iter()
            .try_fold(value, |value, token| match value {
                Value::Object(object) => object.get(token),
                Value::Array(items) => items.get(index(token)?),
                _ => None,
            })
    }
}

/// An array index: digits without a leading zero (RFC 6901 §4).
fn index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with('0');
    (canonical && token.bytes().all(|b| b.is_ascii_digit())).then(|| token.parse().ok())?
}

fn unescape(token: &str) -> Option<Box<str>> {
    let mut parts = token.split('~');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (escaped, rest) = match part.strip_prefix('0') {
            Some(rest) => ('~', rest),
            None => ('/', part.strip_prefix('1')?),
        };
        plain.push(escaped);
        plain.push_str(rest);
    }
    Some(plain.into())
}

/// Appends `/` and the escaped token (RFC 6901 §3) to a pointer.
pub fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    for c in token.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}
