//! Reads a JSON value of the policy, and knows where it stands: what is wrong
//! with it is reported with its place, and reading goes on beside it.

use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::ops::RangeInclusive;

use super::{
    codes::*,
    fields::Fields,
    report::{Position, Read, Report, Reported},
    suggest::quoted,
};
use crate::{
    base::{Problem, Set},
    json::{Number, Object, Value, push_token},
};

/// A value and the way to it. `'p` is the policy's text.
#[derive(Clone, Copy)]
pub(super) struct Node<'n, 'p> {
    value: &'p Value<'p>,
    step: Option<Step<'n, 'p>>,
    report: &'n Report,
}

/// The last step of the way: a member of an object, or an item of an array.
#[derive(Clone, Copy)]
struct Step<'n, 'p> {
    parent: &'n Node<'n, 'p>,
    index: usize,
    name: Option<&'p str>,
}

/// What a text has to be: else the sentence that says so.
pub(super) type Grammar = fn(&str) -> Result<(), &'static str>;

impl<'n, 'p> Node<'n, 'p> {
    pub(super) fn root(value: &'p Value<'p>, report: &'n Report) -> Self {
        Self {
            value,
            step: None,
            report,
        }
    }

    /// The value itself, for those to whom its type matters.
    pub(super) fn value(self) -> &'p Value<'p> {
        self.value
    }

    pub(super) fn text(self) -> Read<&'p str> {
        self.value
            .as_str()
            .ok_or_else(|| self.type_wrong("a string"))
    }

    /// A text of this grammar.
    pub(super) fn word(self, grammar: Grammar) -> Read<&'p str> {
        let text = self.text()?;
        match grammar(text) {
            Ok(()) => Ok(text),
            Err(sentence) => Err(self.refuse(VALUE_INVALID, sentence)),
        }
    }

    /// An array of different texts of this grammar, `least` of them or more.
    pub(super) fn words(&self, least: usize, grammar: Grammar) -> Read<Vec<Box<str>>> {
        self.known_words(least, grammar, &|_, _| {})
    }

    /// The same; each is also looked at by somebody who knows what it names.
    pub(super) fn known_words(
        &self,
        least: usize,
        grammar: Grammar,
        look: &dyn Fn(Node<'_, '_>, &str),
    ) -> Read<Vec<Box<str>>> {
        let mut unique = Unique::default();
        self.list(least, usize::MAX, |item| {
            let word = item.word(grammar)?;
            unique.add(item, word, "this list")?;
            look(item, word);
            Ok(word.into())
        })
    }

    pub(super) fn flag(self) -> Read<bool> {
        match self.value {
            Value::Bool(flag) => Ok(*flag),
            _ => Err(self.type_wrong("`true` or `false`")),
        }
    }

    /// A whole number within bounds; `30.0` is one (RFC 8259 §6).
    pub(super) fn integer(self, bounds: RangeInclusive<u32>) -> Read<u32> {
        const WANTED: &str = "a whole number";
        let Value::Number(number) = self.value else {
            return Err(self.type_wrong(WANTED));
        };
        let whole = match *number {
            Number::Unsigned(n) => u32::try_from(n).ok(),
            Number::Negative(_) => None,
            // `as` saturates; what it cut is not equal.
            Number::Float(x) if f64::from(x as u32) == x => Some(x as u32),
            Number::Float(x) if (0.0..=f64::from(u32::MAX)).contains(&x) => {
                return Err(self.refuse(TYPE_WRONG, "a whole number is needed here"));
            }
            Number::Float(_) => None,
        };
        whole.filter(|n| bounds.contains(n)).ok_or_else(|| {
            let message = format!(
                "the number must be from {} to {}",
                bounds.start(),
                bounds.end()
            );
            self.refuse(VALUE_OUT_OF_RANGE, message)
        })
    }

    /// An age in seconds, as milliseconds; ten years are the most, since more
    /// is a slip of the keyboard.
    pub(super) fn age_ms(self) -> Read<i64> {
        self.integer(1..=315_360_000).map(ms)
    }

    /// The items of an array of `least` to `most`: all that can be read.
    pub(super) fn list<T>(
        &self,
        least: usize,
        most: usize,
        mut read: impl FnMut(Node<'_, 'p>) -> Read<T>,
    ) -> Read<Vec<T>> {
        let mut list = Vec::new();
        self.each_item(least, most, &mut |item| list.extend(read(item).ok()))?;
        Ok(list)
    }

    /// The members of an object whose names are the operator's: all that can
    /// be read.
    pub(super) fn members<T>(
        &self,
        mut read: impl FnMut(&'p str, Node<'_, 'p>) -> Read<T>,
    ) -> Read<Vec<T>> {
        let mut members = Vec::new();
        self.each_member(&mut |name, value| members.extend(read(name, value).ok()))?;
        Ok(members)
    }

    fn each_item(&self, least: usize, most: usize, read: &mut dyn FnMut(Node<'_, 'p>)) -> Read<()> {
        self.array(least, most)?;
        self.each(read);
        Ok(())
    }

    /// The items of an array, or this value itself if it is none.
    pub(super) fn each(&self, look: &mut dyn FnMut(Node<'_, 'p>)) {
        match self.value.as_array() {
            Some(items) => {
                let items = items.iter().enumerate();
                items.for_each(|(index, value)| look(self.child(value, index, None)));
            }
            None => look(*self),
        }
    }

    fn each_member(&self, read: &mut dyn FnMut(&'p str, Node<'_, 'p>)) -> Read<()> {
        for (index, (name, value)) in self.object()?.iter().enumerate() {
            read(name, self.child(value, index, Some(name)));
        }
        Ok(())
    }

    /// The fields of an object whose names are the contract's.
    pub(super) fn fields(&self) -> Read<Fields<'_, 'p>> {
        Ok(Fields::new(self, self.object()?))
    }

    /// How many errors were reported so far: what was read between two equal
    /// counts was read in full.
    pub(super) fn refusals(self) -> usize {
        self.report.refusals()
    }

    /// Reports an error here.
    pub(super) fn refuse(self, code: &'static str, message: impl Into<String>) -> Reported {
        let problem = Problem::error(self.pointer(), code, message);
        self.report.refuse(self.position(), problem)
    }

    /// Reports a warning here.
    pub(super) fn warn(self, code: &'static str, message: impl Into<String>) {
        let problem = Problem::warning(self.pointer(), code, message);
        self.report.warn(self.position(), problem);
    }

    /// Reports an error that somebody else found below here.
    pub(super) fn refuse_with(self, problem: Problem) -> Reported {
        self.report.refuse(self.position(), problem)
    }

    /// Reports a warning that somebody else found below here.
    pub(super) fn warn_with(self, problem: Problem) {
        self.report.warn(self.position(), problem);
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
        self.refuse(TYPE_WRONG, format!("{wanted} is needed here, not {found}"))
    }

    /// JSON Pointer (RFC 6901).
    pub(super) fn pointer(self) -> String {
        let Some(step) = self.step else {
            return String::new();
        };
        let mut pointer = step.parent.pointer();
        match step.name {
            Some(name) => push_token(&mut pointer, name),
            None => pointer.push_str(&format!("/{}", step.index)),
        }
        pointer
    }

    fn position(self) -> Position {
        let Some(step) = self.step else {
            return Position::new();
        };
        let mut position = step.parent.position();
        position.push(step.index);
        position
    }

    /// An array of `least` to `most` items.
    pub(super) fn array(self, least: usize, most: usize) -> Read<&'p [Value<'p>]> {
        let items = self.value.as_array();
        let items = items.ok_or_else(|| self.type_wrong("an array"))?;
        if items.len() < least {
            return Err(self.refuse(VALUE_INVALID, "the array must not be empty"));
        }
        if items.len() > most {
            return Err(self.refuse(TOO_MANY, format!("at most {most} are read here")));
        }
        Ok(items)
    }

    /// An object, whatever its members.
    pub(super) fn object(self) -> Read<&'p Object<'p>> {
        self.value
            .as_object()
            .ok_or_else(|| self.type_wrong("an object"))
    }

    pub(super) fn child(
        &self,
        value: &'p Value<'p>,
        index: usize,
        name: Option<&'p str>,
    ) -> Node<'_, 'p> {
        Node {
            value,
            step: Some(Step {
                parent: self,
                index,
                name,
            }),
            report: self.report,
        }
    }
}

/// Seconds of the policy as milliseconds of the gate.
pub(super) fn ms(seconds: u32) -> i64 {
    i64::from(seconds).saturating_mul(1000)
}

/// Things that must differ from each other.
#[derive(Default)]
pub(super) struct Unique {
    seen: Set,
}

impl Unique {
    /// `within` names what the text must be unique in.
    pub(super) fn add(&mut self, node: Node<'_, '_>, text: &str, within: &str) -> Read<()> {
        if self.seen.insert(text.as_bytes()) {
            return Ok(());
        }
        let message = format!("{} is more than once in {within}", quoted(text));
        Err(node.refuse(DUPLICATE, message))
    }
}
