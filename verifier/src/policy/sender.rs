//! Parses what the policy says about the senders of tokens: `dpop`,
//! `client_certificate`, and the words of issuers and requirements.

use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::net::IpAddr;

use super::{
    codes::Code::*,
    credentials::Lists,
    fields::Fields,
    grammar,
    headers::{Forwarded, is_reserved},
    issuers::algorithms,
    reader::Node,
    report::Read,
    secrets,
    suggest::quoted,
};
use crate::{
    base::uri,
    jose::Nonces,
    json::Value,
    model::{
        CertificateFormat, ClientCertificate, Credentials, Dpop, Issuer, Network, OfIssuer,
        ProofKind, Rule, Sender,
    },
    request::htu,
};

/// Shortest secret of nonces: as long as the hash (RFC 2104 §3).
const SECRET_BYTES: usize = 32;
/// Origins, networks and secrets that are read.
const ORIGINS: usize = 64;
const NETWORKS: usize = 256;
const SECRETS: usize = 4;

/// Parses both fields of the policy.
pub(super) fn sender(
    fields: &mut Fields<'_, '_>,
    forwarded: &Forwarded,
    credentials: &Credentials,
) -> Sender {
    Sender {
        dpop: fields.or("dpop", Dpop::default(), dpop),
        certificate: fields.optional("client_certificate", |node| {
            client_certificate(node, forwarded, credentials)
        }),
    }
}

fn dpop(node: Node<'_, '_>) -> Read<Dpop> {
    let default = Dpop::default();
    let mut fields = node.fields()?;
    let dpop = Dpop {
        origins: fields.or("origin", Vec::new(), |node| {
            one_or_more(node, ORIGINS, &mut origin)
        }),
        algorithms: fields.or("algorithms", default.algorithms, |node| {
            let algorithms = algorithms(node)?;
            match algorithms.iter().any(|algorithm| algorithm.is_symmetric()) {
                true => Err(node.refuse(
                    ValueInvalid,
                    "a proof is signed by a key that only its client has: HS* has none",
                )),
                false => Ok(algorithms),
            }
        }),
        max_age_ms: fields
            .optional("max_age_s", |node| node.integer(1..=3_600))
            .map_or(default.max_age_ms, super::reader::ms),
        nonces: fields.optional("nonce", nonces),
    };
    fields.close();
    Ok(dpop)
}

/// Parses a value, or an array of them.
fn one_or_more<T>(
    node: Node<'_, '_>,
    max: usize,
    read: &mut dyn FnMut(Node<'_, '_>) -> Read<T>,
) -> Read<Vec<T>> {
    match node.value() {
        Value::Array(_) => node.list(1, max, read),
        _ => Ok(Vec::from([read(node)?])),
    }
}

fn origin(node: Node<'_, '_>) -> Read<Box<[u8]>> {
    let text = node.text()?;
    let is_bare = |rest: &str| !rest.contains(['/', '?', '#']);
    let bare = text
        .split_once("://")
        .is_some_and(|(_, rest)| is_bare(rest));
    let read = htu::split(text.as_bytes()).filter(|_| bare && uri::fetchable(text, true).is_ok());
    match read {
        Some((origin, _)) => Ok(origin.into()),
        None => Err(node.refuse(
            ValueInvalid,
            "an origin is a scheme and a host, as clients see them: `https://api.example.com`",
        )),
    }
}

fn nonces(node: Node<'_, '_>) -> Read<Nonces> {
    let mut fields = node.fields()?;
    let secrets = fields.required("secret_from", |node| {
        one_or_more(node, SECRETS, &mut |node| {
            let secret = secrets::named(node)?;
            if secret.len() < SECRET_BYTES {
                let message = format!("a secret of nonces has at least {SECRET_BYTES} bytes");
                return Err(node.refuse(KeyUnusable, message));
            }
            Ok(secret.into())
        })
    });
    let lifetime_s = fields.or("lifetime_s", 300, |node| node.integer(10..=86_400));
    fields.close();
    Ok(Nonces {
        secrets,
        lifetime_ms: u64::from(lifetime_s).saturating_mul(1000),
    })
}

fn client_certificate(
    node: Node<'_, '_>,
    forwarded: &Forwarded,
    credentials: &Credentials,
) -> Read<ClientCertificate> {
    let mut fields = node.fields()?;
    let header = fields.required("header", |node| {
        let name = node.word(grammar::header)?.to_ascii_lowercase();
        if is_reserved(&name) || name == "dpop" {
            return Err(node.refuse(ValueInvalid, "this header has another meaning"));
        }
        if forwarded.sets(&name) || credentials.reads_header(&name) {
            let message = "`forward` sets this header, or a credential is read from it";
            return Err(node.refuse(Conflict, message));
        }
        Ok(Box::from(name))
    });
    let format = fields.optional("format", format_of);
    if fields.node("format").is_none() {
        node.refuse(FieldMissing, "`format` is missing here");
    }
    let trusted = fields.node("trusted_proxies");
    if trusted.is_none() {
        node.refuse(FieldMissing, "`trusted_proxies` is missing here");
    }
    fields.close();
    let trusted = match trusted {
        Some(node) if node.value().as_str() == Some("any") => {
            let message = "whoever reaches this gate past the proxy can send this header: \
                           name the proxies, unless this host cannot know its peers";
            node.warn(AdmitsMore, message);
            None
        }
        Some(node) => Some(node.list(1, NETWORKS, network)?),
        None => Some(Vec::new()),
    };
    Ok(ClientCertificate {
        header,
        format: format.unwrap_or(CertificateFormat::Xfcc),
        trusted,
    })
}

fn format_of(node: Node<'_, '_>) -> Read<CertificateFormat> {
    match node.text()? {
        "xfcc" => Ok(CertificateFormat::Xfcc),
        "rfc9440" => Ok(CertificateFormat::Rfc9440),
        "sha256" => Ok(CertificateFormat::Sha256),
        "pem" => Ok(CertificateFormat::Pem),
        other => {
            let message = format!(
                "{} is no form of a certificate: say `xfcc`, `rfc9440`, `sha256` or `pem`",
                quoted(other)
            );
            Err(node.refuse(ValueInvalid, message))
        }
    }
}

fn network(node: Node<'_, '_>) -> Read<Network> {
    let text = node.text()?;
    match read_network(text) {
        Some(network) => {
            if network.prefix == 0 {
                node.warn(AdmitsMore, "this is every address");
            }
            Ok(network)
        }
        None => Err(node.refuse(
            ValueInvalid,
            "a network is an address and a number of bits: `10.0.0.0/8`, `fd00::/8`",
        )),
    }
}

fn read_network(text: &str) -> Option<Network> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: Vec<u8> = match address.parse().ok()? {
        IpAddr::V4(address) => address.octets().into(),
        IpAddr::V6(address) => address.octets().into(),
    };
    let bits = u8::try_from(address.len().saturating_mul(8)).ok()?;
    let prefix = match prefix {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
        Some(_) => return None,
        None => bits,
    };
    (prefix <= bits).then_some(Network { address, prefix })
}

/// Parses what an issuer says about its senders.
pub(super) fn of_issuer(fields: &mut Fields<'_, '_>) -> OfIssuer {
    let dpop = fields.node("dpop");
    let required = fields.or("dpop", false, |node| {
        node.either(
            ["optional", "required"],
            "say `required`, if every token of this issuer is bound to a key, or `optional`",
        )
    });
    let ignored = fields.optional("sender_constrained", |node| match node.text()? {
        "ignore" => {
            let message = "a stolen token that is bound to its sender is good for the thief";
            node.warn(AdmitsMore, message);
            Ok(())
        }
        _ => Err(node.refuse(
            ValueInvalid,
            "only `ignore` stands here: otherwise bound tokens need their proof",
        )),
    });
    match (ignored, required) {
        (Some(()), true) => {
            if let Some(node) = dpop {
                let message = "`sender_constrained` says that nobody looks at the proof";
                node.refuse(Conflict, message);
            }
            OfIssuer::Ignored
        }
        (Some(()), false) => OfIssuer::Ignored,
        (None, true) => OfIssuer::Required,
        (None, false) => OfIssuer::Optional,
    }
}

/// Parses `proof` of a requirement.
pub(super) fn proof(node: Node<'_, '_>, reads_dpop: bool) -> Read<ProofKind> {
    match node.text()? {
        "any" => Ok(ProofKind::Any),
        "mtls" => Ok(ProofKind::Mtls),
        "dpop" => {
            if !reads_dpop {
                let message = "no place of this rule has the scheme `DPoP`";
                node.warn(MatchesNothing, message);
            }
            Ok(ProofKind::Dpop)
        }
        other => {
            let message = format!("{} is no proof: say `any`, `mtls` or `dpop`", quoted(other));
            Err(node.refuse(ValueInvalid, message))
        }
    }
}

/// Checks what the policy says about proofs, now that its places are known.
pub(super) fn check_places(
    fields: &mut Fields<'_, '_>,
    issuers: &[Issuer],
    lists: &Lists<'_>,
    credentials: &Credentials,
    rules: &[Rule],
) {
    let own = rules
        .iter()
        .filter_map(|rule| rule.tokens.credentials.as_ref());
    let reads = own.fold(credentials.dpop, |all, list| all | list.dpop) != 0;
    let dpop = fields.node("dpop");
    let fips = fields.node("fips");
    if let Some(node) = fips
        && matches!(node.value(), Value::Bool(true))
        && (reads || dpop.is_some())
    {
        let message = "proofs (`DPoP`) are verified by the module, which is not validated";
        node.refuse(Conflict, message);
    }
    if reads || !lists.complete {
        return;
    }
    if let Some(node) = dpop {
        let message = "no place has the scheme `DPoP`: \
                       `{ \"header\": \"authorization\", \"scheme\": \"DPoP\" }`";
        node.warn(MatchesNothing, message);
    }
    let Some(node) = fields.node("issuers").filter(|node| node.refusals() == 0) else {
        return;
    };
    let mut issuers = issuers.iter();
    node.each(&mut |node| {
        if issuers
            .next()
            .is_some_and(|issuer| issuer.sender == OfIssuer::Required)
        {
            let message = "its tokens come by the scheme `DPoP`, which no place has";
            node.warn(MatchesNothing, String::from(message));
        }
    });
}
