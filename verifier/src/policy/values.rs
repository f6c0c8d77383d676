//! Parses the values of a request that are compared with claims.

use alloc::{boxed::Box, format, vec::Vec};
use core::cell::RefCell;

use super::{
    codes::Code::*,
    grammar,
    headers::is_reserved,
    pattern::is_segment_name,
    reader::Node,
    report::Read,
    suggest::{quoted, suggestion},
};
use crate::{
    json::Value,
    model::{Credentials, Named, Pattern, RequestValue},
};

/// Maximum number of headers that one rule compares: each request is searched
/// for every one of them.
const HEADERS: usize = 16;

/// The values that the requirement of a rule can compare.
pub(super) struct Values<'c> {
    /// `None` if the paths or hosts are invalid, so that an unknown name is no
    /// problem.
    pub(super) captures: Option<Captures<'c>>,
    pub(super) credentials: &'c Credentials,
    /// The names of the headers that are compared.
    pub(super) headers: RefCell<Vec<Box<str>>>,
    /// Whether every issuer requires `email_verified`.
    pub(super) email_verified: bool,
}

/// The names that the rule's paths and hosts capture.
pub(super) struct Captures<'c> {
    pub(super) paths: &'c [Pattern],
    pub(super) hosts: &'c [Option<Box<str>>],
}

impl Captures<'_> {
    /// A name stands in each path or in each host, not in both.
    fn find(&self, name: &str) -> Option<RequestValue> {
        let in_path = |path: &Pattern| path.names().any(|n| n == name);
        let in_host = |host: &Option<Box<str>>| host.as_deref() == Some(name);
        let (paths, hosts) = (self.paths, self.hosts);
        if paths.iter().all(in_path) && !hosts.iter().any(in_host) {
            return Some(RequestValue::Segment(name.into()));
        }
        let by_host = !hosts.is_empty() && hosts.iter().all(in_host) && !paths.iter().any(in_path);
        by_host.then_some(RequestValue::Host)
    }
}

/// Parses a subject or tenant that is required or, without `words`, a value of
/// the request.
pub(super) fn named(node: Node<'_, '_>, values: Option<&Values<'_>>, words: bool) -> Read<Named> {
    const WANTED: &str =
        "`present`, a name such as `{org}`, or an object of `fixed`, `capture` or `header`";
    match node.value() {
        Value::String(word) if word == "present" => Ok(Named::Present),
        Value::String(word) => match word.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
            Some(name) => capture(node, name, values).map(Named::Asked),
            None => Err(node.refuse(ValueInvalid, format!("say {WANTED}"))),
        },
        Value::Object(_) => {
            let mut fields = node.fields()?;
            let fixed = if words { fields.node("fixed") } else { None };
            let captured = fields.node("capture");
            let sent = fields.node("header");
            fields.close();
            match (fixed, captured, sent) {
                (Some(text), None, None) => Ok(Named::Fixed(text.word(grammar::text)?.into())),
                (None, Some(name), None) => capture(name, name.text()?, values).map(Named::Asked),
                (None, None, Some(name)) => header(name, values).map(Named::Asked),
                (None, None, None) => Err(node.refuse(FieldMissing, "say `capture` or `header`")),
                _ => Err(node.refuse(Conflict, "a value comes from one place")),
            }
        }
        _ => Err(node.type_wrong(WANTED)),
    }
}

fn capture(node: Node<'_, '_>, name: &str, values: Option<&Values<'_>>) -> Read<RequestValue> {
    let values = values.ok_or_else(|| no_request(node))?;
    let Some(captures) = &values.captures else {
        return Ok(RequestValue::Host);
    };
    let found = is_segment_name(name).then(|| captures.find(name)).flatten();
    found.ok_or_else(|| {
        let names = captures.paths.iter().flat_map(Pattern::names);
        let mut known: Vec<&str> = names.collect();
        known.extend(captures.hosts.iter().flatten().map(|name| &**name));
        let message = format!(
            "{} must stand in every path, or in every host, of this rule, and not in both; {}",
            quoted(name),
            suggestion(name, &known)
        );
        node.refuse(UnknownName, message)
    })
}

fn header(node: Node<'_, '_>, values: Option<&Values<'_>>) -> Read<RequestValue> {
    let name = node.word(grammar::header)?.to_ascii_lowercase();
    let values = values.ok_or_else(|| no_request(node))?;
    if is_reserved(&name) {
        return Err(node.refuse(ValueInvalid, "this header has another meaning"));
    }
    if values.credentials.reads_header(&name) {
        return Err(node.refuse(Conflict, "a credential is read from this header"));
    }
    let mut headers = values.headers.borrow_mut();
    if !headers.iter().any(|known| **known == *name) {
        if headers.len() >= HEADERS {
            return Err(node.refuse(TooMany, "a rule compares at most 16 headers"));
        }
        headers.push(name.as_str().into());
    }
    Ok(RequestValue::Header(name.into()))
}

fn no_request(node: Node<'_, '_>) -> super::report::Reported {
    node.refuse(
        UnknownName,
        "only a rule compares with a value of the request",
    )
}
