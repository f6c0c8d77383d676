//! Parses `challenge`: what it adds for clients that look for the authorization
//! server (RFC 6750 §3, RFC 9728 §5.1).

use alloc::{boxed::Box, vec::Vec};

use super::{
    codes::*,
    reader::{Node, Unique},
    report::Read,
};
use crate::{
    base::{self, Set, uri},
    json::Value,
    model::{Audiences, Challenge, Host, Issuer, Metadata, Rule, Segment},
    request::target::Target,
};

/// Before the path of the resource (RFC 9728 §3.1).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
const SERVERS: &str = "authorization_servers";
/// Maximum bytes of a metadata document.
const DOCUMENT_BYTES: usize = 16 * 1024;

type Path = Vec<Box<[u8]>>;

/// The metadata documents of the policy.
pub(super) struct Documents {
    pub(super) metadata: Metadata,
    /// The host and the path of each.
    addresses: Vec<(Box<str>, Path)>,
    /// The audiences of all issuers. `None` if any audience is good, or if they
    /// are not known.
    audiences: Option<Set>,
}

impl Documents {
    /// `complete` means that all issuers were read.
    pub(super) fn new(issuers: &[Issuer], complete: bool) -> Self {
        let mut audiences = complete.then(Set::default);
        for issuer in issuers {
            match (&issuer.audiences, &mut audiences) {
                (Audiences::OneOf(list) | Audiences::All(list), Some(audiences)) => {
                    for audience in list {
                        audiences.insert(audience.as_bytes());
                    }
                }
                _ => audiences = None,
            }
        }
        Self {
            metadata: Metadata::default(),
            addresses: Vec::new(),
            audiences,
        }
    }

    /// Refuses every path of a rule that is the address of a document: the gate
    /// never asks the rule.
    pub(super) fn refuse_rule(&self, node: Node<'_, '_>, rule: &Rule) {
        let reads = rule.methods.is_empty() || rule.methods.iter().any(|m| is_read(m));
        if self.addresses.is_empty() || !reads {
            return;
        }
        let mut paths = rule.paths.iter();
        node.each(&mut |node| {
            let Some(path) = paths.next().filter(|path| !path.rest) else {
                return;
            };
            let is_path = |segments: &[Box<[u8]>]| {
                let mut pairs = path.segments.iter().zip(segments);
                path.segments.len() == segments.len()
                    && pairs.all(|(p, s)| matches!(p, Segment::Literal(text) if text == s))
            };
            let mut addresses = self.addresses.iter();
            if addresses.any(|(host, segments)| is_path(segments) && has_host(rule, host)) {
                let message = "the gate answers this address itself, with `resource_metadata`";
                node.refuse(CONFLICT, message);
            }
        });
    }
}

/// Returns whether the gate answers this method with a document.
fn is_read(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}

fn has_host(rule: &Rule, host: &str) -> bool {
    let parent = host.split_once('.').map(|(_, parent)| parent);
    rule.hosts.is_empty()
        || rule.hosts.iter().any(|h| match h {
            Host::Exact(name) => **name == *host,
            Host::Wildcard(name) => parent == Some(&**name),
        })
}

pub(super) fn challenge(node: Node<'_, '_>, documents: &mut Documents) -> Read<Challenge> {
    let mut fields = node.fields()?;
    let challenge = Challenge {
        scope: fields.or("scope", false, Node::flag),
        resource_metadata: fields.optional("resource_metadata", |node| match node.value() {
            Value::Object(_) => document(node, documents),
            Value::String(_) => address(node).map(Box::from),
            _ => Err(node.type_wrong("a URL or an object")),
        }),
    };
    fields.close();
    Ok(challenge)
}

fn address<'p>(node: Node<'_, 'p>) -> Read<&'p str> {
    let text = node.text()?;
    let checked = uri::fetchable(text, false);
    checked.map_err(|_| node.refuse(VALUE_INVALID, "an absolute https URL is needed here"))?;
    Ok(text)
}

/// Parses a metadata document (RFC 9728 §2) and returns its address. Unknown
/// members are allowed: the registry grows, and the document may be extended.
fn document(node: Node<'_, '_>, documents: &mut Documents) -> Read<Box<str>> {
    let before = node.refusals();
    let Some(resource) = node.fields()?.node("resource") else {
        return Err(node.refuse(FIELD_MISSING, "`resource` is missing here"));
    };
    let uri = address(resource)?;
    let mut body = Vec::from(*b"{");
    node.members(|name, value| {
        let first = body.len() == 1;
        body.extend_from_slice(if first { b"" } else { b"," });
        push_text(&mut body, name);
        body.push(b':');
        match value.value() {
            Value::Array(_) => push_list(&mut body, value, name)?,
            _ if name == SERVERS => return Err(value.type_wrong("a list of URLs")),
            Value::Bool(true) => body.extend_from_slice(b"true"),
            Value::Bool(false) => body.extend_from_slice(b"false"),
            Value::String(text) => push_text(&mut body, text),
            _ => return Err(value.type_wrong("a string, a list of strings, `true` or `false`")),
        }
        Ok(())
    })?;
    body.push(b'}');
    if body.len() > DOCUMENT_BYTES {
        return Err(node.refuse(VALUE_INVALID, "a document has at most 16384 bytes"));
    }

    let rest = uri.strip_prefix("https://").unwrap_or_default();
    let (authority, path) = match rest.char_indices().find(|(_, c)| *c == '/') {
        Some((at, _)) => rest.split_at_checked(at).unwrap_or_default(),
        None => (rest, ""),
    };
    let path = [WELL_KNOWN, if path == "/" { "" } else { path }].concat();
    let target = Target::parse(path.as_bytes());
    let target = target.ok().filter(|target| target.at_slashes.is_empty());
    let host = base::host(authority.as_bytes());
    let (false, Some(target), Some(host)) = (uri.contains('?'), target, host) else {
        let message = "a resource has neither a query nor a path that the gate refuses";
        return Err(resource.refuse(VALUE_INVALID, message));
    };
    if node.refusals() == before {
        if *documents.metadata.add(&host, &target.segments, &body) != *body {
            return Err(node.refuse(CONFLICT, "this resource has another document"));
        }
        let segments = target.segments.iter().map(|s| (**s).into()).collect();
        documents.addresses.push((host.as_ref().into(), segments));
        if let Some(audiences) = &documents.audiences
            && !audiences.contains(uri.as_bytes())
        {
            let message = "this is no audience of an issuer: clients that ask for a token for \
                           this resource get one that is denied";
            resource.warn(RESOURCE_UNKNOWN, message);
        }
    }
    Ok(["https://", authority, &path].concat().into())
}

/// A list without items is left out of a document (RFC 9728 §3.2).
fn push_list(body: &mut Vec<u8>, node: Node<'_, '_>, name: &str) -> Read<()> {
    let mut unique = Unique::default();
    body.push(b'[');
    let mut first = true;
    node.list(1, usize::MAX, |item| {
        let text = match name {
            SERVERS => address(item)?,
            _ => item.text()?,
        };
        unique.add(item, text, "this list")?;
        body.extend_from_slice(if first { b"" } else { b"," });
        first = false;
        push_text(body, text);
        Ok(())
    })?;
    body.push(b']');
    Ok(())
}

/// Writes a JSON string (RFC 8259 §7).
fn push_text(body: &mut Vec<u8>, text: &str) {
    body.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => body.extend_from_slice(&[b'\\', byte]),
            0..0x20 => {
                let digit = |n: u8| {
                    if n < 10 {
                        n | b'0'
                    } else {
                        n.wrapping_add(b'a' - 10)
                    }
                };
                let escape = [b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)];
                body.extend_from_slice(&escape);
            }
            _ => body.push(byte),
        }
    }
    body.push(b'"');
}
