//! Strict JSON (RFC 8259): every text has one meaning or is refused.
//! The parser refuses duplicate member names (even if they differ only by
//! escapes) and bounds the depth and the members. Uses `base`.

mod elements;
mod number;
mod parse;
mod pointer;
mod raw;
mod text;

use alloc::{borrow::Cow, format, string::String, vec::Vec};

use countersign_kernel::bytes;

use crate::base::Set;

pub(crate) use elements::{Elements, Event, refusal};
pub use parse::{Bounds, Fault, FaultKind, parse, parse_claims};
pub use pointer::{Pointer, push_token};
pub(crate) use raw::raw;
pub use text::push_text;
pub(crate) use text::push_value;

/// A JSON value that borrows from its text where it can.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// Any number.
    Number(Number),
    /// Any string, unescaped.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object with unique member names.
    Object(Object<'a>),
}

/// A number: exact if it is a 64-bit integer, otherwise the nearest double.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A non-negative integer.
    Unsigned(u64),
    /// A negative integer.
    Negative(i64),
    /// Any other number. It is always finite.
    Float(f64),
}

impl Number {
    /// Returns whether the number is within ±(2^53 - 1), where each double
    /// represents exactly one integer (RFC 8259 §6).
    pub(crate) fn is_exact(self) -> bool {
        const LIMIT: f64 = 9_007_199_254_740_991.0;
        match self {
            // Above 2^53, rounding to a double can turn an odd number into an
            // even one.
            Self::Unsigned(n) => n <= LIMIT as u64,
            Self::Negative(n) => n >= -(LIMIT as i64),
            Self::Float(x) => (-LIMIT..=LIMIT).contains(&x),
        }
    }

    /// Returns a whole number that is exact and was written in digits alone.
    pub(crate) fn as_integer(self) -> Option<i64> {
        let exact = Some(self).filter(|number| number.is_exact())?;
        match exact {
            Self::Unsigned(n) => i64::try_from(n).ok(),
            Self::Negative(n) => Some(n),
            Self::Float(_) => None,
        }
    }

    pub(crate) fn as_f64(self) -> f64 {
        match self {
            // Above 2^53 this is the nearest double.
            Self::Unsigned(n) => n as f64,
            Self::Negative(n) => n as f64,
            Self::Float(x) => x,
        }
    }
}

impl PartialEq for Number {
    /// Compares by value: `1` equals `1.0` (RFC 8259 §6 has one kind of
    /// number).
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::Unsigned(a), Self::Unsigned(b)) => a == b,
            (Self::Negative(a), Self::Negative(b)) => a == b,
            (a, b) => a.as_f64() == b.as_f64(),
        }
    }
}

/// An object: its members in the order of the text.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Object<'a> {
    /// `None` if two members have the same name.
    pub fn new(members: Vec<(Cow<'a, str>, Value<'a>)>) -> Option<Self> {
        let mut seen = Set::default();
        let unique = members.iter().all(|(name, _)| seen.insert(name.as_bytes()));
        unique.then_some(Self(members))
    }

    /// Returns the member with this name.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        for (held, value) in &self.0 {
            if held.len() == name.len() && bytes::equal(held.as_bytes(), name.as_bytes()) {
                return Some(value);
            }
        }
        None
    }

    /// Returns all members.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }
}

/// Says what a value is, for an explanation.
pub(crate) fn describe(value: Option<&Value<'_>>) -> String {
    let kind = match value {
        None => "is not there",
        Some(Value::Null) => "is `null`",
        Some(Value::Bool(true)) => "is `true`",
        Some(Value::Bool(false)) => "is `false`",
        Some(Value::Number(_)) => "is a number",
        Some(Value::String(text)) => {
            return format!("is the text `{}`", text.as_bytes().escape_ascii());
        }
        Some(Value::Array(_)) => "is an array",
        Some(Value::Object(_)) => "is an object",
    };
    kind.into()
}

impl<'a> Value<'a> {
    /// Returns the string if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the object if this is one.
    pub fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Returns the array if this is one.
    pub fn as_array(&self) -> Option<&[Value<'a>]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// Returns a NumericDate (RFC 7519 §2) in milliseconds, rounded down.
    /// `None` if this is not a number within ±2^53.
    pub fn as_milliseconds(&self) -> Option<i64> {
        const LIMIT: f64 = 9_007_199_254_740_992.0;
        let Self::Number(number) = self else {
            return None;
        };
        if !(-LIMIT..=LIMIT).contains(&number.as_f64()) {
            return None;
        }
        match *number {
            Number::Unsigned(n) => i64::try_from(n).ok()?.checked_mul(1000),
            Number::Negative(n) => n.checked_mul(1000),
            Number::Float(x) => {
                let scaled = x * 1000.0;
                // `as` saturates and cannot panic; |scaled| < 2^63.
                let truncated = scaled as i64;
                Some(if (truncated as f64) > scaled {
                    truncated.saturating_sub(1)
                } else {
                    truncated
                })
            }
        }
    }

    /// Returns the same value without borrowing.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(b),
            Self::Number(n) => Value::Number(n),
            Self::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Self::Array(items) => Value::Array(items.into_iter().map(Value::into_owned).collect()),
            Self::Object(Object(members)) => Value::Object(Object(
                members
                    .into_iter()
                    .map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned()))
                    .collect(),
            )),
        }
    }
}
