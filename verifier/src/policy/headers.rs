//! Parses `credentials`, the headers and cookies with a token, and `forward`,
//! the headers that carry the principal.

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    claims::claim,
    codes::*,
    grammar,
    reader::{Node, Unique},
    report::Read,
    suggest::{quoted, suggestion},
};
use crate::{
    json::Value,
    model::{Carry, Credential, Forward, How},
};

/// Maximum number of `credentials`: each request is searched for every one of
/// them.
const CREDENTIALS: usize = 16;
const FORWARDED: usize = 32;

/// Headers that frame a message or belong to one connection (RFC 9110 §7.6.1,
/// RFC 9112 §6). They can carry neither a token nor a claim.
const FRAMING: [&str; 8] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// `Authorization: Bearer …` (RFC 6750 §2.1).
pub(super) fn default_credentials() -> Vec<Credential> {
    Vec::from([Credential::Header {
        name: "authorization".into(),
        scheme: Some("Bearer".into()),
    }])
}

pub(super) fn credentials(node: Node<'_, '_>) -> Read<Vec<Credential>> {
    let mut before: Vec<Credential> = Vec::new();
    node.list(1, CREDENTIALS, |item| {
        let credential = credential(item)?;
        if before.iter().any(|other| reads_same(other, &credential)) {
            return Err(item.refuse(DUPLICATE, "another of `credentials` reads the same place"));
        }
        before.push(credential.clone());
        Ok(credential)
    })
}

fn credential(node: Node<'_, '_>) -> Read<Credential> {
    let mut fields = node.fields()?;
    let header = fields.node("header");
    let scheme = fields.node("scheme");
    let cookie = fields.node("cookie");
    let same_origin = fields.node("same_origin");
    fields.close();
    match (header, cookie) {
        (Some(name), None) => {
            if let Some(same_origin) = same_origin {
                let message =
                    "only a cookie has `same_origin`: a browser sends no header by itself";
                same_origin.refuse(CONFLICT, message);
            }
            let scheme = scheme
                .map(|scheme| scheme.word(grammar::scheme))
                .transpose();
            Ok(Credential::Header {
                name: credential_header(name)?,
                scheme: scheme?.map(Box::from),
            })
        }
        (None, Some(name)) => {
            if let Some(scheme) = scheme {
                scheme.refuse(CONFLICT, "only a header has a `scheme`");
            }
            let same_origin = same_origin.map_or(Ok(false), Node::flag);
            if matches!(same_origin, Ok(false)) {
                let message = "browsers send this cookie for other sites too: \
                               `\"same_origin\": true` refuses their unsafe requests";
                node.warn(CSRF, message);
            }
            let name = name.word(grammar::cookie)?.into();
            Ok(Credential::Cookie {
                name,
                same_origin: same_origin?,
            })
        }
        (None, None) => Err(node.refuse(
            FIELD_MISSING,
            "a credential comes in a `header` or in a `cookie`",
        )),
        (Some(_), Some(_)) => {
            let message =
                "a credential comes in a `header` or in a `cookie`: list both, each in its object";
            Err(node.refuse(CONFLICT, message))
        }
    }
}

fn credential_header(node: Node<'_, '_>) -> Read<Box<str>> {
    let name = node.word(grammar::header)?.to_ascii_lowercase();
    if name == "cookie" {
        let message = "a cookie is named by itself: `{ \"cookie\": \"name\" }`";
        return Err(node.refuse(VALUE_INVALID, message));
    }
    if FRAMING.contains(&&*name) {
        return Err(node.refuse(VALUE_INVALID, "this header has another meaning (RFC 9110)"));
    }
    Ok(name.into())
}

/// Returns whether two credentials read the same place. A header credential
/// without a scheme reads the whole header, so it conflicts with every other
/// one.
fn reads_same(a: &Credential, b: &Credential) -> bool {
    use Credential::{Cookie, Header};
    match (a, b) {
        (Header { name: a, scheme: s }, Header { name: b, scheme: t }) => {
            let same_scheme = match (s, t) {
                (Some(s), Some(t)) => s.eq_ignore_ascii_case(t),
                _ => true,
            };
            a == b && same_scheme
        }
        (Cookie { name: a, .. }, Cookie { name: b, .. }) => a == b,
        _ => false,
    }
}

/// `{ "x-auth-subject": "subject" }`
pub(super) fn forward(
    node: Node<'_, '_>,
    credentials: &[Credential],
) -> Read<Vec<(Box<str>, Carry)>> {
    let mut unique = Unique::default();
    if node.object()?.iter().len() > FORWARDED {
        return Err(node.refuse(
            TOO_MANY,
            format!("at most {FORWARDED} headers are forwarded"),
        ));
    }
    node.members(|name, value| {
        let name = forwarded_header(value, name, credentials, &mut unique);
        let carry = carry(value)?;
        Ok((name?, carry))
    })
}

fn forwarded_header(
    node: Node<'_, '_>,
    name: &str,
    credentials: &[Credential],
    unique: &mut Unique,
) -> Read<Box<str>> {
    if let Err(sentence) = grammar::header(name) {
        return Err(node.refuse(VALUE_INVALID, sentence));
    }
    let name = name.to_ascii_lowercase();
    if is_reserved(&name) {
        let message =
            "this header has another meaning (RFC 9110): choose one such as `x-auth-subject`";
        return Err(node.refuse(VALUE_INVALID, message));
    }
    if is_credential(credentials, &name) {
        return Err(node.refuse(CONFLICT, "a credential is read from this header"));
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

pub(super) fn is_credential(credentials: &[Credential], name: &str) -> bool {
    let read_from = |credential: &Credential| matches!(credential, Credential::Header { name: n, .. } if **n == *name);
    credentials.iter().any(read_from)
}

/// Parses what a header carries: a word, or a source.
fn carry(node: Node<'_, '_>) -> Read<Carry> {
    if !matches!(node.value(), Value::Object(_)) {
        return part(node).map(Carry::Part);
    }
    let mut fields = node.fields()?;
    let source = claim(node, &mut fields);
    let join = fields.node("join");
    let json = fields.or("json", false, Node::flag);
    fields.close();
    let source = source?;
    if json {
        if join.is_some() || !matches!(source.how, How::Plain | How::Json(_)) {
            return Err(node.refuse(CONFLICT, "`json` carries the claim as it is"));
        }
        return Ok(Carry::Json(source));
    }
    let join = join.map_or(Ok(' '), |join| {
        let mut chars = join.text()?.chars();
        match (chars.next(), chars.next()) {
            // An escape has `%`, letters and digits.
            (Some(at), None) if at == ' ' || (at.is_ascii_punctuation() && at != '%') => Ok(at),
            _ => Err(join.refuse(VALUE_INVALID, "one mark stands between items, such as `,`")),
        }
    })?;
    Ok(Carry::Claim(source, join))
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
