//! Who is a member of which organisation, with which roles: from the bridge's own table, or
//! from the service that knows. Where that does not answer, nobody guesses.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderValue, Request, header};
use lru::LruCache;
use serde::Deserialize;
use tokio::sync::Semaphore;
use url::Url;

use crate::{
    clock::Clock,
    config::{Config, ConfigError, Secret, Tenancy},
    egress::{Bounds, Egress, Reach},
    refusal::Refusal,
    revocation::Revocations,
    store::Store,
};

/// Answers that are kept.
const ANSWERS: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not 0");

/// Questions at a time.
const QUESTIONS: usize = 64;

/// One question.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(3),
    bytes: 16 << 10,
};

/// Roles of one member, and the length of each.
const ROLES: usize = 64;
const ROLE_BYTES: usize = 128;

/// All members.
#[derive(Debug)]
pub(crate) struct Members {
    store: Store,
    revocations: Arc<Revocations>,
    clock: Arc<dyn Clock>,
    /// Scopes of roles.
    scopes: BTreeMap<String, Vec<String>>,
    service: Option<Service>,
}

/// What somebody is in an organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// Roles there.
    pub roles: Vec<String>,
    /// The most that these roles are allowed.
    pub scopes: Vec<String>,
}

/// The service that knows.
#[derive(Debug)]
pub(crate) struct Service {
    uri: Url,
    authorization: Option<HeaderValue>,
    cache_ms: i64,
    egress: Egress,
    places: Semaphore,
    answers: Mutex<LruCache<(String, String), Answer>>,
}

#[derive(Clone, Debug)]
struct Answer {
    until: i64,
    roles: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Told {
    roles: Vec<String>,
}

impl Members {
    /// All that are members of something.
    pub(crate) fn new(
        config: &Config,
        service: Option<Service>,
        store: Store,
        revocations: Arc<Revocations>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            store,
            revocations,
            clock,
            scopes: config.login.roles.clone(),
            service,
        }
    }

    /// What this person is in this organisation; `None`: no member. Then what was issued to
    /// the person for it is revoked.
    ///
    /// # Errors
    /// Nobody can say it now.
    pub(crate) async fn of(
        &self,
        person: &str,
        tenant: &str,
    ) -> Result<Option<Membership>, Refusal> {
        let roles = match &self.service {
            None => self.store.roles(tenant, person).await?,
            Some(service) => self.ask(service, person, tenant).await?,
        };
        let Some(roles) = roles else {
            self.lost(person, tenant).await?;
            return Ok(None);
        };
        let scopes = self.scopes_of(&roles);
        Ok(Some(Membership { roles, scopes }))
    }

    /// The most that these roles are allowed.
    pub(crate) fn scopes_of(&self, roles: &[String]) -> Vec<String> {
        let mut scopes: Vec<String> = Vec::new();
        for role in roles {
            for scope in self.scopes.get(role).into_iter().flatten() {
                if !scopes.contains(scope) {
                    scopes.push(scope.clone());
                }
            }
        }
        scopes
    }

    /// Whether somebody else knows who is a member: then no provider says it.
    pub(crate) fn are_elsewhere(&self) -> bool {
        self.service.is_some()
    }

    /// A provider of the organisation has said which roles a person has there, from now on;
    /// with none of them it is no member.
    pub(crate) async fn told(
        &self,
        person: &str,
        tenant: &str,
        roles: &[String],
    ) -> Result<(), Refusal> {
        if roles.is_empty() {
            self.store.remove_member(tenant, person).await?;
            return self.lost(person, tenant).await;
        }
        let now = self.clock.now_ms();
        Ok(self.store.put_member(tenant, person, roles, now).await?)
    }

    /// Revokes what a person has for an organisation.
    pub(crate) async fn lost(&self, person: &str, tenant: &str) -> Result<(), Refusal> {
        self.revocations.revoke_member(person, tenant).await
    }

    async fn ask(
        &self,
        service: &Service,
        person: &str,
        tenant: &str,
    ) -> Result<Option<Vec<String>>, Refusal> {
        let now = self.clock.now_ms();
        let key = (person.to_owned(), tenant.to_owned());
        if let Some(answer) = service.answers().get(&key)
            && now < answer.until
        {
            return Ok(answer.roles.clone());
        }
        let (iss, sub) = self
            .store
            .person(person)
            .await?
            .ok_or(Refusal::unavailable())?;
        let roles = service.ask(&iss, &sub, tenant).await.map_err(|reason| {
            tracing::error!(reason, "the tenancy service did not answer");
            Refusal::unavailable()
        })?;
        let answer = Answer {
            until: now + service.cache_ms,
            roles: roles.clone(),
        };
        service.answers().put(key, answer);
        Ok(roles)
    }
}

impl Service {
    /// Reads the secret of the service, where there is one.
    ///
    /// # Errors
    /// It is not there, or cannot be sent.
    pub(crate) fn read(config: &Config) -> Result<Option<Self>, ConfigError> {
        let is_development = config.issuer.is_http();
        let service = config.login.tenancy.as_ref();
        let service = service.map(|tenancy| Self::open(tenancy, is_development));
        service.transpose()
    }

    fn open(config: &Tenancy, is_development: bool) -> Result<Self, ConfigError> {
        let unusable = |name: &str, message| ConfigError::of_file(name, "value_invalid", message);
        let authorization = config.token.as_ref().map(|token| {
            let name = match token {
                Secret::File(path) => path.display().to_string(),
                Secret::Env(variable) => format!("the variable {variable}"),
            };
            let value = [b"Bearer ".as_slice(), &token.read()?].concat();
            let value = HeaderValue::from_bytes(&value);
            let mut value = value.map_err(|_| unusable(&name, "it cannot be in a header"))?;
            value.set_sensitive(true);
            Ok(value)
        });
        let uri = Url::parse(&config.uri);
        Ok(Self {
            uri: uri.map_err(|_| unusable("the tenancy service", "its address is none"))?,
            authorization: authorization.transpose()?,
            cache_ms: i64::from(config.cache_s) * 1000,
            egress: Egress::open(Reach::CONFIGURED.and_this_machine(is_development))?,
            places: Semaphore::new(QUESTIONS),
            answers: Mutex::new(LruCache::new(ANSWERS)),
        })
    }

    async fn ask(
        &self,
        issuer: &str,
        subject: &str,
        tenant: &str,
    ) -> Result<Option<Vec<String>>, String> {
        let _place = self
            .places
            .try_acquire()
            .map_err(|_| "too many questions at a time")?;
        let mut uri = self.uri.clone();
        uri.query_pairs_mut()
            .append_pair("tenant", tenant)
            .append_pair("issuer", issuer)
            .append_pair("subject", subject);
        let mut request = Request::get(uri.as_str()).header(header::ACCEPT, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request
            .body(Vec::new())
            .map_err(|_| "the question is unusable")?;
        let response = self.egress.send(request, BOUNDS).await;
        let response = response.map_err(|error| error.to_string())?;
        match response.status().as_u16() {
            404 => Ok(None),
            200 => {
                let told: Told = serde_json::from_slice(response.body())
                    .map_err(|_| "its answer is no list of roles")?;
                let is_role = |role: &String| (1..=ROLE_BYTES).contains(&role.len());
                match told.roles.len() <= ROLES && told.roles.iter().all(is_role) {
                    true => Ok(Some(told.roles)),
                    false => Err("its answer has too many roles, or one that is too long".into()),
                }
            }
            status => Err(format!("it answered with the status {status}")),
        }
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, LruCache<(String, String), Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
