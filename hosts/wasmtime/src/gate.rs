//! The gate of a service: checks, documents, reload.

use std::{
    future::Future,
    sync::{Arc, PoisonError, RwLock},
};

use tokio::sync::Mutex;

use crate::{
    Decision, Denial, DocumentStatus, GateBuilder, OpenError, Step, Trap,
    background::InForce,
    builder::{self, Settings},
    generation::Generation,
    random,
    request::{Head, Request},
};

/// Decides requests by a policy, in instances of the sealed module, and
/// fetches the documents that this takes. Cheap to clone; all clones are one
/// gate. Needs a tokio runtime.
#[derive(Clone)]
pub struct Gate {
    shared: Arc<Shared>,
}

struct Shared {
    /// Tells this gate's requirements from another's.
    id: u64,
    settings: Arc<Settings>,
    in_force: RwLock<InForce>,
    /// Held by whoever changes what is in force, or adds to it.
    changing: Mutex<()>,
}

/// What a token must have for [`Gate::check_token`]: see [`Gate::prepare`].
/// Another gate's requirement admits nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    gate: u64,
    place: Option<usize>,
}

impl Requirement {
    /// Nothing more than a good token of one of the policy's issuers.
    pub const NONE: Self = Self {
        gate: 0,
        place: None,
    };
}

impl Gate {
    /// Starts to set up a gate.
    pub fn builder() -> GateBuilder {
        GateBuilder::default()
    }

    pub(crate) fn new(settings: Arc<Settings>, generation: Arc<Generation>) -> Self {
        let in_force = RwLock::new(InForce::new(generation));
        let changing = Mutex::default();
        Self {
            shared: Arc::new(Shared {
                id: random::u64(),
                settings,
                in_force,
                changing,
            }),
        }
    }

    /// May this request pass? Waits, within bounds, for documents that the
    /// answer takes. Never reads the body.
    pub fn check<B>(&self, request: &http::Request<B>) -> impl Future<Output = Decision> + Send {
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        self.check_head(Head {
            method,
            uri,
            headers,
        })
    }

    /// [`Self::check`] for a request whose body is elsewhere.
    pub fn check_parts(
        &self,
        parts: &http::request::Parts,
    ) -> impl Future<Output = Decision> + Send {
        let http::request::Parts {
            method,
            uri,
            headers,
            ..
        } = parts;
        self.check_head(Head {
            method,
            uri,
            headers,
        })
    }

    async fn check_head(&self, head: Head<'_>) -> Decision {
        let generation = self.generation();
        let (authority, headers) = (head.authority(), head.headers(&generation.reads));
        let request = head.request(&authority, &headers);
        generation
            .decide(|reader, now_ms| reader.instance.check(request, now_ms))
            .await
    }

    /// Is this token good, and good enough? The same as [`Self::check`]
    /// without HTTP, for tokens that come another way.
    pub async fn check_token(&self, token: impl AsRef<[u8]>, requirement: Requirement) -> Decision {
        let token = token.as_ref();
        let foreign = requirement.place.is_some() && requirement.gate != self.shared.id;
        self.generation()
            .decide(|reader, now_ms| {
                let number = match requirement.place {
                    None => Some(0),
                    Some(place) if !foreign => reader.requirements.get(place).copied(),
                    Some(_) => None,
                };
                match number {
                    Some(number) => reader.instance.check_token(token, number, now_ms),
                    None => Ok(Decision::Deny(Denial::internal_error()).into()),
                }
            })
            .await
    }

    /// Parses a requirement (JSON: what a rule of the policy calls `require`)
    /// for [`Self::check_token`]. It outlives a reload.
    ///
    /// # Errors
    /// Every problem of the requirement.
    pub async fn prepare(&self, requirement: &[u8]) -> Result<Requirement, OpenError> {
        let _turn = self.shared.changing.lock().await;
        let place = self.generation().prepare(requirement).await?;
        Ok(Requirement {
            gate: self.shared.id,
            place: Some(place),
        })
    }

    /// Every check in order, with what it saw: for people, and only for those
    /// who may see claims. Fetches nothing.
    ///
    /// # Errors
    /// The instance that was asked died.
    pub fn explain<B>(
        &self,
        request: &http::Request<B>,
    ) -> impl Future<Output = Result<Vec<Step>, Trap>> + Send {
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        let head = Head {
            method,
            uri,
            headers,
        };
        async move {
            let generation = self.generation();
            let (authority, headers) = (head.authority(), head.headers(&generation.reads));
            let request: Request<'_> = head.request(&authority, &headers);
            let now_ms = generation.now_ms();
            generation
                .pool
                .call(|reader| reader.instance.explain(request, now_ms))
                .await
        }
    }

    /// The state of every document, for readiness probes and metrics.
    ///
    /// # Errors
    /// The instance that was asked died.
    pub async fn status(&self) -> Result<Vec<DocumentStatus>, Trap> {
        self.generation().status().await
    }

    /// Fetches every document that is due and waits until it is supplied, or
    /// as long as a check would. The result is [`Self::status`].
    ///
    /// # Errors
    /// The instance that was asked died.
    pub async fn warm(&self) -> Result<Vec<DocumentStatus>, Trap> {
        let generation = self.generation();
        generation.warm(None).await?;
        generation.status().await
    }

    /// Puts another policy in force. The old one stays until the new one is
    /// open and its documents were fetched, or could not be for as long as a
    /// check would wait; documents from the same addresses are taken over.
    ///
    /// # Errors
    /// Every problem of the policy, or of a prepared requirement under it:
    /// nothing has changed then.
    pub async fn reload(&self, policy: impl Into<Vec<u8>>) -> Result<(), OpenError> {
        let _turn = self.shared.changing.lock().await;
        let policy: Vec<u8> = policy.into();
        let generation = builder::open(self.shared.settings.clone(), policy.into()).await?;
        let old = self.generation();
        generation.prepare_as(&old).await?;
        generation.warm(Some(&old)).await?;
        let mut in_force = self
            .shared
            .in_force
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *in_force = InForce::new(generation);
        Ok(())
    }

    pub(crate) fn generation(&self) -> Arc<Generation> {
        let in_force = self
            .shared
            .in_force
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        in_force.generation.clone()
    }
}
