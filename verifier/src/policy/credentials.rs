//! Parses `credentials`: the places of tokens in a request.

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    codes::Code::*,
    fields::Fields,
    grammar,
    headers::{FRAMING, Forwarded},
    names::Names,
    reader::Node,
    report::Read,
    requirement::issuers,
    suggest::{quoted, suggestion},
};
use crate::{
    base::{host, limits},
    model::{Credential, Credentials, Issuer, Place},
};

/// The field with a WebSocket's subprotocols, which has a place of its own.
const PROTOCOLS: &str = "sec-websocket-protocol";

/// `Authorization: Bearer …` (RFC 6750 §2.1).
pub(super) fn default_credentials() -> Credentials {
    let place = Place::Header {
        name: "authorization".into(),
        scheme: Some("Bearer".into()),
    };
    let bearer = Credential {
        place,
        issuers: Vec::new(),
        principal: None,
    };
    Credentials::new(Vec::from([bearer]), false)
}

/// All lists of a policy, while it is parsed.
pub(super) struct Lists<'p> {
    pub(super) names: &'p Names<'p>,
    pub(super) issuers: &'p [Issuer],
    pub(super) forwarded: &'p Forwarded,
    strips: bool,
    /// Whether every list is valid. If not, an unknown principal is no problem.
    pub(super) complete: bool,
    different: Vec<Place>,
    principals: Vec<Box<str>>,
    /// Indices of the issuers beside `principal`, sorted.
    pub(super) kept: Vec<usize>,
}

impl<'p> Lists<'p> {
    pub(super) fn new(names: &'p Names<'p>, issuers: &'p [Issuer], strips: bool) -> Self {
        static NONE: Forwarded = Forwarded {
            user: Vec::new(),
            of: Vec::new(),
        };
        Self {
            names,
            issuers,
            forwarded: &NONE,
            strips,
            complete: true,
            different: Vec::new(),
            principals: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Parses the list of the policy, or a rule's own one, with `several`.
    pub(super) fn list(
        &mut self,
        fields: &mut Fields<'_, '_>,
        is_policy: bool,
    ) -> Option<Credentials> {
        let first = fields.or("several", false, |node| {
            let message = "say `refuse`, or `first`: the first place that holds a token decides";
            node.either(["refuse", "first"], message)
        });
        let node = fields.node("credentials")?;
        let mut places: Vec<Credential> = Vec::new();
        let read = node.list(1, limits::PLACES, |item| {
            let read = self.place(item, is_policy, first, &places);
            match read {
                Ok(credential) => places.push(credential),
                Err(_) => self.complete = false,
            }
            Ok(())
        });
        self.complete &= read.is_ok();
        read.ok().map(|_| Credentials::new(places, first))
    }

    fn place(
        &mut self,
        node: Node<'_, '_>,
        is_policy: bool,
        first: bool,
        before: &[Credential],
    ) -> Read<Credential> {
        let credential = self.credential(node, is_policy)?;
        if before
            .iter()
            .any(|other| reads_same(&other.place, &credential.place))
        {
            return Err(node.refuse(Duplicate, "another of `credentials` reads the same place"));
        }
        let is_query = |credential: &Credential| matches!(credential.place, Place::Query(_));
        let is_hidden =
            |other: &Credential| is_query(other) && other.principal == credential.principal;
        if first && !is_query(&credential) && before.iter().any(is_hidden) {
            let message =
                "under `first` a `query` comes last: any site can link with a token in it";
            return Err(node.refuse(Conflict, message));
        }
        if let Place::Header { name, .. } = &credential.place
            && self.forwarded.sets(name)
        {
            return Err(node.refuse(Conflict, "`forward` sets this header"));
        }
        if is_policy && credential.is_basic() {
            let message = "browsers ask for a password wherever this list is read: \
                           give the rules that need it a list of their own";
            node.warn(AdmitsMore, message);
        }
        if !self.different.contains(&credential.place) {
            if self.different.len() == limits::ALL_PLACES {
                let message = format!("at most {} different places are read", limits::ALL_PLACES);
                return Err(node.refuse(TooMany, message));
            }
            self.different.push(credential.place.clone());
        }
        if let Some(name) = &credential.principal {
            if !self.principals.contains(name) {
                self.principals.push(name.clone());
            }
            credential
                .issuers
                .iter()
                .for_each(|id| insert(&mut self.kept, *id));
        }
        if let (true, Place::Cookie { name, .. }) = (first, &credential.place)
            && !name.starts_with("__Host-")
        {
            let message = "sites of the same domain can set this cookie: \
                           a name that begins with `__Host-` is only the host's own";
            node.warn(AdmitsMore, message);
        }
        Ok(credential)
    }

    fn credential(&self, node: Node<'_, '_>, is_policy: bool) -> Read<Credential> {
        let mut fields = node.fields()?;
        let kinds = ["header", "cookie", "query", "websocket_protocol"];
        let places = kinds.map(|kind| fields.node(kind));
        let scheme = fields.node("scheme");
        let same_origin = fields.node("same_origin");
        let trusted = fields.node("trusted_origins");
        let has_issuers = fields.node("issuers").is_some();
        let issuers = fields.or("issuers", Vec::new(), |node| self.issuers(node));
        let principal = fields.node("principal");
        let named = principal.map(|node| node.word(grammar::name)).transpose();
        if let (Some(node), false) = (principal, has_issuers) {
            let message = "say whose tokens these are: `issuers` is needed beside `principal`";
            node.refuse(FieldMissing, message);
        }
        fields.close();
        let refuse = |field: Option<Node<'_, '_>>, message| {
            field.map_or(Ok(()), |field| Err(field.refuse(Conflict, message)))
        };
        let no_cookie = "only a cookie has this: a browser sends no other token by itself";
        if places[1].is_none() {
            refuse(same_origin, no_cookie)?;
            refuse(trusted, no_cookie)?;
        }
        if places[0].is_none() {
            refuse(scheme, "only a header has a `scheme`")?;
        }
        let place = match places {
            [Some(name), None, None, None] => self.header(name, scheme)?,
            [None, Some(name), None, None] => cookie(node, name, same_origin, trusted)?,
            [None, None, Some(name), None] => {
                if is_policy {
                    let message =
                        "addresses get into logs: only a rule's own `credentials` read a `query`";
                    return Err(name.refuse(Conflict, message));
                }
                Place::Query(name.word(grammar::parameter)?.into())
            }
            [None, None, None, Some(node)] => protocol(node)?,
            [None, None, None, None] => {
                let message = "a credential comes in a `header`, a `cookie`, a `query` or a `websocket_protocol`";
                return Err(node.refuse(FieldMissing, message));
            }
            _ => {
                let message = "a credential comes in one place: list each in an object of its own";
                return Err(node.refuse(Conflict, message));
            }
        };
        Ok(Credential {
            place,
            issuers,
            principal: named?.map(Box::from),
        })
    }

    /// Parses names of issuers. Returns their indices, sorted.
    fn issuers(&self, node: Node<'_, '_>) -> Read<Vec<usize>> {
        let mut ids = Vec::new();
        for name in issuers(node, self.names)? {
            if let Some(id) = self.names.issuer(&name) {
                insert(&mut ids, id);
            }
        }
        Ok(ids)
    }

    fn header(&self, node: Node<'_, '_>, scheme: Option<Node<'_, '_>>) -> Read<Place> {
        if let Some(scheme) = scheme
            && !self.strips
            && scheme.text()?.eq_ignore_ascii_case("basic")
        {
            let message = "nobody checks the user name of `Basic`: \
                           `\"strip_credential\": true` keeps it from the backend";
            scheme.refuse(Conflict, message);
        }
        let scheme = scheme
            .map(|scheme| scheme.word(grammar::scheme))
            .transpose();
        let name = node.word(grammar::header)?.to_ascii_lowercase();
        let message = match &*name {
            "cookie" => "a cookie is named by itself: `{ \"cookie\": \"name\" }`",
            PROTOCOLS => "a token of this header is a `websocket_protocol`",
            name if FRAMING.contains(&name) => "this header has another meaning (RFC 9110)",
            _ => {
                return Ok(Place::Header {
                    name: name.into(),
                    scheme: scheme?.map(Box::from),
                });
            }
        };
        Err(node.refuse(ValueInvalid, message))
    }

    /// Reports a principal of `forward` that no place has.
    pub(super) fn check_forwarded(&self, node: Node<'_, '_>) {
        for (name, _) in &self.forwarded.of {
            if self.complete && !self.principals.contains(name) {
                let known: Vec<&str> = self.principals.iter().map(|known| &**known).collect();
                let hint = suggestion(name, &known);
                let message = format!("no place has tokens of {}; {hint}", quoted(name));
                node.refuse(UnknownName, message);
            }
        }
    }
}

fn cookie(
    node: Node<'_, '_>,
    name: Node<'_, '_>,
    same_origin: Option<Node<'_, '_>>,
    trusted: Option<Node<'_, '_>>,
) -> Read<Place> {
    let same_origin = same_origin.map_or(Ok(false), Node::flag);
    if matches!(same_origin, Ok(false)) {
        let message = "browsers send this cookie for other sites too: \
                       `\"same_origin\": true` refuses their unsafe requests";
        node.warn(Csrf, message);
        if let Some(trusted) = trusted {
            trusted.refuse(
                Conflict,
                "say `\"same_origin\": true` too: every origin is let in",
            );
        }
    }
    let trusted = trusted.map_or(Ok(Vec::new()), |node| node.words(1, origin));
    Ok(Place::Cookie {
        name: name.word(grammar::cookie)?.into(),
        same_origin: same_origin?,
        trusted: trusted?,
    })
}

/// A whole `https` origin, as browsers write it (RFC 6454 §6.2).
fn origin(text: &str) -> Result<(), &'static str> {
    let authority = text.strip_prefix("https://").unwrap_or_default();
    let read = host(authority.as_bytes());
    let is_plain =
        read.is_some_and(|host| !host.is_empty() && authority.as_bytes().starts_with(&host));
    let is_default = authority.ends_with(":443") || authority.ends_with([':', '.']);
    match is_plain && !is_default {
        true => Ok(()),
        false => {
            Err("an origin is `https://` and a host in lower case, with its port if it is not 443")
        }
    }
}

fn protocol(node: Node<'_, '_>) -> Read<Place> {
    let mut fields = node.fields()?;
    let after = fields.optional("after", |node| node.word(grammar::protocol));
    let prefix = fields.optional("prefix", |node| node.word(grammar::protocol));
    let both = [fields.node("after"), fields.node("prefix")];
    let base64url = fields.or("base64url", false, Node::flag);
    fields.close();
    match both {
        [Some(_), Some(_)] => Err(node.refuse(Conflict, "say `after` or `prefix`")),
        [None, None] => Err(node.refuse(FieldMissing, "say `after` or `prefix`")),
        _ => Ok(Place::Protocol {
            after: after.unwrap_or_default().into(),
            prefix: prefix.unwrap_or_default().into(),
            base64url,
        }),
    }
}

/// Returns whether two credentials read the same place. A header credential
/// without a scheme reads the whole header, so it conflicts with every other
/// one.
fn reads_same(a: &Place, b: &Place) -> bool {
    use Place::{Cookie, Header, Protocol, Query};
    match (a, b) {
        (Header { name: a, scheme: s }, Header { name: b, scheme: t }) => {
            let same_scheme = match (s, t) {
                (Some(s), Some(t)) => s.eq_ignore_ascii_case(t),
                _ => true,
            };
            a == b && same_scheme
        }
        (Cookie { name: a, .. }, Cookie { name: b, .. }) | (Query(a), Query(b)) => a == b,
        (
            Protocol {
                after: a,
                prefix: p,
                ..
            },
            Protocol {
                after: b,
                prefix: q,
                ..
            },
        ) => a == b && (!a.is_empty() || p.starts_with(&**q) || q.starts_with(&**p)),
        _ => false,
    }
}

/// Inserts into a sorted list.
fn insert(ids: &mut Vec<usize>, id: usize) {
    if let Err(index) = ids.binary_search(&id) {
        ids.insert(index, id);
    }
}
