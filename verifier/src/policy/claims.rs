//! Parses the claims that a policy names, and the conditions on them.

use alloc::{borrow::Cow, string::String, vec::Vec};

use super::{
    codes::*,
    grammar,
    reader::{Node, Unique},
    report::Read,
};
use crate::{
    json::{Pointer, Value, push_token},
    model::{ClaimCondition, Condition},
};

/// Parses a JSON Pointer, or the name of one top-level claim.
pub(super) fn pointer(node: Node<'_, '_>) -> Read<Pointer> {
    parse_pointer(node, node.text()?)
}

/// Parses one pointer, or an array of pointers.
pub(super) fn one_or_more(node: Node<'_, '_>) -> Read<Vec<Pointer>> {
    match node.value() {
        Value::String(_) => pointer(node).map(|pointer| Vec::from([pointer])),
        Value::Array(_) => pointers(node, 0),
        _ => Err(node.type_wrong("a string or an array")),
    }
}

/// Parses an array of at least `min` different pointers.
pub(super) fn pointers(node: Node<'_, '_>, min: usize) -> Read<Vec<Pointer>> {
    let mut unique = Unique::default();
    node.list(min, usize::MAX, |item| {
        let pointer = pointer(item)?;
        unique.add(
            item,
            &normal_form(&pointer),
            "this list, where `a` and `/a` are the same claim",
        )?;
        Ok(pointer)
    })
}

/// Parses conditions: `{ "/hd": { "one_of": ["example.com"] } }`.
pub(super) fn conditions(node: Node<'_, '_>) -> Read<Vec<ClaimCondition>> {
    by_claim(node, condition)
}

/// Parses equalities: `{ "typ": "pat" }` is short for `equals`.
pub(super) fn equalities(node: Node<'_, '_>) -> Read<Vec<ClaimCondition>> {
    by_claim(node, |value| scalar(value).map(Condition::Equals))
}

/// Returns the normal form of a pointer, with a leading `/`.
pub(super) fn normal_form(pointer: &Pointer) -> String {
    let text = pointer.as_str();
    let mut normal_form = String::new();
    if text.starts_with('/') {
        normal_form.push_str(text);
    } else {
        push_token(&mut normal_form, text);
    }
    normal_form
}

fn by_claim(
    node: Node<'_, '_>,
    read: impl Fn(Node<'_, '_>) -> Read<Condition>,
) -> Read<Vec<ClaimCondition>> {
    let mut unique = Unique::default();
    node.members(|name, value| {
        let pointer = parse_pointer(value, name);
        let condition = read(value);
        let pointer = pointer?;
        unique.add(
            value,
            &normal_form(&pointer),
            "this object, where `a` and `/a` are the same claim",
        )?;
        Ok(ClaimCondition {
            pointer,
            condition: condition?,
        })
    })
}

fn parse_pointer(node: Node<'_, '_>, text: &str) -> Read<Pointer> {
    if let Err(sentence) = grammar::text(text) {
        return Err(node.refuse(VALUE_INVALID, sentence));
    }
    let sentence = "in a JSON Pointer `~` is written `~0`, and `/` within a name `~1`";
    Pointer::parse(text).ok_or_else(|| node.refuse(VALUE_INVALID, sentence))
}

fn condition(node: Node<'_, '_>) -> Read<Condition> {
    let mut fields = node.fields()?;
    let equals = fields.node("equals");
    let one_of = fields.node("one_of");
    let contains = fields.node("contains");
    fields.close();
    match (equals, one_of, contains) {
        (Some(value), None, None) => scalar(value).map(Condition::Equals),
        (None, Some(values), None) => values.list(1, usize::MAX, scalar).map(Condition::OneOf),
        (None, None, Some(value)) => scalar(value).map(Condition::Contains),
        (None, None, None) => {
            let message = "a condition says `equals`, `one_of` or `contains`";
            Err(node.refuse(FIELD_MISSING, message))
        }
        _ => {
            let message = "a condition is one of `equals`, `one_of` and `contains`";
            Err(node.refuse(CONFLICT, message))
        }
    }
}

/// Parses a value for comparison with a claim.
fn scalar(node: Node<'_, '_>) -> Read<Value<'static>> {
    match node.value() {
        Value::Bool(flag) => Ok(Value::Bool(*flag)),
        Value::Number(number) if number.is_exact() => Ok(Value::Number(*number)),
        Value::Number(_) => {
            let message =
                "beyond 9007199254740991 (2^53 - 1) numbers are not exact: compare a string";
            Err(node.refuse(VALUE_OUT_OF_RANGE, message))
        }
        Value::String(text) => Ok(Value::String(Cow::Owned(text.clone().into_owned()))),
        _ => Err(node.type_wrong("a string, a number, `true` or `false`")),
    }
}

/// Returns whether `b` contains every condition of `a`.
pub(super) fn all_within(a: &[ClaimCondition], b: &[ClaimCondition]) -> bool {
    let same = |x: &ClaimCondition, y: &ClaimCondition| {
        x.condition == y.condition && normal_form(&x.pointer) == normal_form(&y.pointer)
    };
    a.iter().all(|x| b.iter().any(|y| same(x, y)))
}
