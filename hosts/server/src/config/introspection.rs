//! Who may ask about tokens.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Address, Secret, Tls,
    parse::Folder,
    read::{Object, Place},
};

/// The longest name of a caller.
const NAME_BYTES: usize = 128;

/// Secrets or certificates of one caller: one, and others while it is replaced.
const CREDENTIALS: usize = 4;

/// The introspection endpoint (RFC 7662): `POST /introspect/{policy}`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Introspection {
    /// Who may ask, by client id.
    pub clients: BTreeMap<String, IntrospectionClient>,
}

/// A caller of the introspection endpoint.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IntrospectionClient {
    /// The policies that it may ask.
    pub policies: Vec<String>,
    /// What it may see, as `require` of a rule: every other token is not active for it.
    pub require: Value,
    /// How it authenticates.
    pub credentials: IntrospectionCredentials,
}

/// How a caller of the introspection endpoint authenticates. One of them is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntrospectionCredentials {
    /// By a secret.
    Secrets(Vec<Secret>),
    /// By its certificate of TLS: SHA-256 of the DER.
    Certificates(Vec<[u8; 32]>),
}

impl Folder<'_> {
    pub(super) fn introspection(&self, place: Place<'_>) -> Option<(Introspection, bool)> {
        let mut object = place.object()?;
        let clients = object.required("clients", |place| {
            let clients = place.map(|name, place| self.client(name, place))?;
            match place.is_empty() {
                true => place.invalid("nobody could ask"),
                false => Some(clients),
            }
        });
        let in_clear = object.optional("insecure_http", |place| place.boolean());
        object.end();
        let introspection = Introspection { clients: clients? };
        Some((introspection, in_clear.unwrap_or_default()))
    }

    fn client(&self, name: &str, place: Place<'_>) -> Option<IntrospectionClient> {
        if name.len() > NAME_BYTES || !is_plain(name.as_bytes()) {
            let message = format!(
                "a name of a client has 1 to {NAME_BYTES} of A-Z, a-z, 0-9, `-`, `.` and `_`"
            );
            return place.invalid(message);
        }
        let mut object = place.object()?;
        let policies = object.required("policies", |place| {
            let policies = place.list(|item| item.name().map(str::to_owned))?;
            match place.is_empty() {
                true => place.invalid("it could ask nothing"),
                false => Some(policies),
            }
        });
        let require = object.required("require", |place| place.json());
        let secrets = object.optional("secrets", |place| {
            few(&place, place.list(|item| self.secret(item))?)
        });
        let certificates = object.optional("certificates", |place| {
            few(&place, place.list(|item| certificate(&item))?)
        });
        if object.has("secrets") == object.has("certificates") {
            object.refuse("expected one of `secrets` and `certificates`");
        }
        object.end();
        let secrets = secrets.map(IntrospectionCredentials::Secrets);
        Some(IntrospectionClient {
            policies: policies?,
            require: require?,
            credentials: secrets.or(certificates.map(IntrospectionCredentials::Certificates))?,
        })
    }
}

/// Whether callers and their secrets are safe on the way.
pub(super) fn require_safe(
    introspection: Option<&(Introspection, bool)>,
    listen: Option<&Address>,
    tls: Option<&Tls>,
    object: &Object<'_>,
) {
    let (Some((introspection, in_clear)), Some(Address::Tcp(address))) = (introspection, listen)
    else {
        return;
    };
    if tls.is_none() && !in_clear && !address.ip().to_canonical().is_loopback() {
        object.refuse(
            "secrets and tokens of `introspection` would come over plain HTTP: say `tls`, listen \
             on a Unix socket or on an address of this machine itself, or say `insecure_http: \
             true` there",
        );
    }
    let by_certificate = |client: &IntrospectionClient| {
        matches!(
            client.credentials,
            IntrospectionCredentials::Certificates(_)
        )
    };
    if !introspection.clients.values().any(by_certificate) {
        return;
    }
    match tls.map(|tls| tls.client_ca.is_some()) {
        Some(true) if object.has("trusted_proxies") => {}
        Some(true) => object.refuse(
            "`trusted_proxies` is missing: without it a caller of `introspection`, which has a \
             certificate too, could ask as a proxy",
        ),
        _ => object.refuse("`certificates` of `introspection` need `client_ca` in `tls`"),
    }
}

/// Names and secrets have only characters that form encoding leaves as they are. Some
/// clients encode them (RFC 6749 §2.3.1) and some do not: here both are the same.
pub(crate) fn is_plain(text: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    !text.is_empty() && text.iter().all(plain)
}

fn few<T>(place: &Place<'_>, items: Vec<T>) -> Option<Vec<T>> {
    match place.length() {
        1..=CREDENTIALS => Some(items),
        _ => place.invalid(format!("expected 1 to {CREDENTIALS}")),
    }
}

fn certificate(place: &Place<'_>) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    match hex::decode_to_slice(place.text()?, &mut hash) {
        Ok(()) => Some(hash),
        Err(_) => place.invalid("expected the SHA-256 of a certificate: 64 hex digits"),
    }
}
