//! What the input asks of a claim, as a condition of a policy.

use serde_json::{Value, json};

use crate::text::{How, Text};

/// A comparison of a claim. Without the claim it does not hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claim {
    /// Its JSON Pointer.
    pub(crate) pointer: String,
    pub(crate) form: Form,
    /// One of these holds.
    pub(crate) tests: Vec<Test>,
    /// Whether the comparison must not hold.
    pub(crate) negated: bool,
    /// Whether the tests hold wherever the input's hold, so that one that fails
    /// says something too.
    pub(crate) is_exact: bool,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The claim itself.
    Value,
    /// One item of an array.
    Item,
    /// The claim itself, or one item of an array.
    Either,
    /// One word of a text, or one item of an array of texts.
    Word,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    Equals(Value),
    StartsWith(String),
    EndsWith(String),
    /// A text that is not empty.
    NotEmpty,
    /// There, of whatever type.
    Present,
}

impl Claim {
    pub(crate) fn new(pointer: String, form: Form, test: Test) -> Self {
        Self {
            pointer,
            form,
            is_exact: test != Test::Present,
            tests: vec![test],
            negated: false,
        }
    }

    /// The claim where the comparison must not hold. `None` where a policy cannot
    /// say that: for it a claim that is `null` is not there, and letters differ by
    /// case.
    pub(crate) fn negation(&self) -> Option<Self> {
        self.is_exact.then(|| Self {
            negated: !self.negated,
            ..self.clone()
        })
    }

    /// Takes the tests of `other`, if one condition says both. Tests that are
    /// joined hold where either does; negated ones where neither does.
    pub(crate) fn merge(&mut self, other: &Self, negated: bool) -> bool {
        // Of a claim of another type than its operand's a condition is unknown: one
        // test of each type would never be false.
        let is_text = |test: &Test| match test {
            Test::Equals(value) => value.is_string(),
            test => *test != Test::Present,
        };
        let each = || self.tests.iter().chain(&other.tests);
        let is_mergeable = (&self.pointer, self.form) == (&other.pointer, other.form)
            && self.negated == negated
            && other.negated == negated
            && (!negated || each().all(is_text));
        if is_mergeable {
            self.is_exact &= other.is_exact;
            for test in &other.tests {
                if !self.tests.contains(test) {
                    self.tests.push(test.clone());
                }
            }
        }
        is_mergeable
    }

    /// The condition. Where the comparison must not hold, the claim may be missing:
    /// of what is missing `not` says nothing.
    pub(crate) fn condition(&self) -> Value {
        let mut any = match (self.negated, self.form) {
            (false, Form::Value) => self.words(),
            (false, Form::Item | Form::Word) => vec![self.item()],
            (false, Form::Either) => [self.words(), vec![self.item()]].concat(),
            (true, Form::Value) => vec![self.no_value()],
            (true, Form::Item | Form::Word) => vec![not(self.item())],
            (true, Form::Either) => vec![self.no_value(), not(self.item())],
        };
        if self.negated {
            any.insert(0, json!({ "present": false }));
        }
        let condition = one_of(any);
        match (self.form, condition) {
            (Form::Word, Value::Object(words)) => {
                let mut split = json!({ "separator": " " });
                if let Some(split) = split.as_object_mut() {
                    split.extend(words);
                }
                split
            }
            (_, condition) => condition,
        }
    }

    fn item(&self) -> Value {
        match self.tests.as_slice() {
            [Test::Equals(value)] => json!({ "contains": value }),
            _ => json!({ "some": one_of(self.words()) }),
        }
    }

    fn no_value(&self) -> Value {
        match self.tests.as_slice() {
            [Test::NotEmpty] => json!({ "equals": "" }),
            _ => not(one_of(self.words())),
        }
    }

    /// The tests as conditions, of which one holds.
    fn words(&self) -> Vec<Value> {
        let mut equal = Vec::new();
        let mut others = Vec::new();
        for test in &self.tests {
            match test {
                Test::Equals(value) => equal.push(value),
                Test::StartsWith(text) => others.push(json!({ "starts_with": text })),
                Test::EndsWith(text) => others.push(json!({ "ends_with": text })),
                Test::NotEmpty => others.push(not(json!({ "equals": "" }))),
                Test::Present => others.push(json!({ "present": true })),
            }
        }
        match equal.as_slice() {
            [] => {}
            [value] => others.insert(0, json!({ "equals": value })),
            values => others.insert(0, json!({ "one_of": values })),
        }
        others
    }
}

impl Test {
    /// The test of a text; `None` where no condition says it.
    pub(crate) fn of(text: &Text) -> Option<Self> {
        Some(match &text.how {
            How::Exact(text) => Self::Equals(json!(text)),
            How::Prefix(text) if is_start(text) => Self::StartsWith(text.clone()),
            How::Suffix(text) if !text.is_empty() => Self::EndsWith(text.clone()),
            How::Present | How::Any => Self::NotEmpty,
            _ => return None,
        })
    }
}

/// Whether a policy accepts it: the start of a URL goes on to the `/` after its
/// host, as the host could be longer.
fn is_start(text: &str) -> bool {
    let host = text.rsplit_once("://").map(|(_, host)| host);
    !text.is_empty() && host.is_none_or(|host| host.contains('/'))
}

fn not(condition: Value) -> Value {
    json!({ "not": condition })
}

fn one_of(mut any: Vec<Value>) -> Value {
    match any.len() {
        1 => any.remove(0),
        _ => json!({ "any_of": any }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(form: Form, tests: Vec<Test>) -> Claim {
        Claim {
            tests,
            ..Claim::new("/role".into(), form, Test::NotEmpty)
        }
    }

    #[test]
    fn a_comparison_becomes_the_condition_that_reads_so() {
        let equals = |text: &str| Test::Equals(json!(text));
        let guest = || vec![equals("guest")];
        let several = || vec![equals("a"), equals("b"), Test::StartsWith("x-".into())];
        for (form, tests, holds, fails) in [
            (
                Form::Value,
                guest(),
                json!({ "equals": "guest" }),
                json!({ "any_of": [{ "present": false }, { "not": { "equals": "guest" } }] }),
            ),
            (
                Form::Value,
                several(),
                json!({ "any_of": [{ "one_of": ["a", "b"] }, { "starts_with": "x-" }] }),
                json!({ "any_of": [{ "present": false },
                    { "not": { "any_of": [{ "one_of": ["a", "b"] }, { "starts_with": "x-" }] } }] }),
            ),
            (
                Form::Item,
                guest(),
                json!({ "contains": "guest" }),
                json!({ "any_of": [{ "present": false }, { "not": { "contains": "guest" } }] }),
            ),
            (
                Form::Either,
                vec![Test::EndsWith("@a.example".into())],
                json!({ "any_of": [{ "ends_with": "@a.example" }, { "some": { "ends_with": "@a.example" } }] }),
                json!({ "any_of": [{ "present": false }, { "not": { "ends_with": "@a.example" } },
                    { "not": { "some": { "ends_with": "@a.example" } } }] }),
            ),
            (
                Form::Word,
                guest(),
                json!({ "separator": " ", "contains": "guest" }),
                json!({ "separator": " ", "any_of": [{ "present": false }, { "not": { "contains": "guest" } }] }),
            ),
            (
                Form::Value,
                vec![Test::NotEmpty],
                json!({ "not": { "equals": "" } }),
                json!({ "any_of": [{ "present": false }, { "equals": "" }] }),
            ),
        ] {
            let claim = claim(form, tests);
            assert_eq!(claim.condition(), holds);
            assert_eq!(claim.negation().unwrap().condition(), fails);
            assert_eq!(claim.negation().unwrap().negation(), Some(claim));
        }
    }

    #[test]
    fn that_a_claim_is_absent_cannot_be_said_as_null_counts_as_absent() {
        let present = Claim::new("/role".into(), Form::Value, Test::Present);
        assert_eq!(present.condition(), json!({ "present": true }));
        assert_eq!(present.negation(), None);
    }

    #[test]
    fn the_start_of_a_url_goes_on_to_its_path() {
        let start = |text: &str| Test::of(&Text::new(How::Prefix(text.into()))).is_some();
        assert!(start("spiffe://example.com/ns/"));
        assert!(start("team-"));
        assert!(!start("https://example.com"));
        assert!(!start(""));
    }

    #[test]
    fn conditions_of_different_types_stay_apart_where_neither_may_hold() {
        let text = claim(Form::Value, vec![Test::Equals(json!("a"))]);
        let flag = claim(Form::Value, vec![Test::Equals(json!(true))]);
        assert!(text.clone().merge(&flag, false));
        let not = |claim: &Claim| claim.negation().unwrap();
        assert!(!not(&text).merge(&not(&flag), true));
        assert!(!text.clone().merge(&not(&flag), false));
        let mut both = not(&text);
        assert!(both.merge(
            &not(&claim(Form::Value, vec![Test::Equals(json!("b"))])),
            true
        ));
        assert_eq!(
            both.condition(),
            json!({ "any_of": [{ "present": false }, { "not": { "one_of": ["a", "b"] } }] })
        );
    }
}
