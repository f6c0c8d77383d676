//! Parses `forward`, the headers that carry principals.

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    codes::*,
    grammar,
    reader::{Node, Unique},
    report::Read,
    suggest::{quoted, suggestion},
};
use crate::{
    json::Value,
    model::{Credentials, Forward, ForwardHeaders},
};

const FORWARDED: usize = 32;

/// Headers that frame a message or belong to one connection (RFC 9110 §7.6.1,
/// RFC 9112 §6). They can carry neither a token nor a claim.
pub(super) const FRAMING: [&str; 8] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The headers of the user, and those of each other principal.
#[derive(Default)]
pub(super) struct Forwarded {
    pub(super) user: ForwardHeaders,
    pub(super) of: Vec<(Box<str>, ForwardHeaders)>,
}

impl Forwarded {
    /// Returns whether one of the headers has this name.
    pub(super) fn sets(&self, name: &str) -> bool {
        let mut all = self
            .of
            .iter()
            .flat_map(|(_, headers)| headers)
            .chain(&self.user);
        all.any(|(known, _)| **known == *name)
    }
}

/// `{ "x-auth-subject": "subject" }`
pub(super) fn forward(node: Node<'_, '_>, credentials: &Credentials) -> Read<Forwarded> {
    let mut unique = Unique::default();
    if node.object()?.iter().len() > FORWARDED {
        return Err(node.refuse(
            TOO_MANY,
            format!("at most {FORWARDED} headers are forwarded"),
        ));
    }
    let mut forwarded = Forwarded::default();
    node.members(|name, value| {
        let name = forwarded_header(value, name, credentials, &mut unique);
        let (part, principal) = carry(value)?;
        let header = (name?, part);
        let Some(principal) = principal else {
            forwarded.user.push(header);
            return Ok(());
        };
        match forwarded
            .of
            .iter_mut()
            .find(|(known, _)| **known == *principal)
        {
            Some((_, headers)) => headers.push(header),
            None => forwarded.of.push((principal.into(), Vec::from([header]))),
        }
        Ok(())
    })?;
    Ok(forwarded)
}

/// Parses what a header carries: a word, or the word of another principal.
fn carry<'p>(node: Node<'_, 'p>) -> Read<(Forward, Option<&'p str>)> {
    if !matches!(node.value(), Value::Object(_)) {
        return part(node).map(|part| (part, None));
    }
    let mut fields = node.fields()?;
    let value = fields.node("value");
    let principal = fields.optional("principal", |node| node.word(grammar::name));
    fields.close();
    let value = value.ok_or_else(|| node.refuse(FIELD_MISSING, "`value` is missing here"))?;
    Ok((part(value)?, principal))
}

fn forwarded_header(
    node: Node<'_, '_>,
    name: &str,
    credentials: &Credentials,
    unique: &mut Unique,
) -> Read<Box<str>> {
    if let Err(sentence) = grammar::header(name) {
        return Err(node.refuse(VALUE_INVALID, sentence));
    }
    let name = name.to_ascii_lowercase();
    let reserved = FRAMING.contains(&&*name)
        || name.starts_with("proxy-")
        || matches!(&*name, "authorization" | "cookie");
    if reserved {
        let message =
            "this header has another meaning (RFC 9110): choose one such as `x-auth-subject`";
        return Err(node.refuse(VALUE_INVALID, message));
    }
    if credentials.reads_header(&name) {
        return Err(node.refuse(CONFLICT, "a credential is read from this header"));
    }
    unique.add(node, &name, "`forward`, where case does not count")?;
    Ok(name.into())
}

fn part(node: Node<'_, '_>) -> Read<Forward> {
    let word = node.text()?;
    let known = Forward::ALL.iter().find(|(name, _)| *name == word);
    known.map(|(_, part)| *part).ok_or_else(|| {
        let hint = suggestion(word, &mut Forward::ALL.iter().map(|(name, _)| *name));
        node.refuse(
            VALUE_INVALID,
            format!("{} cannot be forwarded; {hint}", quoted(word)),
        )
    })
}
