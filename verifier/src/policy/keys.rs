//! `keys`: where an issuer's keys come from, one place and no other.

use alloc::{format, sync::Arc};

use super::{Keys, codes::*, reader::Node, report::Read};
use crate::{Algorithm, Keyring, Limits, limits, uri};

/// What else is known of the issuer, as far as it could be read.
pub(super) struct Origin<'o> {
    pub(super) issuer: Read<&'o str>,
    pub(super) algorithms: Read<&'o [Algorithm]>,
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
    /// Secrets are for HS*, everything else is for the others.
    fn fits(self, algorithms: &[Algorithm]) -> Read<()> {
        let symmetric = algorithms.iter().any(|algorithm| algorithm.is_symmetric());
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

pub(super) fn keys(node: Node<'_, '_>, origin: &Origin<'_>) -> Read<Keys> {
    let mut fields = node.fields()?;
    let jwks_uri = fields.node("jwks_uri");
    let discovery = fields.node("discovery");
    let discover = discovery.map_or(Ok(false), Node::flag);
    let jwks = fields.node("jwks");
    let secrets = fields.node("secrets");
    let stale = fields.node("stale_s");
    let stale_ms = match stale {
        None => Ok(limits::STALE_DEFAULT_S),
        Some(node) => node.integer(0..=604_800).map(u64::from),
    };
    let stale_ms = stale_ms.map(|seconds| seconds.saturating_mul(1000));
    let http = fields.node("insecure_http");
    let insecure = http.map_or(Ok(false), insecure_http);
    fields.close();

    let discovery = discovery.filter(|_| !matches!(discover, Ok(false)));
    let sources = [
        jwks_uri.map(Source::JwksUri),
        discovery.map(Source::Discovery),
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
        for fetched_only in [stale, http].into_iter().flatten() {
            fetched_only.refuse(
                CONFLICT,
                "this is for keys that are fetched, and these are inline",
            );
        }
    }
    if let Ok(algorithms) = origin.algorithms {
        source.fits(algorithms)?;
    }
    match source {
        Source::JwksUri(node) => {
            let uri = address(node, insecure)?;
            Ok(Keys::JwksUri {
                uri,
                stale_ms: stale_ms?,
            })
        }
        Source::Discovery(node) => {
            discover?;
            let uri = metadata_uri(node, origin, insecure)?;
            Ok(Keys::Discovery {
                uri,
                stale_ms: stale_ms?,
                insecure_http: insecure?,
            })
        }
        Source::Jwks(node) => inline_jwks(node, origin).map(Keys::Inline),
        Source::Secrets(node) => inline_secrets(node, origin).map(Keys::Inline),
    }
}

/// `insecure_http` itself, with its warning.
pub(super) fn insecure_http(node: Node<'_, '_>) -> Read<bool> {
    let insecure = node.flag()?;
    if insecure {
        let message = "whoever is on the way can replace what is fetched over plain `http`: \
                       only for a network that is encrypted or isolated";
        node.warn(INSECURE_HTTP, message);
    }
    Ok(insecure)
}

/// An address to fetch: plain `http` only where that was said.
pub(super) fn address(node: Node<'_, '_>, insecure: Read<bool>) -> Read<Arc<str>> {
    let text = node.text()?;
    match fetchable(text, insecure) {
        Ok(()) => Ok(text.into()),
        Err(why) => Err(node.refuse(VALUE_INVALID, format!("the address {why}"))),
    }
}

/// OpenID Connect Discovery 1.0 §4.1: below the issuer, without its last `/`.
fn metadata_uri(node: Node<'_, '_>, origin: &Origin<'_>, insecure: Read<bool>) -> Read<Arc<str>> {
    let issuer = origin.issuer?;
    let judged = match issuer.contains('?') {
        true => Err("has a query"),
        false => fetchable(issuer, insecure),
    };
    if let Err(why) = judged {
        let message = format!("discovery starts at the `issuer`, which {why}");
        return Err(node.refuse(CONFLICT, message));
    }
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    Ok([base, "/.well-known/openid-configuration"].concat().into())
}

fn inline_jwks(node: Node<'_, '_>, origin: &Origin<'_>) -> Read<Keyring> {
    node.object()?;
    let parsed = Keyring::from_value(
        node.value(),
        origin.algorithms?,
        origin.limits,
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

fn inline_secrets(node: Node<'_, '_>, origin: &Origin<'_>) -> Read<Keyring> {
    node.array(1, origin.limits.document_keys)?;
    let parsed = Keyring::from_secrets(node.value(), origin.algorithms?, &node.pointer());
    parsed.map_err(|problems| {
        let refused = problems
            .into_iter()
            .map(|problem| node.refuse_with(problem))
            .last();
        refused.unwrap_or_else(|| node.refuse(KEY_UNUSABLE, "the secrets cannot be used"))
    })
}

/// Where `insecure_http` itself is at fault, the scheme is not blamed.
fn fetchable(uri: &str, insecure: Read<bool>) -> Result<(), &'static str> {
    uri::fetchable(uri, insecure.unwrap_or(true))
}
