//! Whose tokens may become tokens of the platform, by which client, and for whom.

use std::collections::BTreeMap;

use countersign_policy_source::{Object, Place};
use serde_json::{Value, json};

use super::{
    IssuerUrl,
    clients::{ClientConfig, ClientCredentials, GrantType},
};

/// Issuers, and people that one assertion of an app may name.
const LIST: usize = 64;

/// `typ` of the bridge's own tokens of nodes. No issuer may have tokens of these.
const OF_NODES: [&str; 2] = ["njt+jwt", "nat+jwt"];

/// Pairs: a client, and the audiences for which it may exchange a token.
pub(crate) type Pairs = BTreeMap<String, Vec<String>>;

/// Token exchange (RFC 8693). Without it there is none.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Exchange {
    /// Issuers whose tokens are taken, by the names that the operator gives them.
    pub issuers: BTreeMap<String, TrustedIssuer>,
    /// The bridge's own tokens, which a service exchanges for another service.
    pub own: Option<OwnTokens>,
    /// Apps that sign people in themselves, by client id.
    pub apps: BTreeMap<String, AppAssertions>,
}

/// An issuer whose tokens are taken.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TrustedIssuer {
    /// `iss`, byte by byte.
    pub issuer: String,
    /// `aud` has one of these.
    pub audiences: Vec<String>,
    /// Its algorithms.
    pub algorithms: Vec<String>,
    /// A source of keys, as in a policy.
    pub keys: Value,
    /// `typ` of its tokens.
    pub header_typ: Vec<String>,
    /// Where subject, tenant, roles and scopes are, as in a policy.
    pub claims: Option<Value>,
    /// Roles for its groups, as in a policy.
    pub role_map: Option<Value>,
    /// Conditions on each token, as in a policy.
    pub require: Option<Value>,
    /// Whether the people are members here, with the roles that they have here. Otherwise
    /// its tokens say tenant and roles.
    pub has_members: bool,
    /// Which client may exchange its tokens, for whom.
    pub clients: BTreeMap<String, Vec<String>>,
}

/// The bridge's own tokens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OwnTokens {
    /// `aud` of the tokens that are taken.
    pub audiences: Vec<String>,
    /// Which client may exchange them, for whom.
    pub clients: BTreeMap<String, Vec<String>>,
}

/// The assertions of an app.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AppAssertions {
    /// The login providers whose people it may name.
    pub people_of: Vec<String>,
    /// For whom the tokens may be.
    pub audiences: Vec<String>,
}

impl Exchange {
    pub(super) fn read(
        issuer: Option<&IssuerUrl>,
        audiences: &[String],
        clients: &BTreeMap<String, ClientConfig>,
        place: Place<'_>,
    ) -> Option<Self> {
        let mut object = place.object()?;
        let issuers = object.optional("issuers", |place| {
            if many(&place) {
                return place.invalid(format!("expected at most {LIST} issuers"));
            }
            place.map(|name, place| TrustedIssuer::read(issuer, clients, name, place))
        });
        let own = object.optional("own", |place| {
            let mut object = place.object()?;
            let known = object.required("audiences", |place| subset(&place, audiences));
            let clients = object.required("clients", |place| pairs(&place, clients));
            object.end();
            Some(OwnTokens {
                audiences: known?,
                clients: clients?,
            })
        });
        let apps = object.optional("apps", |place| {
            if many(&place) {
                return place.invalid(format!("expected at most {LIST} apps"));
            }
            place.map(|id, place| AppAssertions::read(clients, id, place))
        });
        object.end();
        Some(Self {
            issuers: issuers.unwrap_or_default(),
            own,
            apps: apps.unwrap_or_default(),
        })
    }
}

impl TrustedIssuer {
    fn read(
        own: Option<&IssuerUrl>,
        clients: &BTreeMap<String, ClientConfig>,
        name: &str,
        place: Place<'_>,
    ) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
            return place.invalid("an issuer's name has 1 to 64 of a-z, 0-9 and `-`");
        }
        let mut object = place.object()?;
        let issuer = object.required("issuer", |place| match place.name()? {
            text if own.is_some_and(|own| own.as_str() == text) => {
                place.invalid("the bridge's own tokens are those of `own`")
            }
            text => Some(text.to_owned()),
        });
        let audiences = object.required("audiences", |place| texts(&place));
        let algorithms = object.required("algorithms", algorithms);
        let keys = object.required("keys", |place| keys(&place, own));
        let header_typ = object.optional("header_typ", |place| {
            let types = place.list(|item| {
                let text = item.name()?;
                let short = text.to_ascii_lowercase();
                match short.strip_prefix("application/").unwrap_or(&short) {
                    short if OF_NODES.contains(&short) => {
                        item.invalid("a node's token never becomes a platform access token")
                    }
                    _ => Some(text.to_owned()),
                }
            })?;
            match place.is_empty() {
                true => place.invalid("no token would be good"),
                false => Some(types),
            }
        });
        let claims = object.optional("claims", |place| place.json());
        let role_map = object.optional("role_map", |place| place.json());
        let require = object.optional("require", |place| place.json());
        let members = object.optional("members", |place| place.boolean());
        let clients = object.required("clients", |place| pairs(&place, clients));
        let has = |claim: &str| claims.as_ref().is_some_and(|all| all.get(claim).is_some());
        let has_members = members.unwrap_or(false);
        if !has_members && !has("tenant") && !has("tenants") {
            object.refuse("say where its tokens have the tenant, in `claims`, or `members: true`");
        }
        if has_members && (has("roles") || role_map.is_some()) {
            object.refuse("with `members` roles are those that the people have here");
        }
        object.end();
        Some(Self {
            issuer: issuer?,
            audiences: audiences?,
            algorithms: algorithms?,
            keys: keys?,
            // RFC 9068 §2.1: no ID token has it.
            header_typ: header_typ.unwrap_or_else(|| vec!["at+jwt".to_owned()]),
            claims,
            role_map,
            require,
            has_members,
            clients: clients?,
        })
    }

    /// Whether its tokens say what they are allowed.
    pub(crate) fn has_scopes(&self) -> bool {
        let claims = self.claims.as_ref();
        claims.is_some_and(|claims| claims.get("scopes").is_some())
    }
}

impl AppAssertions {
    fn read(clients: &BTreeMap<String, ClientConfig>, id: &str, place: Place<'_>) -> Option<Self> {
        let client = exchanging(&place, clients, id)?;
        if !matches!(client.credentials, ClientCredentials::Keys { .. }) {
            return place.invalid("this client has no `keys` to sign with");
        }
        let mut object = place.object()?;
        let people_of = object.required("people_of", |place| texts(&place));
        let audiences = object.required("audiences", |place| subset(&place, &client.audiences));
        object.end();
        Some(Self {
            people_of: people_of?,
            audiences: audiences?,
        })
    }
}

/// A client that may exchange tokens at all. One that nobody can prove to be may not: a
/// stolen token would be enough (RFC 8693 §5).
fn exchanging<'c>(
    place: &Place<'_>,
    clients: &'c BTreeMap<String, ClientConfig>,
    id: &str,
) -> Option<&'c ClientConfig> {
    match clients.get(id) {
        None => place.invalid("it is none of `clients`"),
        Some(client) if matches!(client.credentials, ClientCredentials::Public) => {
            place.invalid("a client without credentials cannot exchange tokens")
        }
        Some(client) if !client.grants.contains(&GrantType::TokenExchange) => {
            place.invalid("this client has no `token_exchange` in its `grants`")
        }
        Some(client) => Some(client),
    }
}

fn pairs(place: &Place<'_>, clients: &BTreeMap<String, ClientConfig>) -> Option<Pairs> {
    if place.is_empty() {
        return place.invalid("nobody could exchange them");
    }
    place.map(|id, place| {
        let client = exchanging(&place, clients, id)?;
        subset(&place, &client.audiences)
    })
}

fn subset(place: &Place<'_>, known: &[String]) -> Option<Vec<String>> {
    let audiences = place.list(|item| match item.name()? {
        audience if known.iter().any(|known| known == audience) => Some(audience.to_owned()),
        _ => item.invalid("it is none of the audiences that are possible here"),
    })?;
    match place.is_empty() {
        true => place.invalid("the tokens would be for nobody"),
        false => Some(audiences),
    }
}

fn texts(place: &Place<'_>) -> Option<Vec<String>> {
    let texts = place.list(|item| item.name().map(str::to_owned))?;
    match place.length() {
        1..=LIST => Some(texts),
        _ => place.invalid(format!("expected 1 to {LIST} texts")),
    }
}

fn algorithms(place: Place<'_>) -> Option<Vec<String>> {
    let algorithms = place.list(|item| match item.name()? {
        // Whoever verifies with a shared secret can sign with it.
        name if name.starts_with("HS") => item.invalid("expected an algorithm with keys"),
        name => Some(name.to_owned()),
    })?;
    match place.is_empty() {
        true => place.invalid("no token would be good"),
        false => Some(algorithms),
    }
}

/// One source of keys, each with no word but its own.
fn keys(place: &Place<'_>, own: Option<&IssuerUrl>) -> Option<Value> {
    let mut object: Object<'_> = place.clone().object()?;
    let uri = object.optional("jwks_uri", |place| place.name());
    let discovery = object.optional("discovery", |place| match place.boolean()? {
        true => Some(true),
        false => place.invalid("leave it out"),
    });
    let set = object.optional("jwks", |place| place.json());
    let words = ["jwks_uri", "discovery", "jwks"];
    if words.iter().filter(|word| object.has(word)).count() != 1 {
        object.refuse("expected one of `jwks_uri`, `discovery: true` and `jwks`");
    }
    object.end();
    let mut keys = match (uri, discovery, set) {
        (Some(uri), None, None) => json!({ "jwks_uri": uri }),
        (None, Some(_), None) => json!({ "discovery": true }),
        (None, None, Some(set)) => return Some(json!({ "jwks": set })),
        _ => return None,
    };
    if own.is_some_and(IssuerUrl::is_http) {
        keys["insecure_http"] = json!(true);
    }
    Some(keys)
}

/// Whether an object has more members than there is place for.
fn many(place: &Place<'_>) -> bool {
    let all = place.json();
    all.is_some_and(|all| all.as_object().is_some_and(|all| all.len() > LIST))
}
