//! Conditions on claims: issuers, token types and rules use them. `README.md`
//! lists the other files that a new condition changes.

use alloc::vec::Vec;

use crate::json::{Pointer, Value};

/// A claim and its condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClaimCondition {
    pub(crate) pointer: Pointer,
    pub(crate) condition: Condition,
}

/// The condition on a claim. The values come from the policy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    Equals(Value<'static>),
    OneOf(Vec<Value<'static>>),
    /// An array that contains this item, or a space-separated string that
    /// contains this word.
    Contains(Value<'static>),
}

impl Condition {
    pub(crate) fn holds(&self, value: &Value<'_>) -> bool {
        match self {
            Self::Equals(expected) => equal(value, expected),
            Self::OneOf(expected) => expected.iter().any(|expected| equal(value, expected)),
            Self::Contains(expected) => match (value, expected) {
                (Value::Array(items), expected) => items.iter().any(|item| equal(item, expected)),
                (Value::String(text), Value::String(word)) => {
                    text.split(' ').any(|w| !w.is_empty() && w == word)
                }
                _ => false,
            },
        }
    }
}

/// An inexact number equals nothing: several different texts give the same
/// double.
fn equal(value: &Value<'_>, expected: &Value<'_>) -> bool {
    match value {
        Value::Number(number) => number.is_exact() && value == expected,
        _ => value == expected,
    }
}
