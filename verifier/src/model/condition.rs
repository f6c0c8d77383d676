//! Conditions on claims, as issuers, token types and rules state them.

use alloc::vec::Vec;

use crate::json::{Pointer, Value};

/// A claim and what it has to be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claims {
    pub(crate) pointer: Pointer,
    pub(crate) condition: Condition,
}

/// What a claim has to be. The values are the policy's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    Equals(Value<'static>),
    OneOf(Vec<Value<'static>>),
    /// An array with this item, or a string with this word between spaces.
    Contains(Value<'static>),
}

impl Condition {
    pub(crate) fn holds(&self, value: &Value<'_>) -> bool {
        match self {
            Self::Equals(wanted) => equal(value, wanted),
            Self::OneOf(wanted) => wanted.iter().any(|wanted| equal(value, wanted)),
            Self::Contains(wanted) => match (value, wanted) {
                (Value::Array(items), wanted) => items.iter().any(|item| equal(item, wanted)),
                (Value::String(text), Value::String(word)) => {
                    text.split(' ').any(|w| !w.is_empty() && w == word)
                }
                _ => false,
            },
        }
    }
}

/// Numbers that several texts may stand for equal nothing.
fn equal(value: &Value<'_>, wanted: &Value<'_>) -> bool {
    match value {
        Value::Number(number) => number.is_exact() && value == wanted,
        _ => value == wanted,
    }
}
