//! Parses sources: the claims that a policy names, and how they are read.

use alloc::{boxed::Box, string::String, vec::Vec};

use super::{
    codes::Code::*,
    fields::Fields,
    grammar,
    reader::{Node, Unique},
    report::Read,
    suggest::distance,
};
use crate::{
    json::{Pointer, Value, push_token},
    model::{How, Source},
};

/// Claims with a meaning for everybody, in which a letter is easily wrong.
const REGISTERED: [&str; 7] = [
    "auth_time",
    "client_id",
    "email",
    "email_verified",
    "preferred_username",
    "scope",
    "tenant_id",
];

/// Parses a JSON Pointer, or the name of one top-level claim.
pub(super) fn pointer(node: Node<'_, '_>) -> Read<Pointer> {
    parse_pointer(node, node.text()?)
}

/// Parses an array of at least `min` different pointers.
pub(super) fn pointers(node: Node<'_, '_>, min: usize) -> Read<Vec<Pointer>> {
    let sources = list(node, min, &|item| pointer(item).map(Source::plain))?;
    Ok(sources.into_iter().map(|source| source.pointer).collect())
}

/// Parses a source: a pointer, or an object that also says how to read the
/// claim.
pub(super) fn source(node: Node<'_, '_>) -> Read<Source> {
    match node.value() {
        Value::String(_) => pointer(node).map(Source::plain),
        Value::Object(_) => {
            let mut fields = node.fields()?;
            let source = claim(node, &mut fields);
            fields.close();
            source
        }
        _ => Err(node.type_wrong("a string or `{ \"claim\": … }`")),
    }
}

/// Reads `claim`, and how to read it.
pub(super) fn claim(node: Node<'_, '_>, fields: &mut Fields<'_, '_>) -> Read<Source> {
    let Some(claim) = fields.node("claim") else {
        return Err(node.refuse(FieldMissing, "`claim` is missing here"));
    };
    let pointer = pointer(claim);
    let how = how(fields)?;
    let pointer = pointer?;
    Ok(Source { pointer, how })
}

/// Parses a source of one text.
pub(super) fn one(node: Node<'_, '_>) -> Read<Source> {
    source(node).and_then(|source| check_one(node, source))
}

pub(super) fn check_one(node: Node<'_, '_>, source: Source) -> Read<Source> {
    let how = match &source.how {
        How::Json(inner) => &inner.how,
        how => how,
    };
    match how {
        How::Split(_) | How::Keys => {
            Err(node.refuse(Conflict, "one text is needed here, and this reads several"))
        }
        _ => Ok(source),
    }
}

/// Parses one source, or an array of them.
pub(super) fn sources(
    node: Node<'_, '_>,
    min: usize,
    read: fn(Node<'_, '_>) -> Read<Source>,
) -> Read<Vec<Source>> {
    match node.value() {
        Value::Array(_) => list(node, min, &read),
        Value::String(_) | Value::Object(_) => read(node).map(|source| Vec::from([source])),
        _ => Err(node.type_wrong("a string, an object or an array")),
    }
}

fn list(
    node: Node<'_, '_>,
    min: usize,
    read: &dyn Fn(Node<'_, '_>) -> Read<Source>,
) -> Read<Vec<Source>> {
    let mut unique = Unique::default();
    node.list(min, usize::MAX, |item| {
        let source = read(item)?;
        let mut name = String::new();
        push_name(&source, &mut name);
        unique.add(
            item,
            &name,
            "this list, where `a` and `/a` are the same claim",
        )?;
        Ok(source)
    })
}

/// Appends a text that differs for different sources.
fn push_name(source: &Source, name: &mut String) {
    name.push_str(&normal_form(&source.pointer));
    match &source.how {
        How::Plain => {}
        How::Split(at) => name.extend([' ', *at]),
        How::Keys => name.push_str(" keys"),
        How::Json(inner) => {
            name.push_str(" json ");
            push_name(inner, name);
        }
    }
}

/// Reads `as`, `separator` and `at`.
pub(super) fn how(fields: &mut Fields<'_, '_>) -> Read<How> {
    let read_as = fields.node("as");
    let separator = fields.node("separator");
    let at = fields.node("at");
    let word = match read_as {
        Some(node) => Some((node, node.text()?)),
        None => None,
    };
    if let (Some(at), None | Some((_, "keys"))) = (at, word) {
        return Err(at.refuse(Conflict, "`at` reads inside of `\"as\": \"json\"`"));
    }
    match (word, separator) {
        (None, None) => Ok(How::Plain),
        (None, Some(node)) => {
            let mut chars = node.text()?.chars();
            match (chars.next(), chars.next()) {
                (Some(at), None) => Ok(How::Split(at)),
                _ => Err(node.refuse(ValueInvalid, "a separator is one character")),
            }
        }
        (Some((_, "keys" | "json")), Some(node)) => {
            Err(node.refuse(Conflict, "a claim is read by `as` or by a `separator`"))
        }
        (Some((_, "keys")), None) => Ok(How::Keys),
        (Some((_, "json")), None) => match at {
            None => Ok(How::Json(Box::new(Source::plain(Pointer::whole())))),
            Some(at) => {
                let inner = source(at)?;
                if let How::Json(_) = inner.how {
                    return Err(at.refuse(Conflict, "the `json` is read once"));
                }
                Ok(How::Json(Box::new(inner)))
            }
        },
        (Some((node, _)), _) => Err(node.refuse(ValueInvalid, "say `keys` or `json`")),
    }
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

pub(super) fn parse_pointer(node: Node<'_, '_>, text: &str) -> Read<Pointer> {
    if let Err(sentence) = grammar::text(text) {
        return Err(node.refuse(ValueInvalid, sentence));
    }
    let sentence = "in a JSON Pointer `~` is written `~0`, and `/` within a name `~1`";
    let pointer = Pointer::parse(text).ok_or_else(|| node.refuse(ValueInvalid, sentence))?;
    warn_of_name(node, text, &pointer);
    Ok(pointer)
}

/// Warns of a name that no token is likely to have.
fn warn_of_name(node: Node<'_, '_>, text: &str, pointer: &Pointer) {
    // `kubernetes.io/namespace` and URLs are names.
    let nested = text.contains('.') != text.contains('/');
    if !text.starts_with('/') && nested && !text.contains(':') {
        let message = "this is one name: nested claims are written `/a/b`";
        node.warn(MatchesNothing, message);
    }
    if let [name] = pointer.tokens() {
        let near = |known: &&str| {
            known.len() == name.len() && distance(known.as_bytes(), name.as_bytes()) == 1
        };
        if !REGISTERED.contains(&&**name)
            && let Some(near) = REGISTERED.iter().find(|known| near(known))
        {
            node.warn(MatchesNothing, ["did you mean `", near, "`?"].concat());
        }
    }
}
