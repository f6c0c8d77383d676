//! Reads JSON values of the policy together with their place. It reports each
//! problem with its place and continues with the next value.

use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::ops::RangeInclusive;

use super::{
    codes::Code::{self, *},
    fields::Fields,
    opener::Opener,
    report::{Read, Report, Reported},
    suggest::quoted,
};
use crate::{
    base::{Problem, Set},
    json::{Number, Object, Value},
};

/// A value of the policy. Its place is searched for only if it has a problem,
/// so that reading a policy carries no paths. `'p` is the lifetime of the
/// policy's text.
#[derive(Clone, Copy)]
pub(super) struct Node<'n, 'p> {
    value: &'p Value<'p>,
    report: &'n Report<'p>,
}

/// Checks a text. The error is the message for the operator.
pub(super) type Grammar = fn(&str) -> Result<(), &'static str>;

impl<'n, 'p> Node<'n, 'p> {
    pub(super) fn root(report: &'n Report<'p>) -> Self {
        let value = report.root;
        Self { value, report }
    }

    /// Returns the value, for callers that accept several types.
    pub(super) fn value(self) -> &'p Value<'p> {
        self.value
    }

    pub(super) fn text(self) -> Read<&'p str> {
        self.value
            .as_str()
            .ok_or_else(|| self.type_wrong("a string"))
    }

    /// Reads a text of this grammar.
    pub(super) fn word(self, grammar: Grammar) -> Read<&'p str> {
        let text = self.text()?;
        match grammar(text) {
            Ok(()) => Ok(text),
            Err(sentence) => Err(self.refuse(ValueInvalid, sentence)),
        }
    }

    /// Reads an array of at least `min` different texts of this grammar.
    pub(super) fn words(self, min: usize, grammar: Grammar) -> Read<Vec<Box<str>>> {
        self.known_words(min, grammar, &|_, _| {})
    }

    /// The same; it also calls `visit` for each text, for example to check that
    /// a name is defined.
    pub(super) fn known_words(
        self,
        min: usize,
        grammar: Grammar,
        visit: &dyn Fn(Node<'_, '_>, &str),
    ) -> Read<Vec<Box<str>>> {
        let mut unique = Unique::default();
        self.list(min, usize::MAX, |item| {
            let word = item.word(grammar)?;
            unique.add(item, word, "this list")?;
            visit(item, word);
            Ok(word.into())
        })
    }

    pub(super) fn flag(self) -> Read<bool> {
        match self.value {
            Value::Bool(flag) => Ok(*flag),
            _ => Err(self.type_wrong("`true` or `false`")),
        }
    }

    /// Reads one of two words; returns whether it is the second one.
    pub(super) fn either(self, words: [&str; 2], message: &str) -> Read<bool> {
        let text = self.text()?;
        match words.iter().position(|word| *word == text) {
            Some(index) => Ok(index == 1),
            None => Err(self.refuse(ValueInvalid, message)),
        }
    }

    /// Reads an integer within bounds. `30.0` is an integer (RFC 8259 §6).
    pub(super) fn integer(self, bounds: RangeInclusive<u32>) -> Read<u32> {
        const WANTED: &str = "a whole number";
        let Value::Number(number) = self.value else {
            return Err(self.type_wrong(WANTED));
        };
        let whole = match *number {
            Number::Unsigned(n) => u32::try_from(n).ok(),
            Number::Negative(_) => None,
            // `as` saturates and truncates; then the result differs from `x`.
            Number::Float(x) if f64::from(x as u32) == x => Some(x as u32),
            Number::Float(x) if (0.0..=f64::from(u32::MAX)).contains(&x) => {
                return Err(self.refuse(TypeWrong, "a whole number is needed here"));
            }
            Number::Float(_) => None,
        };
        whole.filter(|n| bounds.contains(n)).ok_or_else(|| {
            let message = format!(
                "the number must be from {} to {}",
                bounds.start(),
                bounds.end()
            );
            self.refuse(ValueOutOfRange, message)
        })
    }

    /// Reads an age in seconds and returns milliseconds. The maximum is ten
    /// years: a larger number is probably a typing error.
    pub(super) fn age_ms(self) -> Read<i64> {
        self.integer(1..=315_360_000).map(ms)
    }

    /// Reads an array of `min` to `max` items. Returns the valid items.
    pub(super) fn list<T>(
        self,
        min: usize,
        max: usize,
        mut read: impl FnMut(Node<'n, 'p>) -> Read<T>,
    ) -> Read<Vec<T>> {
        let mut list = Vec::new();
        self.each_item(min, max, &mut |item| {
            if let Ok(item) = read(item) {
                list.push(item);
            }
        })?;
        Ok(list)
    }

    /// Reads an object whose member names the operator chooses. Returns the
    /// valid members.
    pub(super) fn members<T>(
        self,
        mut read: impl FnMut(&'p str, Node<'n, 'p>) -> Read<T>,
    ) -> Read<Vec<T>> {
        let mut members = Vec::new();
        self.each_member(&mut |name, value| {
            if let Ok(member) = read(name, value) {
                members.push(member);
            }
        })?;
        Ok(members)
    }

    fn each_item(self, min: usize, max: usize, read: &mut dyn FnMut(Node<'n, 'p>)) -> Read<()> {
        self.array(min, max)?;
        self.each(read);
        Ok(())
    }

    /// Visits each item of an array, or this value if it is not an array.
    pub(super) fn each(self, visit: &mut dyn FnMut(Node<'n, 'p>)) {
        match self.value.as_array() {
            Some(items) => items.iter().for_each(|value| visit(self.below(value))),
            None => visit(self),
        }
    }

    fn each_member(self, read: &mut dyn FnMut(&'p str, Node<'n, 'p>)) -> Read<()> {
        for (name, value) in self.object()?.iter() {
            read(name, self.below(value));
        }
        Ok(())
    }

    /// Returns a reader for an object with fixed field names.
    pub(super) fn fields(self) -> Read<Fields<'n, 'p>> {
        Ok(Fields::new(self, self.object()?))
    }

    /// Returns the number of errors so far. If it is equal before and after a
    /// read, everything between was valid.
    /// Returns who opens the policy.
    pub(super) fn opener(self) -> Opener<'n> {
        self.report.opener
    }

    pub(super) fn refusals(self) -> usize {
        self.report.refusals()
    }

    /// Reports an error here.
    pub(super) fn refuse(self, code: Code, message: impl Into<String>) -> Reported {
        self.refuse_with(Problem::error("", code.as_str(), message))
    }

    /// Reports a warning here.
    pub(super) fn warn(self, code: Code, message: impl Into<String>) {
        self.warn_with(Problem::warning("", code.as_str(), message));
    }

    /// Reports an error of another parser, whose pointer starts here.
    pub(super) fn refuse_with(self, problem: Problem) -> Reported {
        self.report.refuse(self.value, problem)
    }

    /// Reports a warning of another parser, whose pointer starts here.
    pub(super) fn warn_with(self, problem: Problem) {
        self.report.add(self.value, problem);
    }

    pub(super) fn type_wrong(self, wanted: &str) -> Reported {
        let found = match self.value {
            Value::Null => "`null`",
            Value::Bool(_) => "`true` or `false`",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        self.refuse(TypeWrong, format!("{wanted} is needed here, not {found}"))
    }

    /// Reads an array of `min` to `max` items.
    pub(super) fn array(self, min: usize, max: usize) -> Read<&'p [Value<'p>]> {
        let items = self.value.as_array();
        let items = items.ok_or_else(|| self.type_wrong("an array"))?;
        if items.len() < min {
            return Err(self.refuse(ValueInvalid, "the array must not be empty"));
        }
        if items.len() > max {
            return Err(self.refuse(TooMany, format!("at most {max} are read here")));
        }
        Ok(items)
    }

    /// Reads an object with any members.
    pub(super) fn object(self) -> Read<&'p Object<'p>> {
        self.value
            .as_object()
            .ok_or_else(|| self.type_wrong("an object"))
    }

    /// Returns the node of a value within this one.
    pub(super) fn below(self, value: &'p Value<'p>) -> Self {
        let report = self.report;
        Self { value, report }
    }
}

/// Converts seconds to milliseconds.
pub(super) fn ms(seconds: u32) -> i64 {
    i64::from(seconds).saturating_mul(1000)
}

/// Texts that must differ from each other.
#[derive(Default)]
pub(super) struct Unique {
    seen: Set,
}

impl Unique {
    pub(super) fn contains(&self, text: &str) -> bool {
        self.seen.contains(text.as_bytes())
    }

    /// Adds a text. `within` says in the message where the text must be unique.
    pub(super) fn add(&mut self, node: Node<'_, '_>, text: &str, within: &str) -> Read<()> {
        if self.seen.insert(text.as_bytes()) {
            return Ok(());
        }
        let message = format!("{} is more than once in {within}", quoted(text));
        Err(node.refuse(Duplicate, message))
    }
}
