//! Parses `challenge`: what it adds for clients that look for the authorization
//! server (RFC 6750 §3, RFC 9728 §5.1).

use alloc::{boxed::Box, vec::Vec};

use super::{
    codes::Code::*,
    reader::{Node, Unique},
    report::Read,
};
use crate::{
    base::{self, uri},
    json::{Value, push_text},
    model::{Audiences, Challenge, Host, Issuer, Kind, Metadata, Rule, Segment},
    request::target::Target,
};

/// Before the path of the resource (RFC 9728 §3.1).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
const SERVERS: &str = "authorization_servers";
/// Maximum bytes of a metadata document.
const DOCUMENT_BYTES: usize = 16 * 1024;

/// The metadata documents of the policy.
pub(super) struct Documents<'i> {
    pub(super) metadata: Metadata,
    issuers: &'i [Issuer],
}

impl<'i> Documents<'i> {
    pub(super) fn new(issuers: &'i [Issuer]) -> Self {
        Self {
            metadata: Metadata::default(),
            issuers,
        }
    }

    /// Returns whether a path of the rule is the address of a document, which
    /// the gate answers without asking the rule.
    pub(super) fn hides(&self, rule: &Rule) -> bool {
        let addresses = self.metadata.addresses.keys();
        let mut methods = rule.methods.iter();
        let reads = rule.methods.is_empty() || methods.any(|m| matches!(&**m, "GET" | "HEAD"));
        reads
            && !addresses.is_empty()
            && rule.paths.iter().filter(|path| !path.rest).any(|path| {
                // No document has an empty segment.
                let path = path.segments.iter().map(|segment| match segment {
                    Segment::Literal(text) => &**text,
                    Segment::Name(_) => &[],
                });
                let path = Metadata::address(b"", path);
                addresses.iter().any(|address| {
                    let host = address.strip_suffix(&*path);
                    host.is_some_and(|host| !host.contains(&0) && has_host(rule, host))
                })
            })
    }

    fn is_audience(&self, uri: &str) -> bool {
        let mut issuers = self.issuers.iter();
        // Without issuers the policy is refused.
        self.issuers.is_empty()
            || issuers.any(|issuer| match &issuer.audiences {
                // API keys have none.
                Audiences::Any => !matches!(issuer.kind, Kind::ApiKeys(_)),
                Audiences::OneOf(list) | Audiences::All(list) => list.iter().any(|a| **a == *uri),
            })
    }
}

fn has_host(rule: &Rule, host: &[u8]) -> bool {
    let parent = host.splitn(2, |b| *b == b'.').nth(1);
    rule.hosts.is_empty()
        || rule.hosts.iter().any(|h| match h {
            Host::Exact(name) => name.as_bytes() == host,
            Host::Wildcard(name) => parent == Some(name.as_bytes()),
        })
}

pub(super) fn challenge(node: Node<'_, '_>, documents: &mut Documents<'_>) -> Read<Challenge> {
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
    checked.map_err(|_| node.refuse(ValueInvalid, "an absolute https URL is needed here"))?;
    Ok(text)
}

/// Parses a metadata document (RFC 9728 §2) and returns its address. Unknown
/// members are allowed: the registry grows, and the document may be extended.
fn document(node: Node<'_, '_>, documents: &mut Documents<'_>) -> Read<Box<str>> {
    let before = node.refusals();
    let Some(resource) = node.fields()?.node("resource") else {
        return Err(node.refuse(FieldMissing, "`resource` is missing here"));
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
        return Err(node.refuse(ValueInvalid, "a document has at most 16384 bytes"));
    }

    let rest = uri.get("https://".len()..).unwrap_or_default();
    let slash = rest.bytes().position(|b| b == b'/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(slash).unwrap_or_default();
    let path = [WELL_KNOWN, if path == "/" { "" } else { path }].concat();
    let target = Target::parse(path.as_bytes());
    let target = target.ok().filter(|target| target.at_slashes.is_empty());
    let (false, Some(target), Some(host)) =
        (uri.contains('?'), target, base::host(authority.as_bytes()))
    else {
        let message = "a resource has neither a query nor a path that the gate refuses";
        return Err(resource.refuse(ValueInvalid, message));
    };
    if node.refusals() == before {
        let address = Metadata::address(&host, target.segments.iter().map(|s| &**s));
        if !documents.metadata.add(&address, &body) {
            return Err(node.refuse(Conflict, "this resource has another document"));
        }
        if !documents.is_audience(uri) {
            let message = "no issuer has this audience: tokens for this resource are denied";
            resource.warn(ResourceUnknown, message);
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
