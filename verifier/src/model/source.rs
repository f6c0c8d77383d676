//! A source: where a claim is, and how it is read.

use alloc::{borrow::Cow, boxed::Box, format, vec::Vec};

use crate::{
    base::Limits,
    json::{self, Pointer, Value},
};

/// A claim, and how it is read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Source {
    pub(crate) pointer: Pointer,
    pub(crate) how: How,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum How {
    /// As it is.
    Plain,
    /// A text is split at this character. Spaces round a part are cut off, and
    /// empty parts are dropped.
    Split(char),
    /// An object stands for the names of its members, without those whose value
    /// is `false` or `null`.
    Keys,
    /// A text is JSON, in which this source reads.
    Json(Box<Source>),
}

/// The claim has a shape that its source cannot read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unreadable;

impl Source {
    pub(crate) fn plain(pointer: Pointer) -> Self {
        let how = How::Plain;
        Self { pointer, how }
    }

    /// Returns the value, or `None` if there is none: `null` counts as none.
    pub(crate) fn read<'v>(
        &self,
        claims: &'v Value<'v>,
        limits: &Limits,
    ) -> Result<Option<Cow<'v, Value<'v>>>, Unreadable> {
        let found = match self.pointer.resolve(claims) {
            None | Some(Value::Null) => return Ok(None),
            Some(found) => found,
        };
        let text = |text: &'v str| Value::String(Cow::Borrowed(text));
        let items: Vec<Value<'v>> = match (&self.how, found) {
            (How::Plain, _) => return Ok(Some(Cow::Borrowed(found))),
            (How::Json(inner), Value::String(text)) => {
                let value = json::parse(text.as_bytes(), limits.into()).map_err(|_| Unreadable)?;
                let inner = inner.read(&value, limits)?;
                return Ok(inner.map(|inner| Cow::Owned(inner.into_owned().into_owned())));
            }
            (How::Json(inner), _) => return inner.read(found, limits),
            (How::Split(at), Value::String(whole)) => {
                let parts = whole.split(*at).map(|part| part.trim_matches(' '));
                parts.filter(|part| !part.is_empty()).map(text).collect()
            }
            (How::Keys, Value::Object(object)) => {
                let held = |value: &Value<'_>| !matches!(value, Value::Null | Value::Bool(false));
                let members = object.iter().filter(|(_, value)| held(value));
                members.map(|(name, _)| text(name)).collect()
            }
            (How::Split(_) | How::Keys, Value::Array(items))
                if items.iter().all(|item| item.as_str().is_some()) =>
            {
                return Ok(Some(Cow::Borrowed(found)));
            }
            _ => return Err(Unreadable),
        };
        Ok(Some(Cow::Owned(Value::Array(items))))
    }

    /// Returns the JSON of the value as the issuer signed it.
    pub(crate) fn signed<'t>(&self, claims: &'t str) -> Option<Cow<'t, str>> {
        let found = json::raw(claims, &self.pointer)?;
        let How::Json(inner) = &self.how else {
            return Some(Cow::Borrowed(found));
        };
        match json::parse(found.as_bytes(), (&Limits::DEFAULT).into()) {
            Ok(Value::String(text)) => Some(Cow::Owned(inner.signed(&text)?.into_owned())),
            _ => inner.signed(found),
        }
    }
}

/// Returns a text, or with `numbers` the digits of a whole number that a double
/// represents exactly.
pub(crate) fn text_of<'v>(value: &'v Value<'_>, numbers: bool) -> Option<Cow<'v, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) if numbers => {
            let digits = number.as_integer()?;
            Some(Cow::Owned(format!("{digits}")))
        }
        _ => None,
    }
}

/// Calls `add` for a text, or for each item of an array of texts. Returns
/// whether the value is one of these; otherwise it calls nothing.
pub(crate) fn each_text(value: &Value<'_>, numbers: bool, add: &mut dyn FnMut(&str)) -> bool {
    let items = match value {
        Value::Array(items) => items,
        one => core::slice::from_ref(one),
    };
    let readable = items.iter().all(|item| text_of(item, numbers).is_some());
    if readable {
        for text in items.iter().filter_map(|item| text_of(item, numbers)) {
            add(&text);
        }
    }
    readable
}
