//! Reading a document member by member, with every problem at its place.

use std::{cell::RefCell, collections::BTreeMap, fmt::Display, ops::RangeInclusive, str::FromStr};

use countersign_policy_source::{Problem, Source, child_pointer};
use serde_json::{Map, Value};

/// Collects the problems of one document.
pub(super) struct Reader<'s> {
    source: &'s Source,
    problems: RefCell<Vec<Problem>>,
}

/// A value, and where it is. What reads it returns `None` after it has said what is
/// wrong.
#[derive(Clone)]
pub(super) struct Place<'r> {
    reader: &'r Reader<'r>,
    value: &'r Value,
    pointer: String,
}

/// An object whose members are asked for by name.
pub(super) struct Object<'r> {
    place: Place<'r>,
    members: &'r Map<String, Value>,
    known: Vec<&'static str>,
}

impl<'s> Reader<'s> {
    pub(super) fn new(source: &'s Source) -> Self {
        let problems = RefCell::default();
        Self { source, problems }
    }

    pub(super) fn root<'r>(&'r self, value: &'r Value) -> Place<'r> {
        Place {
            reader: self,
            value,
            pointer: String::new(),
        }
    }

    /// Says what is wrong with the value at `pointer`.
    pub(super) fn refuse(&self, pointer: &str, code: &str, message: impl Into<String>) {
        self.problems.borrow_mut().push(Problem {
            file: self.source.name.clone(),
            position: self.source.position(pointer),
            pointer: pointer.to_owned(),
            code: code.to_owned(),
            message: message.into(),
            is_error: true,
        });
    }

    pub(super) fn problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

impl<'r> Place<'r> {
    /// Says that the value is wrong: always `None`.
    pub(super) fn invalid<T>(&self, message: impl Into<String>) -> Option<T> {
        self.reader.refuse(&self.pointer, "value_invalid", message);
        None
    }

    fn wrong_type<T>(&self, expected: &str) -> Option<T> {
        let message = format!("expected {expected}");
        self.reader.refuse(&self.pointer, "type_wrong", message);
        None
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        let boolean = self.value.as_bool();
        boolean.or_else(|| self.wrong_type("`true` or `false`"))
    }

    /// A value that somebody else reads.
    pub(super) fn json(&self) -> Option<Value> {
        Some(self.value.clone())
    }

    /// How many items a list has.
    pub(super) fn length(&self) -> usize {
        self.value.as_array().map_or(0, Vec::len)
    }

    /// Whether it is an empty list or object.
    pub(super) fn is_empty(&self) -> bool {
        let list = self.value.as_array().is_some_and(Vec::is_empty);
        list || self.value.as_object().is_some_and(Map::is_empty)
    }

    pub(super) fn text(&self) -> Option<&'r str> {
        let text = self.value.as_str();
        text.or_else(|| self.wrong_type("a text"))
    }

    /// A text that is not empty.
    pub(super) fn name(&self) -> Option<&'r str> {
        match self.text()? {
            "" => self.invalid("it is empty"),
            text => Some(text),
        }
    }

    pub(super) fn parsed<T: FromStr<Err: Display>>(&self) -> Option<T> {
        match self.text()?.parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => self.invalid(format!("{error}")),
        }
    }

    pub(super) fn integer(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let Some(number) = self.value.as_u64() else {
            return self.wrong_type("a whole number");
        };
        if range.contains(&number) {
            return Some(number);
        }
        let message = format!("expected {} to {}", range.start(), range.end());
        let pointer = &self.pointer;
        self.reader.refuse(pointer, "value_out_of_range", message);
        None
    }

    /// The good items of a list.
    pub(super) fn list<T>(&self, mut read: impl FnMut(Self) -> Option<T>) -> Option<Vec<T>> {
        let Some(items) = self.value.as_array() else {
            return self.wrong_type("a list");
        };
        let items = items.iter().enumerate();
        let items = items.filter_map(|(index, value)| read(self.child(&index.to_string(), value)));
        Some(items.collect())
    }

    /// The good members of an object whose names the user chooses.
    pub(super) fn map<T>(
        &self,
        mut read: impl FnMut(&str, Self) -> Option<T>,
    ) -> Option<BTreeMap<String, T>> {
        let Some(members) = self.value.as_object() else {
            return self.wrong_type("an object");
        };
        let members = members.iter().filter_map(|(name, value)| {
            let read = read(name, self.child(name, value))?;
            Some((name.clone(), read))
        });
        Some(members.collect())
    }

    pub(super) fn object(self) -> Option<Object<'r>> {
        match self.value.as_object() {
            Some(members) => Some(Object {
                place: self,
                members,
                known: Vec::new(),
            }),
            None => self.wrong_type("an object"),
        }
    }

    fn child(&self, token: &str, value: &'r Value) -> Self {
        Self {
            reader: self.reader,
            value,
            pointer: child_pointer(&self.pointer, token),
        }
    }
}

impl<'r> Object<'r> {
    /// The member of this name, if it is there and good.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Place<'r>) -> Option<T>,
    ) -> Option<T> {
        self.known.push(name);
        let value = self.members.get(name)?;
        read(self.place.child(name, value))
    }

    /// The member of this name, which must be there.
    pub(super) fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Place<'r>) -> Option<T>,
    ) -> Option<T> {
        if !self.members.contains_key(name) {
            let message = format!("`{name}` is missing");
            let pointer = &self.place.pointer;
            self.place.reader.refuse(pointer, "field_missing", message);
        }
        self.optional(name, read)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Says that the object as a whole is wrong.
    pub(super) fn refuse(&self, message: impl Into<String>) {
        let Place {
            reader, pointer, ..
        } = &self.place;
        reader.refuse(pointer, "value_invalid", message);
    }

    /// After the last member: all others are problems.
    pub(super) fn end(self) {
        let others = self.members.iter();
        for (name, value) in others.filter(|(name, _)| !self.known.contains(&name.as_str())) {
            let Place {
                reader, pointer, ..
            } = self.place.child(name, value);
            let known = self.known.join("`, `");
            let message = format!("`{name}` is not known here: `{known}` are");
            reader.refuse(&pointer, "field_unknown", message);
        }
    }
}
