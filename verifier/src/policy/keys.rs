//! Parses `keys`: the sources of an issuer's keys.

use alloc::{borrow::Cow, boxed::Box, format, string::String, sync::Arc, vec::Vec};

use countersign_kernel::bytes::{self, base64url};

use super::{
    codes::Code::*, grammar, issuers::algorithms, reader::Node, report::Read, secrets::secret,
};
use crate::{
    base::{Limits, limits, uri},
    jose::{Accepted, Algorithm, Keyring},
    json::{Object, Value},
    model::{KeySource, Keys},
};

/// Maximum number of sources of one issuer.
const SOURCES: usize = 8;
/// Maximum number of secrets, or of PEM keys, of one source.
const LISTED: usize = 100;

/// The other fields of the issuer, as far as they are valid.
pub(super) struct IssuerContext<'o> {
    /// Empty if it is invalid.
    pub(super) issuer: &'o str,
    /// Empty if they are invalid.
    pub(super) algorithms: &'o [Algorithm],
    pub(super) limits: KeyLimits<'o>,
}

/// What holds for the keys of every issuer.
#[derive(Clone, Copy)]
pub(super) struct KeyLimits<'l> {
    pub(super) limits: &'l Limits,
    /// Whether the host verifies all signatures.
    pub(super) by_host: bool,
}

/// The kinds of sources, and whether their keys are fetched.
const KINDS: [(&str, bool); 6] = [
    ("jwks_uri", true),
    ("discovery", true),
    ("jwks", false),
    ("secrets", false),
    ("pem", false),
    ("pem_uri", true),
];

/// Parses one source, or a list of sources.
pub(super) fn keys(node: Node<'_, '_>, context: &IssuerContext<'_>) -> Read<Vec<KeySource>> {
    let refusals = node.refusals();
    let sources = match node.value() {
        Value::Array(items) => {
            let several = items.len() > 1;
            node.list(1, SOURCES, |item| source(item, context, several))?
        }
        _ => Vec::from([source(node, context, false)?]),
    };
    if node.refusals() == refusals {
        check_together(node, &sources, context);
    }
    Ok(sources)
}

/// Checks what holds for all sources together.
fn check_together(node: Node<'_, '_>, sources: &[KeySource], context: &IssuerContext<'_>) {
    let discovery = |source: &&KeySource| matches!(source.keys, Keys::Discovery { .. });
    if sources.iter().filter(discovery).count() > 1 {
        node.refuse(Conflict, "`discovery` finds one document: say it once");
    }
    for algorithm in context.algorithms {
        let mut secrets = 0_usize;
        let mut served = false;
        for source in sources {
            served |= source.accepted.algorithms.contains(algorithm);
            if let (Keys::Inline(ring), true) = (&source.keys, algorithm.is_symmetric()) {
                secrets = secrets.saturating_add(ring.nameless(*algorithm));
            }
        }
        if !served {
            let name = algorithm.as_str();
            let message = format!("no source has the issuer's algorithm `{name}`");
            node.refuse(Conflict, message);
        }
        if secrets > 4 {
            let message = "a fifth secret without `kid` is not tried: name them by `kid`";
            node.refuse(Conflict, message);
        }
    }
}

fn source(node: Node<'_, '_>, context: &IssuerContext<'_>, several: bool) -> Read<KeySource> {
    let mut fields = node.fields()?;
    let mut found = Vec::new();
    let use_discovery = fields.or("discovery", true, Node::flag);
    for (kind, fetched) in KINDS {
        let node = fields.node(kind);
        let node = node.filter(|_| kind != "discovery" || use_discovery);
        if let Some(node) = node {
            found.push((kind, fetched, node));
        }
    }
    let own = fields.node("algorithms");
    let usage_node = fields.node("use");
    let usage = fields.optional("use", |node| node.word(grammar::text));
    let fetched_only = [fields.node("stale_s"), fields.node("insecure_http")];
    let stale_ms = fields.or("stale_s", limits::STALE_DEFAULT_S, |node| {
        node.integer(0..=604_800).map(u64::from)
    });
    let insecure = fields.or("insecure_http", false, insecure_http);
    fields.close();

    let &[(kind, fetched, place)] = &*found else {
        let code = if found.is_empty() {
            FieldMissing
        } else {
            Conflict
        };
        let message =
            "a source has one of `jwks_uri`, `discovery`, `jwks`, `secrets`, `pem` and `pem_uri`";
        return Err(node.refuse(code, message));
    };
    if !fetched {
        for node in fetched_only.into_iter().flatten() {
            node.refuse(
                Conflict,
                "this is for keys that are fetched, and these are inline",
            );
        }
    }
    if let (Some(node), "secrets" | "pem" | "pem_uri") = (usage_node, kind) {
        node.refuse(Conflict, "only a JWK has a `use`");
    }
    let accepted = Accepted {
        algorithms: match own {
            Some(own) => own_algorithms(own, context)?,
            None if several => {
                let message = "each of several sources says its `algorithms`";
                return Err(node.refuse(FieldMissing, message));
            }
            None => context.algorithms.into(),
        },
        usage: usage.map(Box::from),
        by_host: context.limits.by_host,
    };
    for algorithm in &accepted.algorithms {
        let message = match (algorithm.is_symmetric(), kind == "secrets") {
            (true, false) => {
                "HS256, HS384 and HS512 need `secrets`: a published secret is no secret"
            }
            (false, true) => "secrets are for HS256, HS384 and HS512 only",
            _ => continue,
        };
        return Err(place.refuse(Conflict, message));
    }
    let keys = match kind {
        "jwks_uri" => Keys::Jwks(address(place, insecure)?),
        "discovery" => Keys::Discovery {
            uri: metadata_uri(place, context.issuer, insecure)?,
            insecure_http: insecure,
        },
        "jwks" => Keys::Inline(inline_jwks(place, &accepted, context.limits.limits)?),
        "pem_uri" => pem_uri(place, insecure)?,
        _ => {
            let member = if kind == "pem" { "pem" } else { "k" };
            Keys::Inline(listed(place, member, &accepted)?)
        }
    };
    Ok(KeySource {
        accepted,
        keys,
        stale_ms: stale_ms.saturating_mul(1000),
    })
}

fn own_algorithms(node: Node<'_, '_>, context: &IssuerContext<'_>) -> Read<Vec<Algorithm>> {
    let own = algorithms(node)?;
    let mut others = own.iter().filter(|own| !context.algorithms.contains(own));
    match others.next() {
        // The problem of invalid algorithms of the issuer is already reported.
        Some(other) if !context.algorithms.is_empty() => {
            let other = other.as_str();
            let message = format!("`{other}` is not one of the issuer's `algorithms`");
            Err(node.refuse(Conflict, message))
        }
        _ => Ok(own),
    }
}

/// Parses `insecure_http` and reports its warning.
pub(super) fn insecure_http(node: Node<'_, '_>) -> Read<bool> {
    let insecure = node.flag()?;
    if insecure {
        let message = "whoever is on the way can replace what is fetched over plain `http`: \
                       only for a network that is encrypted or isolated";
        node.warn(InsecureHttp, message);
    }
    Ok(insecure)
}

/// Parses an address to fetch. Plain `http` is allowed only with `insecure`.
pub(super) fn address(node: Node<'_, '_>, insecure: bool) -> Read<Arc<str>> {
    let text = node.text()?;
    fetchable(node, text, insecure)?;
    Ok(text.into())
}

fn fetchable(node: Node<'_, '_>, uri: &str, insecure: bool) -> Read<()> {
    uri::fetchable(uri, insecure)
        .map_err(|why| node.refuse(ValueInvalid, format!("the address {why}")))
}

/// Makes the address of the metadata: the issuer without a final `/`, and the
/// well-known path (OpenID Connect Discovery 1.0 §4.1).
fn metadata_uri(node: Node<'_, '_>, issuer: &str, insecure: bool) -> Read<Arc<str>> {
    let checked = match issuer.contains('?') {
        true => Err("has a query"),
        false => uri::fetchable(issuer, insecure),
    };
    match checked {
        // The problem of an invalid issuer is already reported.
        Err(why) if !issuer.is_empty() => {
            let message = format!("discovery starts at the `issuer`, which {why}");
            Err(node.refuse(Conflict, message))
        }
        _ => {
            let base = issuer.strip_suffix('/').unwrap_or(issuer);
            Ok([base, "/.well-known/openid-configuration"].concat().into())
        }
    }
}

/// Parses the address of PEM keys. `{kid}` in its path means one document for
/// each `kid`.
fn pem_uri(node: Node<'_, '_>, insecure: bool) -> Read<Keys> {
    const NAME: &str = "{kid}";
    let text = node.text()?;
    let place = bytes::position(text.as_bytes(), b'{');
    let parts = place.and_then(|at| text.split_at_checked(at));
    let Some((before, after)) =
        parts.and_then(|(before, rest)| Some((before, rest.strip_prefix(NAME)?)))
    else {
        return Ok(Keys::PemMap(address(node, insecure)?));
    };
    if before.contains('?') || before.split('/').count() < 4 {
        return Err(node.refuse(ValueInvalid, "`{kid}` stands in the path of the address"));
    }
    // A `kid` has at most 64 characters, each of which a path can contain.
    fetchable(node, &[before, "kid", after].concat(), insecure)?;
    Ok(Keys::PemByKid {
        before: before.into(),
        after: after.into(),
    })
}

fn inline_jwks(node: Node<'_, '_>, accepted: &Accepted, limits: &Limits) -> Read<Keyring> {
    node.object()?;
    if accepted.algorithms.is_empty() {
        return Ok(Keyring::default());
    }
    let parsed = Keyring::from_value(node.value(), accepted, limits);
    let (keyring, reported) = parsed.map_err(|problem| node.refuse_with(problem))?;
    if keyring.is_empty() {
        return Err(node.refuse(NoUsableKey, "an inline JWK Set needs a key"));
    }
    reported
        .into_iter()
        .for_each(|problem| node.warn_with(problem));
    Ok(keyring)
}

/// Puts each secret that the host has in the place of its name.
fn with_secrets(node: Node<'_, '_>) -> Read<Value<'static>> {
    let mut entries = Vec::new();
    let mut read = Ok(());
    node.each(&mut |item| {
        let entry = with_secret(item);
        read = read.and(entry.map(|entry| entries.push(entry)));
    });
    read.map(|()| Value::Array(entries))
}

fn with_secret(node: Node<'_, '_>) -> Read<Value<'static>> {
    let whole = || node.value().clone().into_owned();
    let Some(object) = node.value().as_object() else {
        return Ok(whole());
    };
    if object.get("k").is_none() && object.get("secret_from").is_none() {
        return Ok(whole());
    }
    let mut fields = node.fields()?;
    let named = secret(node, &mut fields, "k", |_| Ok(Vec::new()))?;
    if named.is_empty() {
        return Ok(whole());
    }
    let mut members = Vec::new();
    for (name, value) in object.iter() {
        members.push(match name {
            "secret_from" => {
                let text = base64url::encode(&named);
                (Cow::Borrowed("k"), Value::String(Cow::Owned(text)))
            }
            _ => {
                let name = String::from(name);
                (Cow::Owned(name), value.clone().into_owned())
            }
        });
    }
    Ok(Object::new(members).map_or(Value::Null, Value::Object))
}

/// Parses `secrets` or `pem`.
fn listed(node: Node<'_, '_>, member: &str, accepted: &Accepted) -> Read<Keyring> {
    node.array(1, LISTED)?;
    if accepted.algorithms.is_empty() {
        return Ok(Keyring::default());
    }
    let resolved = match member {
        "k" => Some(with_secrets(node)?),
        _ => None,
    };
    let entries = resolved.as_ref().unwrap_or(node.value());
    let parsed = Keyring::from_entries(entries, member, accepted);
    parsed.map_err(|problems| {
        let mut refused = None;
        for problem in problems {
            refused = Some(node.refuse_with(problem));
        }
        refused.unwrap_or_else(|| node.refuse(KeyUnusable, "these keys cannot be used"))
    })
}
