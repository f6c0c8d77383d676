//! Parses `issuer`: which `iss` the tokens of an issuer have.

use alloc::{format, vec::Vec};

use super::{
    claims::one,
    codes::Code::*,
    conditions::warn_of_literal,
    grammar,
    pattern::is_segment_name,
    reader::{Node, Unique},
    report::Read,
    suggest::quoted,
};
use crate::{
    json::Value,
    model::{Accepts, ByIss, CAPTURES, Capture, PARTS},
};

/// Parses a text, a template, or `{ "absent": true }`, and adds it to the
/// issuers.
pub(super) fn accepts<'p>(
    node: Node<'_, 'p>,
    by_iss: &mut ByIss,
    index: usize,
) -> Read<(&'p str, Accepts)> {
    let duplicate = |message: &str| node.refuse(Duplicate, message);
    if let Value::String(_) = node.value() {
        let issuer = node.word(grammar::text)?;
        warn_of_literal(node, issuer);
        if !by_iss.add_exact(issuer, index) {
            return Err(duplicate("another issuer has this `iss`"));
        }
        return Ok((issuer, Accepts::Exact));
    }
    let Value::Object(_) = node.value() else {
        return Err(node.type_wrong("a string, a `template` or `absent`"));
    };
    let mut fields = node.fields()?;
    let template = fields.node("template");
    let claims = fields.node("claims");
    let absent = fields.node("absent");
    fields.close();
    match (template, claims, absent) {
        (Some(template), Some(claims), None) => {
            let text = template.text()?;
            let names = names(template, text)?;
            let captures = captures(claims, &names)?;
            let places: Vec<usize> = names.iter().map(|(part, _)| *part).collect();
            if !by_iss.add_template(text, &places, index) {
                return Err(duplicate("another template could match the same `iss`"));
            }
            Ok((text, Accepts::Template(captures)))
        }
        (None, None, Some(absent)) => {
            if !absent.flag()? {
                return Err(absent.refuse(ValueInvalid, "only `true` is possible"));
            }
            if !by_iss.add_absent(index) {
                return Err(duplicate("another issuer has tokens without `iss`"));
            }
            Ok(("", Accepts::Absent))
        }
        (_, _, Some(_)) => Err(node.refuse(Conflict, "say a `template`, or `absent`")),
        _ => Err(node.refuse(FieldMissing, "say `template` and `claims`, or `absent`")),
    }
}

/// Returns the captured segments of a template, with their names.
fn names<'p>(node: Node<'_, 'p>, text: &'p str) -> Read<Vec<(usize, &'p str)>> {
    const SENTENCE: &str =
        "a template is a URL with up to 4 whole segments such as `{tid}` in its path";
    let mut names = Vec::new();
    let mut unique = Unique::default();
    let mut parts = 0_usize;
    let mut valid = text.bytes().all(|b| b.is_ascii_graphic());
    for (index, part) in text.split('/').enumerate() {
        parts = index.saturating_add(1);
        let name = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'));
        valid &= match (index, name) {
            (0, _) => matches!(part, "https:" | "http:"),
            (1, _) => part.is_empty(),
            (2, _) => !part.is_empty() && !part.contains(['{', '}', '@']),
            (_, Some(name)) => {
                unique.add(node, name, "the segments of this template")?;
                names.push((index, name));
                is_segment_name(name)
            }
            _ => !part.contains(['{', '}']),
        };
    }
    if valid && parts <= PARTS && (1..=CAPTURES).contains(&names.len()) {
        Ok(names)
    } else {
        Err(node.refuse(ValueInvalid, SENTENCE))
    }
}

/// Parses the claim that each captured text equals.
fn captures(node: Node<'_, '_>, names: &[(usize, &str)]) -> Read<Vec<Capture>> {
    let captures = node.members(|name, value| {
        let claim = one(value)?;
        let known = names.iter().find(|(_, known)| *known == name);
        let Some((part, _)) = known else {
            return Err(value.refuse(UnknownName, format!("the template has no {}", quoted(name))));
        };
        Ok(Capture { part: *part, claim })
    })?;
    if captures.len() < names.len() {
        return Err(node.refuse(UnknownName, "each `{name}` of the template needs its claim"));
    }
    Ok(captures)
}

/// Refuses what lets the tokens of a template, or without `iss`, choose more
/// than their keys do.
pub(super) fn refuse_open_keys(
    accepts: &Accepts,
    keys: Option<Node<'_, '_>>,
    audiences: Option<Node<'_, '_>>,
) {
    if let Accepts::Exact = accepts {
        return;
    }
    if let Some(keys) = keys {
        keys.each(&mut |source| {
            let discovery = source.fields().ok().and_then(|mut fields| {
                let node = fields.node("discovery")?;
                node.refuse(Conflict, "the keys of this issuer are at a fixed address");
                Some(())
            });
            let _ = discovery;
        });
    }
    if let (Accepts::Template(_), Some(audiences)) = (accepts, audiences)
        && audiences.value().as_str() == Some("any")
    {
        audiences.refuse(
            Conflict,
            "a template's tokens are for this audience or for others",
        );
    }
}
