//! One provider: the gate that verifies its ID tokens, and how it is asked.

use std::{collections::BTreeMap, fmt, sync::Arc};

use countersign_host::{Decision, Gate, Refresh, Requirement};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;

use super::{CALLBACK, Metadata, OpenError, Unfit, metadata::Missing};
use crate::{
    clock::Clock,
    config::IssuerUrl,
    egress::Egress,
    gates::{self, Fetching},
    refusal::{Code, Refusal},
};

/// How long what a provider says of itself is used before it is asked again.
const FRESH_MS: i64 = 600_000;

/// After a failure: those who wait for a provider that is gone do not each ask it.
const FAILED_MS: i64 = 5_000;

/// How old an ID token may be: it was made for this login.
const AGE_S: u32 = 600;

/// OpenID Connect Core §2: `sub` has at most 255 characters of ASCII.
const SUBJECT_BYTES: usize = 255;

/// A provider.
pub(crate) struct Provider {
    pub(crate) id: String,
    /// For pages.
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<String>,
    pub(crate) scopes: Vec<String>,
    /// The organisation that it signs in to; `None`: it is the platform's.
    pub(crate) tenant: Option<String>,
    asking: Asking,
    gate: Gate,
    any: Requirement,
    /// What the claims must be for a role; `None`: it says nothing about roles.
    roles: Option<Vec<(String, Requirement)>>,
    known: Mutex<Known>,
}

/// What a provider is made of.
pub(super) struct Opening {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) client_secret: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) algorithms: Vec<String>,
    pub(super) tenant: Option<String>,
    pub(super) roles: Option<BTreeMap<String, Value>>,
}

/// How a provider is asked.
#[derive(Clone)]
pub(super) struct Asking {
    /// By the bridge.
    pub(super) egress: Egress,
    /// By the gate.
    pub(super) fetching: Fetching,
    pub(super) is_development: bool,
    pub(super) clock: Arc<dyn Clock>,
}

/// What is known of what a provider says.
#[derive(Default)]
struct Known {
    metadata: Option<Arc<Metadata>>,
    /// It is not asked again before.
    until: i64,
}

/// Who has signed in, as a verified ID token says.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) sub: String,
    pub(crate) name: Option<String>,
    pub(crate) sid: Option<String>,
    pub(crate) auth_time_s: Option<i64>,
    /// The roles that its claims have; `None` where the provider says nothing about roles.
    pub(crate) roles: Option<Vec<String>>,
}

impl Provider {
    pub(super) async fn open(of: Opening, asking: Asking) -> Result<Self, OpenError> {
        let policy = policy(&of, asking.is_development);
        let mut gate = gates::builder(&policy, asking.clock.clone(), asking.fetching.clone());
        if of.tenant.is_some() {
            // There may be many, each of which is asked when somebody signs in, and by one
            // person at a time mostly.
            gate = gate.instances(1).refresh(Refresh::Inline);
        }
        let gate = gate.build().await.map_err(OpenError::Policy)?;
        let any = gate.prepare(b"{}").await.map_err(OpenError::Policy)?;
        let mut roles = of.roles.as_ref().map(|_| Vec::new());
        for (role, requirement) in of.roles.into_iter().flatten() {
            let prepared = gate.prepare(requirement.to_string().as_bytes()).await;
            let prepared = prepared.map_err(|error| OpenError::Role(role.clone(), error))?;
            roles.get_or_insert_default().push((role, prepared));
        }
        Ok(Self {
            id: of.id,
            name: of.name,
            issuer: of.issuer,
            client_id: of.client_id,
            client_secret: of.client_secret,
            scopes: of.scopes,
            tenant: of.tenant,
            asking,
            gate,
            any,
            roles,
            known: Mutex::default(),
        })
    }

    /// Where it sends a browser back: this is registered there.
    pub(crate) fn redirect_uri(id: &str, issuer: &IssuerUrl) -> String {
        issuer.at(&format!("{CALLBACK}/{id}"))
    }

    /// What asks it.
    pub(crate) fn egress(&self) -> &Egress {
        &self.asking.egress
    }

    /// Asks what it says of itself, now and with every check.
    ///
    /// # Errors
    /// It cannot be connected.
    pub(crate) async fn validate(&self) -> Result<(), Unfit> {
        let validated = async {
            let metadata = self.ask().await?;
            let egress = &self.asking.egress;
            let is_development = self.asking.is_development;
            metadata.require_reach(egress, is_development).await
        };
        validated.await.map_err(|missing| {
            let (provider, reason) = (&self.id, &missing);
            tracing::info!(provider, %reason, "a provider cannot be connected");
            match missing {
                Missing::NotThere(_) => Unfit::NotThere,
                Missing::Unusable(_) => Unfit::Unusable,
            }
        })
    }

    /// What it says of itself. While it does not answer, what it said before holds: login
    /// does not depend on this one document.
    ///
    /// # Errors
    /// It never answered, or says what cannot be used.
    pub(crate) async fn metadata(&self) -> Result<Arc<Metadata>, Refusal> {
        let mut known = self.known.lock().await;
        let now = self.asking.clock.now_ms();
        if known.until <= now {
            match self.ask().await {
                Ok(metadata) => {
                    known.metadata = Some(Arc::new(metadata));
                    known.until = now.saturating_add(FRESH_MS);
                }
                Err(reason) => {
                    let provider = &self.id;
                    tracing::warn!(provider, %reason, "a provider's metadata is not there");
                    known.until = now.saturating_add(FAILED_MS);
                }
            }
        }
        known.metadata.clone().ok_or(Refusal::unavailable())
    }

    async fn ask(&self) -> Result<Metadata, Missing> {
        let Asking {
            egress,
            is_development,
            ..
        } = &self.asking;
        Metadata::ask(egress, &self.issuer, *is_development).await
    }

    /// Verifies an ID token: by the gate, and that it was made for this attempt.
    ///
    /// # Errors
    /// It is not good, or the provider's keys are not there.
    pub(crate) async fn verify(&self, id_token: &str, nonce: &str) -> Result<Identity, Refusal> {
        let refused = Refusal::new(Code::AccessDenied, "what the provider says is not good");
        let decision = self.gate.check_token(id_token, &self.any).await;
        let principal = gates::principal(decision, refused)?;
        let claims: Value = serde_json::from_str(&principal.claims).map_err(|_| refused)?;
        let text = |name: &str| claims[name].as_str().map(str::to_owned);
        let told = text("nonce").ok_or(refused)?;
        if !bool::from(told.as_bytes().ct_eq(nonce.as_bytes())) {
            tracing::debug!("an ID token is of another attempt");
            return Err(refused);
        }
        let sub = text("sub").filter(|sub| (1..=SUBJECT_BYTES).contains(&sub.len()));
        let roles = self.roles_of(id_token, refused).await?;
        Ok(Identity {
            sub: sub.ok_or(refused)?,
            name: text("name").map(|name| name.chars().take(128).collect()),
            sid: text("sid"),
            auth_time_s: claims["auth_time"].as_i64(),
            roles,
        })
    }

    /// The roles whose requirements this good token meets.
    async fn roles_of(
        &self,
        id_token: &str,
        refused: Refusal,
    ) -> Result<Option<Vec<String>>, Refusal> {
        let Some(roles) = &self.roles else {
            return Ok(None);
        };
        let mut held = Vec::new();
        for (role, requirement) in roles {
            match self.gate.check_token(id_token, requirement).await {
                Decision::Allow(_) => held.push(role.clone()),
                Decision::Deny(denial) if denial.status < 500 => {}
                // Nobody loses a role because something does not answer.
                Decision::Deny(_) | Decision::Answer(_) => return Err(Refusal::unavailable()),
            }
        }
        // Where it is still good, it was for what it says that a role was denied.
        gates::principal(self.gate.check_token(id_token, &self.any).await, refused)?;
        Ok(Some(held))
    }
}

/// The policy by which an ID token of this provider is verified (OpenID Connect Core
/// §3.1.3.7).
fn policy(of: &Opening, is_development: bool) -> Value {
    let mut keys = json!({ "discovery": true });
    if is_development {
        keys["insecure_http"] = json!(true);
    }
    json!({
        "contract": "1",
        "issuers": [{
            "name": of.id,
            "issuer": of.issuer,
            "audiences": [of.client_id],
            "algorithms": of.algorithms,
            "keys": keys,
            "needed_at_start": false,
            "max_token_age_s": AGE_S,
            "require": {
                "azp": { "any_of": [{ "present": false }, { "equals": of.client_id }] },
            },
            "token_types": [{
                "name": "id",
                "claim": { "nonce": { "present": true } },
                "required_claims": ["sub", "iat", "nonce"],
            }],
        }],
        "rules": [],
    })
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}
