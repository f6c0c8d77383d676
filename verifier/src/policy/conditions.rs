//! Parses the conditions on claims.

use alloc::{borrow::Cow, boxed::Box, vec::Vec};

use super::{
    claims::{how, normal_form, parse_pointer},
    codes::Code::*,
    fields::Fields,
    grammar,
    reader::{Node, Unique},
    report::Read,
    values::{Values, named},
};
use crate::{
    json::Value,
    model::{ClaimCondition, Condition, How, Named, Source},
};

/// Maximum nesting of a condition.
const LEVELS: usize = 8;

const WORDS: [&str; 11] = [
    "equals",
    "one_of",
    "starts_with",
    "ends_with",
    "contains",
    "some",
    "every",
    "present",
    "not",
    "all_of",
    "any_of",
];

/// Where a condition stands.
#[derive(Clone, Copy)]
struct Place<'c> {
    /// The values of the request; `None` if there is none.
    values: Option<&'c Values<'c>>,
    levels: usize,
    negated: bool,
    /// Whether the names are pointers into an item of an array.
    in_item: bool,
}

/// Parses conditions: `{ "/hd": { "one_of": ["example.com"] } }`.
pub(super) fn conditions(
    node: Node<'_, '_>,
    values: Option<&Values<'_>>,
) -> Read<Vec<ClaimCondition>> {
    let place = Place {
        values,
        levels: LEVELS,
        negated: false,
        in_item: false,
    };
    by_claim(node, place)
}

/// Returns whether `b` contains every condition of `a`.
pub(super) fn all_within(a: &[ClaimCondition], b: &[ClaimCondition]) -> bool {
    let same = |x: &ClaimCondition, y: &ClaimCondition| {
        x.condition == y.condition
            && x.source.how == y.source.how
            && normal_form(&x.source.pointer) == normal_form(&y.source.pointer)
    };
    a.iter().all(|x| b.iter().any(|y| same(x, y)))
}

fn by_claim(node: Node<'_, '_>, place: Place<'_>) -> Read<Vec<ClaimCondition>> {
    let mut unique = Unique::default();
    let conditions = node.members(|name, value| {
        let pointer = parse_pointer(value, name);
        let mut how = How::Plain;
        let condition = condition(value, place, Some(&mut how));
        let pointer = pointer?;
        if place.in_item && !name.starts_with('/') {
            let message = "a member of an item is written `/name`";
            return Err(value.refuse(ValueInvalid, message));
        }
        let normal_form = normal_form(&pointer);
        let within = "this object, where `a` and `/a` are the same claim";
        unique.add(value, &normal_form, within)?;
        let condition = condition?;
        if let ("/scope", How::Plain, Condition::Some(_)) = (&*normal_form, &how, &condition) {
            let message = "a scope is one text: say `\"separator\": \" \"` too";
            value.warn(MatchesNothing, message);
        }
        Ok(ClaimCondition {
            source: Source { pointer, how },
            condition,
            kept: None,
        })
    })?;
    warn_of_email(node, &unique, place);
    Ok(conditions)
}

/// Warns of an address that its owner may have made up.
fn warn_of_email(node: Node<'_, '_>, claims: &Unique, place: Place<'_>) {
    let checked = place.values.is_some_and(|values| values.email_verified);
    if claims.contains("/email") && !claims.contains("/email_verified") && !checked {
        let message = "an `email` counts only with `\"email_verified\": true`";
        node.warn(AdmitsMore, message);
    }
}

/// Parses a condition. A source's words may stand beside it where `how` is
/// given.
fn condition(node: Node<'_, '_>, place: Place<'_>, how_read: Option<&mut How>) -> Read<Condition> {
    if !matches!(node.value(), Value::Object(_)) {
        return scalar(node).map(Condition::Equals);
    }
    let mut fields = node.fields()?;
    if let Some(how_read) = how_read {
        *how_read = how(&mut fields)?;
    }
    let word = only_word(node, &mut fields);
    fields.close();
    let (word, value) = word?;
    let inner = || match place.levels.checked_sub(1) {
        Some(levels) => Ok(Place { levels, ..place }),
        None => Err(node.refuse(TooDeep, "conditions nest at most 8 levels deep")),
    };
    Ok(match word {
        "equals" => equals(value, place)?,
        "contains" => Condition::Some(Box::new(equals(value, place)?)),
        "one_of" => {
            let values = value.list(1, usize::MAX, |item| scalar(item).map(Condition::Equals))?;
            Condition::AnyOf(values)
        }
        "starts_with" => {
            let start = value.word(grammar::start)?;
            warn_of_literal(value, start);
            warn_of_edge(value, start.bytes().next_back());
            Condition::StartsWith(start.into())
        }
        "ends_with" => {
            let end = value.word(grammar::text)?;
            warn_of_literal(value, end);
            warn_of_edge(value, end.bytes().next());
            Condition::EndsWith(end.into())
        }
        "present" if place.negated => {
            return Err(value.refuse(Conflict, "say `\"present\": false` without `not`"));
        }
        "present" => Condition::Present(value.flag()?),
        "some" => Condition::Some(Box::new(item(value, inner()?)?)),
        "every" => Condition::Every(Box::new(item(value, inner()?)?)),
        "not" => {
            let inner = Place {
                negated: true,
                ..inner()?
            };
            Condition::Not(Box::new(condition(value, inner, None)?))
        }
        "all_of" => Condition::AllOf(each(value, inner()?)?),
        _ => Condition::AnyOf(each(value, inner()?)?),
    })
}

fn each(node: Node<'_, '_>, place: Place<'_>) -> Read<Vec<Condition>> {
    node.list(1, usize::MAX, |item| condition(item, place, None))
}

/// Parses the condition of an item of an array: a condition, or conditions by
/// pointers.
fn item(node: Node<'_, '_>, place: Place<'_>) -> Read<Condition> {
    let members = node.value().as_object();
    let mut names = members.into_iter().flat_map(|members| members.iter());
    if names.any(|(name, _)| name.starts_with('/')) {
        let in_item = true;
        return by_claim(node, Place { in_item, ..place }).map(Condition::Members);
    }
    condition(node, place, None)
}

/// Finds the one word of a condition.
fn only_word<'n, 'p>(
    node: Node<'_, '_>,
    fields: &mut Fields<'n, 'p>,
) -> Read<(&'static str, Node<'n, 'p>)> {
    let mut found = None;
    let mut count = 0_usize;
    for word in WORDS {
        if let Some(value) = fields.node(word) {
            found = Some((word, value));
            count = count.saturating_add(1);
        }
    }
    match found {
        Some(found) if count == 1 => Ok(found),
        None => Err(node.refuse(FieldMissing, "a condition says a word, such as `equals`")),
        Some(_) => Err(node.refuse(Conflict, "a condition is one word: `all_of` joins several")),
    }
}

/// Parses a literal, or a value of the request.
fn equals(node: Node<'_, '_>, place: Place<'_>) -> Read<Condition> {
    if !matches!(node.value(), Value::Object(_)) {
        return scalar(node).map(Condition::Equals);
    }
    if place.negated {
        let message = "the caller chooses this value: it cannot stand under `not`";
        return Err(node.refuse(Conflict, message));
    }
    match named(node, place.values, false)? {
        Named::Asked(value) => Ok(Condition::Asked(value)),
        _ => Err(node.type_wrong("a value")),
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
            Err(node.refuse(ValueOutOfRange, message))
        }
        Value::String(text) => {
            warn_of_literal(node, text);
            Ok(Value::String(Cow::Owned(text.clone().into_owned())))
        }
        _ => Err(node.type_wrong("a string, a number, `true` or `false`")),
    }
}

/// Warns of a text that seems to be a pattern.
pub(super) fn warn_of_literal(node: Node<'_, '_>, text: &str) {
    let braces = text.contains('{') && text.contains('}');
    if braces || (text.len() > 1 && text.contains('*')) {
        node.warn(
            MatchesNothing,
            "this is compared as it stands: it is no pattern",
        );
    }
}

/// Warns of a prefix or suffix that can cut a name in two.
fn warn_of_edge(node: Node<'_, '_>, edge: Option<u8>) {
    if edge.is_some_and(|edge| !b"/:@.-_#".contains(&edge)) {
        let message =
            "a longer name fits too: let it end, or begin, with a mark such as `/`, `@` or `-`";
        node.warn(AdmitsMore, message);
    }
}
