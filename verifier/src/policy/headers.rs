//! Parses `forward`, the headers that carry principals.

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    claims::claim,
    codes::Code::*,
    grammar,
    reader::{Node, Unique},
    report::Read,
    suggest::{quoted, suggestion},
};
use crate::{
    json::Value,
    model::{Carry, Credentials, Forward, ForwardHeaders, How, Source},
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
            TooMany,
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

fn forwarded_header(
    node: Node<'_, '_>,
    name: &str,
    credentials: &Credentials,
    unique: &mut Unique,
) -> Read<Box<str>> {
    if let Err(sentence) = grammar::header(name) {
        return Err(node.refuse(ValueInvalid, sentence));
    }
    let name = name.to_ascii_lowercase();
    if is_reserved(&name) {
        let message =
            "this header has another meaning (RFC 9110): choose one such as `x-auth-subject`";
        return Err(node.refuse(ValueInvalid, message));
    }
    if credentials.reads_header(&name) {
        return Err(node.refuse(Conflict, "a credential is read from this header"));
    }
    unique.add(node, &name, "`forward`, where case does not count")?;
    Ok(name.into())
}

/// Headers by which the next hop chooses what to serve.
const ROUTING: [&str; 8] = [
    "forwarded",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-http-method-override",
    "x-original-url",
    "x-rewrite-url",
];

/// Returns whether a header can carry no claim, and be compared with none.
pub(super) fn is_reserved(name: &str) -> bool {
    FRAMING.contains(&name)
        || ROUTING.contains(&name)
        || name.starts_with("proxy-")
        || matches!(name, "authorization" | "cookie")
}

/// Parses what a header carries, a word or a source, and of which principal
/// that is; `None` is the user.
fn carry<'p>(node: Node<'_, 'p>) -> Read<(Carry, Option<&'p str>)> {
    if !matches!(node.value(), Value::Object(_)) {
        return part(node).map(|part| (Carry::Part(part), None));
    }
    let mut fields = node.fields()?;
    let principal = fields.optional("principal", |node| node.word(grammar::name));
    if let Some(value) = fields.node("value") {
        let words = ["claim", "as", "separator", "at", "join", "json"];
        let beside = words.map(|word| fields.node(word));
        fields.close();
        if beside.iter().any(Option::is_some) {
            return Err(node.refuse(Conflict, "a header carries a `value` or a `claim`"));
        }
        return part(value).map(|part| (Carry::Part(part), principal));
    }
    let source = claim(node, &mut fields);
    let join = fields.node("join");
    let json = fields.or("json", false, Node::flag);
    fields.close();
    source_carried(node, source?, join, json).map(|carry| (carry, principal))
}

fn source_carried(
    node: Node<'_, '_>,
    source: Source,
    join: Option<Node<'_, '_>>,
    json: bool,
) -> Read<Carry> {
    if json {
        if join.is_some() || !matches!(source.how, How::Plain | How::Json(_)) {
            return Err(node.refuse(Conflict, "`json` carries the claim as it is"));
        }
        return Ok(Carry::Json(source));
    }
    let join = join.map_or(Ok(' '), |join| {
        let mut chars = join.text()?.chars();
        match (chars.next(), chars.next()) {
            // An escape has `%`, letters and digits.
            (Some(at), None) if at == ' ' || (at.is_ascii_punctuation() && at != '%') => Ok(at),
            _ => Err(join.refuse(ValueInvalid, "one mark stands between items, such as `,`")),
        }
    })?;
    Ok(Carry::Claim(source, join))
}

fn part(node: Node<'_, '_>) -> Read<Forward> {
    let word = node.text()?;
    let known = Forward::ALL.iter().find(|(name, _)| *name == word);
    known.map(|(_, part)| *part).ok_or_else(|| {
        let hint = suggestion(word, &Forward::ALL.map(|(name, _)| name));
        node.refuse(
            ValueInvalid,
            format!("{} cannot be forwarded; {hint}", quoted(word)),
        )
    })
}
