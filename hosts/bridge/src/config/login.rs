//! Who may sign in, by whom, and what members of an organisation may do.

use std::collections::BTreeMap;

use countersign_policy_source::{Object, Place};
use countersign_server::{Folder, Secret};
use url::Url;

use super::{
    IssuerUrl, Organisations,
    clients::{NAME_BYTES, is_scope},
};

/// Login, sessions and members.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Login {
    /// The platform's own OpenID providers, by the name in addresses of the bridge.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// Organisations that connect their own; absent: none does.
    pub organisations: Option<Organisations>,
    /// How long a session lives that nobody uses.
    pub idle_s: u32,
    /// How long a session lives at all.
    pub absolute_s: u32,
    /// Attempts to sign in within a minute, of one address.
    pub attempts: u32,
    /// Scopes that members with a role may have.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Who says who is a member; absent: the bridge's own table.
    pub tenancy: Option<Tenancy>,
}

/// An OpenID provider.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProviderConfig {
    /// For pages.
    pub name: String,
    /// Its `issuer`, byte by byte.
    pub issuer: String,
    /// The bridge's id there.
    pub client_id: String,
    /// The bridge's secret there.
    pub client_secret: Option<Secret>,
    /// Scopes beside `openid`.
    pub scopes: Vec<String>,
    /// Algorithms of its ID tokens.
    pub algorithms: Vec<String>,
}

/// The service that knows who is a member of which organisation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tenancy {
    /// Where it is asked.
    pub uri: String,
    /// A bearer token for it.
    pub token: Option<Secret>,
    /// How long its answer is used.
    pub cache_s: u32,
}

impl Default for Login {
    fn default() -> Self {
        Self {
            providers: BTreeMap::new(),
            organisations: None,
            idle_s: 3600,
            absolute_s: 43_200,
            attempts: 30,
            roles: BTreeMap::new(),
            tenancy: None,
        }
    }
}

impl Login {
    pub(super) fn read(
        folder: &Folder<'_>,
        issuer: Option<&IssuerUrl>,
        place: Place<'_>,
    ) -> Option<Self> {
        let is_development = issuer.is_some_and(IssuerUrl::is_http);
        let defaults = Self::default();
        let mut object = place.object()?;
        let providers = object.optional("providers", |place| {
            place.map(|id, place| ProviderConfig::read(folder, is_development, id, place))
        });
        let organisations = object.optional("organisations", Organisations::read);
        let mut number = |name, range, default| {
            let read = object.optional(name, |place| place.integer(range));
            read.and_then(|number| u32::try_from(number).ok())
                .unwrap_or(default)
        };
        let idle_s = number("idle_s", 60..=2_592_000, defaults.idle_s);
        let absolute_s = number("absolute_s", 60..=2_592_000, defaults.absolute_s);
        let attempts = number("attempts", 1..=100_000, defaults.attempts);
        let roles = object.optional("roles", |place| {
            place.map(|_, place| place.list(|item| scope(&item)))
        });
        let tenancy = object.optional("tenancy", |place| {
            Tenancy::read(folder, is_development, place)
        });
        if idle_s > absolute_s {
            object.refuse("`idle_s` is at most `absolute_s`");
        }
        object.end();
        Some(Self {
            providers: providers.map(BTreeMap::from_iter).unwrap_or_default(),
            organisations,
            idle_s,
            absolute_s,
            attempts,
            roles: roles.map(BTreeMap::from_iter).unwrap_or_default(),
            tenancy,
        })
    }
}

impl ProviderConfig {
    fn read(folder: &Folder<'_>, is_development: bool, id: &str, place: Place<'_>) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=64).contains(&id.len()) || !id.bytes().all(plain) {
            return place.invalid("a provider's name has 1 to 64 of a-z, 0-9 and `-`");
        }
        let mut object = place.object()?;
        let name = object.optional("name", |place| place.name().map(str::to_owned));
        let issuer = object.required("issuer", |place| address(&place, is_development));
        let client_id = object.required("client_id", |place| place.name().map(str::to_owned));
        let client_secret = object.optional("client_secret", |place| folder.secret(place));
        let scopes = object.optional("scopes", |place| place.list(|item| scope(&item)));
        let algorithms = object.optional("algorithms", |place| {
            let algorithms = place.list(|item| match item.name()? {
                // A provider's secret would verify what anybody signs who has it.
                name if name.starts_with("HS") => item.invalid("expected an algorithm with keys"),
                name => Some(name.to_owned()),
            })?;
            match place.is_empty() {
                true => place.invalid("no ID token would be good"),
                false => Some(algorithms),
            }
        });
        object.end();
        Some(Self {
            name: name.unwrap_or_else(|| id.to_owned()),
            issuer: issuer?,
            client_id: client_id?,
            client_secret,
            scopes: scopes.unwrap_or_else(|| vec!["profile".to_owned()]),
            algorithms: algorithms.unwrap_or_else(|| vec!["RS256".to_owned()]),
        })
    }
}

impl Tenancy {
    fn read(folder: &Folder<'_>, is_development: bool, place: Place<'_>) -> Option<Self> {
        let mut object: Object<'_> = place.object()?;
        let uri = object.required("uri", |place| address(&place, is_development));
        let token = object.optional("token", |place| folder.secret(place));
        let cache_s = object.optional("cache_s", |place| place.integer(0..=300));
        object.end();
        Some(Self {
            uri: uri?,
            token,
            cache_s: cache_s
                .and_then(|number| number.try_into().ok())
                .unwrap_or(15),
        })
    }
}

/// An address that the bridge asks.
fn address(place: &Place<'_>, is_development: bool) -> Option<String> {
    let text = place.name()?;
    match Url::parse(text).is_ok_and(|url| is_askable(&url, is_development)) {
        true => Some(text.to_owned()),
        false => place.invalid("expected an `https` address without a password, `?` and `#`"),
    }
}

/// Whether it may be asked at all. In development, by plain `http` too: then the client
/// allows that for this machine itself.
pub(crate) fn is_askable(url: &Url, is_development: bool) -> bool {
    let is_scheme = url.scheme() == "https" || is_development && url.scheme() == "http";
    is_scheme
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

fn scope(place: &Place<'_>) -> Option<String> {
    match place.text()? {
        text if is_scope(text) => Some(text.to_owned()),
        _ => place.invalid(format!(
            "expected one scope: at most {NAME_BYTES} of visible ASCII without `\"` and `\\`"
        )),
    }
}
