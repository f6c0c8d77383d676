//! Clients of the token endpoint, and how each proves who it is.

mod assertions;
mod presented;

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    sync::Arc,
    time::Instant,
};

use aws_lc_rs::digest;
use countersign_server::Throttle;
use http::HeaderMap;
use serde::Deserialize;
use subtle::{Choice, ConstantTimeEq};

use crate::{
    clock::Clock,
    config::{ClientConfig, ClientCredentials, Config, ConfigError, GrantType, Secret},
    form::Form,
    gates::Fetching,
    refusal::{Code, Refusal},
    store::{ClientRow, Store},
};

use assertions::Assertions;
use presented::Presented;

/// A secret is random: that nobody guesses it is a matter of its length alone.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 16..=256;

/// SHA-256 of a secret. Nobody keeps the secret itself.
type Hash = [u8; 32];

/// All clients.
#[derive(Debug)]
pub(crate) struct Clients {
    by_id: HashMap<String, Arc<Client>>,
    store: Store,
    assertions: Option<Assertions>,
    throttle: Throttle,
}

/// A client that has shown who it is.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) grants: BTreeSet<GrantType>,
    /// For whom its tokens may be.
    pub(crate) audiences: Vec<String>,
    /// The most that its tokens may be allowed.
    pub(crate) scopes: Vec<String>,
    /// Roles and tenant of its own tokens.
    pub(crate) roles: Vec<String>,
    pub(crate) tenant: Option<String>,
    means: Means,
}

/// By what it shows who it is.
#[derive(Clone, Debug)]
enum Means {
    Nothing,
    Secrets(Vec<Hash>),
    Assertion,
}

impl Clients {
    /// Reads the secrets, and opens the gate that verifies assertions.
    ///
    /// # Errors
    /// Every problem, without any part of a secret.
    pub(crate) async fn open(
        config: &Config,
        store: Store,
        clock: Arc<dyn Clock>,
        fetcher: Fetching,
    ) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut by_id = HashMap::new();
        for (id, settings) in &config.clients {
            match Client::open(id, settings) {
                Ok(client) => drop(by_id.insert(id.clone(), Arc::new(client))),
                Err(ConfigError(found)) => problems.extend(found),
            }
        }
        let assertions = Assertions::open(config, store.clone(), clock, fetcher).await;
        match assertions {
            Ok(assertions) if problems.is_empty() => Ok(Self {
                by_id,
                store,
                assertions,
                throttle: Throttle::new(),
            }),
            Ok(_) => Err(ConfigError(problems)),
            Err(ConfigError(found)) => {
                problems.extend(found);
                Err(ConfigError(problems))
            }
        }
    }

    /// The client that asks, if it shows what it must, and by one means alone.
    ///
    /// # Errors
    /// One refusal for every reason; and the database or a client's keys are not there.
    pub(crate) async fn authenticate(
        &self,
        headers: &HeaderMap,
        form: &Form,
        peer: Option<IpAddr>,
    ) -> Result<Arc<Client>, Refusal> {
        match Presented::of(headers, form)? {
            Presented::Nothing(id) => {
                let client = self.find(&id).await?.ok_or(Refusal::client())?;
                match client.means {
                    Means::Nothing => Ok(client),
                    Means::Secrets(_) | Means::Assertion => Err(Refusal::client()),
                }
            }
            Presented::Secret(id, secret) => {
                let now = Instant::now();
                if self.throttle.admit(peer, &id, now).is_err() {
                    return Err(Refusal::client());
                }
                let hash = hashed(secret.as_bytes());
                let client = self.find(&id).await?;
                let is_it = match client.as_ref().map(|client| &client.means) {
                    Some(Means::Secrets(known)) => has(known, &hash),
                    // It takes as long where the id is unknown.
                    _ => has(&[[0; 32]], &hash) && false,
                };
                match client.filter(|_| is_it) {
                    Some(client) => Ok(client),
                    None => {
                        self.throttle.wrong(peer, &id, now);
                        Err(Refusal::client())
                    }
                }
            }
            Presented::Assertion(id, assertion) => {
                let assertions = self.assertions.as_ref().ok_or(Refusal::client())?;
                let signer = assertions.verify(&assertion).await?;
                // RFC 7521 §4.2: a `client_id` beside the assertion names the same client.
                if id.is_some_and(|id| id != signer) {
                    return Err(Refusal::client());
                }
                self.by_id.get(&signer).cloned().ok_or(Refusal::client())
            }
        }
    }

    /// A client of the configuration, or else of the database.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Arc<Client>>, Refusal> {
        if let Some(client) = self.by_id.get(id) {
            return Ok(Some(client.clone()));
        }
        if !crate::config::is_client_id(id) {
            return Ok(None);
        }
        let row = self.store.client(id).await?;
        row.map(|row| Client::of_row(&row).map(Arc::new))
            .transpose()
    }
}

impl Client {
    fn open(id: &str, config: &ClientConfig) -> Result<Self, ConfigError> {
        let means = match &config.credentials {
            ClientCredentials::Public => Means::Nothing,
            ClientCredentials::Keys { .. } => Means::Assertion,
            ClientCredentials::Secrets(secrets) => {
                let hashes: Result<_, _> = secrets.iter().map(read_secret).collect();
                Means::Secrets(hashes?)
            }
        };
        Ok(Self {
            id: id.to_owned(),
            grants: config.grants.clone(),
            audiences: config.audiences.clone(),
            scopes: config.scopes.clone(),
            roles: config.roles.clone(),
            tenant: config.tenant.clone(),
            means,
        })
    }

    fn of_row(row: &ClientRow) -> Result<Self, Refusal> {
        let damaged = || {
            tracing::error!(client = row.id, "a client in the database is damaged");
            Refusal::unavailable()
        };
        let settings: Settings = serde_json::from_str(&row.settings).map_err(|_| damaged())?;
        let means = match &row.secret_hash {
            None => Means::Nothing,
            Some(text) => {
                let mut hash = [0; 32];
                hex::decode_to_slice(text, &mut hash).map_err(|_| damaged())?;
                Means::Secrets(vec![hash])
            }
        };
        let grants = settings.grants.iter().map(|grant| grant.parse());
        let grants: Result<BTreeSet<_>, String> = grants.collect();
        Ok(Self {
            id: row.id.clone(),
            grants: grants.map_err(|_| damaged())?,
            audiences: settings.audiences,
            scopes: settings.scopes,
            roles: settings.roles,
            tenant: settings.tenant,
            means,
        })
    }

    /// Whether it may ask for this at all.
    pub(crate) fn require(&self, grant: GrantType) -> Result<(), Refusal> {
        match self.grants.contains(&grant) {
            true => Ok(()),
            false => {
                let description = "this client may not use this grant type";
                Err(Refusal::new(Code::UnauthorizedClient, description))
            }
        }
    }

    /// Whether nobody can show that it is this client.
    pub(crate) fn is_public(&self) -> bool {
        matches!(self.means, Means::Nothing)
    }

    /// The scopes that it asks for (RFC 6749 §3.3), or all that it may have.
    ///
    /// # Errors
    /// One that it may not have, or what is no scope.
    pub(crate) fn scopes(&self, asked: Option<&str>) -> Result<Vec<String>, Refusal> {
        let Some(asked) = asked else {
            return Ok(self.scopes.clone());
        };
        let mut scopes: Vec<String> = Vec::new();
        for scope in asked.split(' ').filter(|scope| !scope.is_empty()) {
            if !self.scopes.iter().any(|known| known == scope) {
                let description = "a scope is asked for that this client may not have";
                return Err(Refusal::new(Code::InvalidScope, description));
            }
            if !scopes.iter().any(|known| known == scope) {
                scopes.push(scope.to_owned());
            }
        }
        Ok(scopes)
    }

    /// For whom the token is to be.
    ///
    /// # Errors
    /// As [`audience`].
    pub(crate) fn audience<'a>(&'a self, form: &'a Form) -> Result<&'a str, Refusal> {
        audience(&self.audiences, form)
    }
}

/// For whom a token is to be, of those that are possible: `audience` (RFC 8693) or `resource`
/// (RFC 8707) of the form, or the only one that there is.
///
/// # Errors
/// None or several, or one that is not possible.
pub(crate) fn audience<'a>(possible: &'a [String], form: &Form) -> Result<&'a str, Refusal> {
    let target = |description| Refusal::new(Code::InvalidTarget, description);
    let mut asked = form.all("audience").chain(form.all("resource"));
    match (asked.next(), asked.next(), possible) {
        (Some(audience), None, possible) => {
            let known = possible.iter().find(|known| *known == audience);
            known
                .map(String::as_str)
                .ok_or(target("this client has no tokens for this audience"))
        }
        (None, None, [only]) => Ok(only),
        (None, None, _) => Err(target("say one `audience`")),
        (_, Some(_), _) => Err(target("a token is for one audience")),
    }
}

/// What the database has of a client.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    grants: Vec<String>,
    audiences: Vec<String>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    roles: Vec<String>,
    tenant: Option<String>,
}

/// Compares with each, in constant time.
fn has(known: &[Hash], presented: &Hash) -> bool {
    let equal = known.iter().map(|known| known.ct_eq(presented));
    equal.fold(Choice::from(0), |any, equal| any | equal).into()
}

fn hashed(secret: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, secret).as_ref());
    hash
}

fn read_secret(source: &Secret) -> Result<Hash, ConfigError> {
    let secret = source.read()?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    if SECRET_BYTES.contains(&secret.len()) && secret.iter().all(plain) {
        return Ok(hashed(&secret));
    }
    let name = match source {
        Secret::File(path) => path.display().to_string(),
        Secret::Env(variable) => format!("the variable {variable}"),
    };
    let message = "a secret of a client has 16 to 256 of A-Z, a-z, 0-9, `-`, `.` and `_`: \
                   `openssl rand -hex 32` makes one";
    Err(ConfigError::of_file(name, "secret_invalid", message))
}
