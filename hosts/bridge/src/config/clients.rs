//! Who may ask at the token endpoint.

use std::{collections::BTreeSet, str::FromStr};

use countersign_policy_source::{Object, Place};
use countersign_server::{Folder, Secret};
use serde_json::Value;

/// The longest client id, scope, role or tenant.
pub(super) const NAME_BYTES: usize = 128;

/// Ids of people and of nodes begin so: a client's must not, as all are `sub` of tokens.
pub(crate) const PERSON_PREFIX: &str = "p_";
pub(crate) const NODE_PREFIX: &str = "n_";

/// A client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientConfig {
    /// How it authenticates.
    pub credentials: ClientCredentials,
    /// What it may ask for.
    pub grants: BTreeSet<GrantType>,
    /// For whom its tokens may be.
    pub audiences: Vec<String>,
    /// The most that its tokens may be allowed.
    pub scopes: Vec<String>,
    /// Roles of its own tokens.
    pub roles: Vec<String>,
    /// The tenant of its own tokens.
    pub tenant: Option<String>,
}

/// How a client authenticates.
#[derive(Clone, Debug)]
pub enum ClientCredentials {
    /// It cannot keep a secret: a device.
    Public,
    /// By a secret; a second one while it is replaced.
    Secrets(Vec<Secret>),
    /// By an assertion that it signs (`private_key_jwt`, RFC 7523).
    Keys {
        /// A source of keys, as in a policy: `{ jwks_uri }` or `{ jwks }`.
        source: Value,
        /// Its algorithms.
        algorithms: Vec<String>,
    },
}

/// What a client may ask for at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum GrantType {
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 8628.
    DeviceCode,
    /// RFC 6749 §6: a node renews.
    RefreshToken,
    /// RFC 8693.
    TokenExchange,
}

impl GrantType {
    pub(crate) const ALL: [Self; 4] = [
        Self::ClientCredentials,
        Self::DeviceCode,
        Self::RefreshToken,
        Self::TokenExchange,
    ];

    /// As in `grant_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::RefreshToken => "refresh_token",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }
}

impl FromStr for GrantType {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|grant| {
            let last = grant.as_str().rsplit(':').next();
            grant.as_str() == name || last.is_some_and(|last| last.replace('-', "_") == name)
        });
        known.ok_or_else(|| {
            "expected one of `client_credentials`, `device_code`, `refresh_token`, `token_exchange`"
                .to_owned()
        })
    }
}

impl ClientConfig {
    pub(super) fn read(
        folder: &Folder<'_>,
        audiences: &[String],
        id: &str,
        place: Place<'_>,
    ) -> Option<Self> {
        if !is_client_id(id) {
            return place.invalid(format!(
                "a client id has 1 to {NAME_BYTES} of A-Z, a-z, 0-9, `-`, `.` and `_`, and does \
                 not begin with `{PERSON_PREFIX}` or `{NODE_PREFIX}`"
            ));
        }
        let mut object = place.object()?;
        let credentials = credentials(folder, &mut object);
        let grants: Option<Vec<GrantType>> = object.required("grants", |place| {
            let grants = place.list(|item| item.parsed())?;
            match place.is_empty() {
                true => place.invalid("it could ask for nothing"),
                false => Some(grants),
            }
        });
        let own_audiences = object.optional("audiences", |place| {
            let known = place.list(|item| match item.name()? {
                audience if audiences.iter().any(|known| known == audience) => {
                    Some(audience.to_owned())
                }
                _ => item.invalid("it is none of `audiences` in `tokens`"),
            })?;
            match place.is_empty() {
                true => place.invalid("its tokens would be for nobody"),
                false => Some(known),
            }
        });
        let scopes = object.optional("scopes", |place| place.list(|item| scope(&item)));
        let roles = object.optional("roles", |place| place.list(|item| short(&item)));
        let tenant = object.optional("tenant", |place| short(&place));
        if let (Some(ClientCredentials::Public), Some(grants)) = (&credentials, &grants)
            && grants.contains(&GrantType::ClientCredentials)
        {
            object.refuse("a client without credentials cannot have `client_credentials`");
        }
        object.end();
        Some(Self {
            credentials: credentials?,
            grants: grants?.into_iter().collect(),
            audiences: own_audiences.unwrap_or_else(|| audiences.to_vec()),
            scopes: scopes.unwrap_or_default(),
            roles: roles.unwrap_or_default(),
            tenant,
        })
    }
}

fn credentials(folder: &Folder<'_>, object: &mut Object<'_>) -> Option<ClientCredentials> {
    let public = object.optional("public", |place| match place.boolean()? {
        true => Some(ClientCredentials::Public),
        false => place.invalid("leave it out"),
    });
    let secrets = object.optional("secrets", |place| {
        let secrets = place.list(|item| folder.secret(item))?;
        match place.length() {
            1..=4 => Some(ClientCredentials::Secrets(secrets)),
            _ => place.invalid("expected 1 to 4 secrets"),
        }
    });
    let keys = object.optional("keys", |place| {
        let mut object = place.clone().object()?;
        let uri = object.optional("jwks_uri", |place| place.name());
        let set = object.optional("jwks", |place| place.json());
        let algorithms = object.required("algorithms", |place| {
            place.list(|item| item.name().map(str::to_owned))
        });
        if object.has("jwks_uri") == object.has("jwks") {
            object.refuse("expected one of `jwks_uri` and `jwks`");
        }
        object.end();
        let uri = uri.map(|uri| serde_json::json!({ "jwks_uri": uri }));
        let set = set.map(|set| serde_json::json!({ "jwks": set }));
        Some(ClientCredentials::Keys {
            source: uri.or(set)?,
            algorithms: algorithms?,
        })
    });
    let words = ["public", "secrets", "keys"];
    if words.iter().filter(|word| object.has(word)).count() != 1 {
        object.refuse("expected one of `secrets`, `keys` and `public: true`");
    }
    public.or(secrets).or(keys)
}

/// Only characters that form encoding leaves as they are: some clients encode them in
/// `Basic`, and some do not.
pub(crate) fn is_client_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    (1..=NAME_BYTES).contains(&text.len())
        && text.bytes().all(plain)
        && !text.starts_with(PERSON_PREFIX)
        && !text.starts_with(NODE_PREFIX)
}

/// Whether it is a scope: RFC 6749 §3.3.
pub(crate) fn is_scope(text: &str) -> bool {
    let usual = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    (1..=NAME_BYTES).contains(&text.len()) && text.bytes().all(usual)
}

fn scope(place: &Place<'_>) -> Option<String> {
    match place.text()? {
        text if is_scope(text) => Some(text.to_owned()),
        _ => place.invalid("expected one scope: visible ASCII without `\"` and `\\`"),
    }
}

fn short(place: &Place<'_>) -> Option<String> {
    match place.name()? {
        text if text.len() <= NAME_BYTES => Some(text.to_owned()),
        _ => place.invalid(format!("expected at most {NAME_BYTES} bytes")),
    }
}
