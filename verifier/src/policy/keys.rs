//! Parses `keys`: the one source of an issuer's keys.

use alloc::{format, sync::Arc};

use super::{codes::*, reader::Node, report::Read};
use crate::{
    base::{Limits, limits, uri},
    jose::{Algorithm, Keyring},
    model::Keys,
};

/// Maximum number of secrets of one issuer.
const SECRETS: usize = 100;

/// The other fields of the issuer, as far as they are valid.
pub(super) struct IssuerContext<'o> {
    /// Empty if it is invalid.
    pub(super) issuer: &'o str,
    /// Empty if they are invalid.
    pub(super) algorithms: &'o [Algorithm],
    pub(super) limits: &'o Limits,
}

#[derive(Clone, Copy)]
enum Source<'n, 'p> {
    JwksUri(Node<'n, 'p>),
    Discovery(Node<'n, 'p>),
    Jwks(Node<'n, 'p>),
    Secrets(Node<'n, 'p>),
}

impl Source<'_, '_> {
    /// Checks that secrets have HS* algorithms, and other sources have none.
    fn check_algorithms(self, algorithms: &[Algorithm]) -> Read<()> {
        let Some(first) = algorithms.first() else {
            return Ok(());
        };
        // All algorithms of an issuer are of one kind.
        let symmetric = first.is_symmetric();
        match self {
            Self::Secrets(node) if !symmetric => {
                let message = "secrets are for HS256, HS384 and HS512 only";
                Err(node.refuse(CONFLICT, message))
            }
            Self::JwksUri(node) | Self::Discovery(node) | Self::Jwks(node) if symmetric => {
                let message =
                    "HS256, HS384 and HS512 need `secrets`: a published secret is no secret";
                Err(node.refuse(CONFLICT, message))
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn keys(node: Node<'_, '_>, context: &IssuerContext<'_>) -> Read<Keys> {
    let mut fields = node.fields()?;
    let jwks_uri = fields.node("jwks_uri");
    let discovery = fields.node("discovery");
    let use_discovery = fields.or("discovery", true, Node::flag);
    let jwks = fields.node("jwks");
    let secrets = fields.node("secrets");
    let fetched_only = [fields.node("stale_s"), fields.node("insecure_http")];
    let stale_ms = fields.or("stale_s", limits::STALE_DEFAULT_S, |node| {
        node.integer(0..=604_800).map(u64::from)
    });
    let stale_ms = stale_ms.saturating_mul(1000);
    let insecure = fields.or("insecure_http", false, insecure_http);
    fields.close();

    let sources = [
        jwks_uri.map(Source::JwksUri),
        discovery.filter(|_| use_discovery).map(Source::Discovery),
        jwks.map(Source::Jwks),
        secrets.map(Source::Secrets),
    ];
    let mut sources = sources.into_iter().flatten();
    let source = match (sources.next(), sources.next()) {
        (Some(source), None) => source,
        (None, _) => {
            let message = "keys come from `jwks_uri`, `discovery`, `jwks` or `secrets`";
            return Err(node.refuse(FIELD_MISSING, message));
        }
        _ => {
            let message = "keys come from one place: `jwks_uri`, `discovery`, `jwks` or `secrets`";
            return Err(node.refuse(CONFLICT, message));
        }
    };
    if matches!(source, Source::Jwks(_) | Source::Secrets(_)) {
        for node in fetched_only.into_iter().flatten() {
            node.refuse(
                CONFLICT,
                "this is for keys that are fetched, and these are inline",
            );
        }
    }
    source.check_algorithms(context.algorithms)?;
    Ok(match source {
        Source::JwksUri(node) => Keys::JwksUri {
            uri: address(node, insecure)?,
            stale_ms,
        },
        Source::Discovery(node) => Keys::Discovery {
            uri: metadata_uri(node, context.issuer, insecure)?,
            stale_ms,
            insecure_http: insecure,
        },
        Source::Jwks(node) => Keys::Inline(inline_jwks(node, context)?),
        Source::Secrets(node) => Keys::Inline(inline_secrets(node, context)?),
    })
}

/// Parses `insecure_http` and reports its warning.
pub(super) fn insecure_http(node: Node<'_, '_>) -> Read<bool> {
    let insecure = node.flag()?;
    if insecure {
        let message = "whoever is on the way can replace what is fetched over plain `http`: \
                       only for a network that is encrypted or isolated";
        node.warn(INSECURE_HTTP, message);
    }
    Ok(insecure)
}

/// Parses an address to fetch. Plain `http` is allowed only with `insecure`.
pub(super) fn address(node: Node<'_, '_>, insecure: bool) -> Read<Arc<str>> {
    let text = node.text()?;
    match uri::fetchable(text, insecure) {
        Ok(()) => Ok(text.into()),
        Err(why) => Err(node.refuse(VALUE_INVALID, format!("the address {why}"))),
    }
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
            Err(node.refuse(CONFLICT, message))
        }
        _ => {
            let base = issuer.strip_suffix('/').unwrap_or(issuer);
            Ok([base, "/.well-known/openid-configuration"].concat().into())
        }
    }
}

fn inline_jwks(node: Node<'_, '_>, context: &IssuerContext<'_>) -> Read<Keyring> {
    node.object()?;
    if context.algorithms.is_empty() {
        return Ok(Keyring::default());
    }
    let parsed = Keyring::from_value(
        node.value(),
        context.algorithms,
        context.limits,
        &node.pointer(),
    );
    let (keyring, skipped) = parsed.map_err(|problem| node.refuse_with(problem))?;
    if keyring.is_empty() {
        return Err(node.refuse(NO_USABLE_KEY, "an inline JWK Set needs a key"));
    }
    skipped
        .into_iter()
        .for_each(|problem| node.warn_with(problem));
    Ok(keyring)
}

fn inline_secrets(node: Node<'_, '_>, context: &IssuerContext<'_>) -> Read<Keyring> {
    node.array(1, SECRETS)?;
    if context.algorithms.is_empty() {
        return Ok(Keyring::default());
    }
    let parsed = Keyring::from_secrets(node.value(), context.algorithms, &node.pointer());
    parsed.map_err(|problems| {
        let mut refused = None;
        for problem in problems {
            refused = Some(node.refuse_with(problem));
        }
        refused.unwrap_or_else(|| node.refuse(KEY_UNUSABLE, "the secrets cannot be used"))
    })
}
