//! The gate of a service: checks, documents, reload.

mod builder;

use std::{
    fmt,
    future::Future,
    sync::{Arc, PoisonError, RwLock},
};

use tokio::sync::Mutex;

use crate::{
    background::InForce,
    decision::{Decision, Denial},
    document::DocumentStatus,
    generation::Generation,
    problem::{OpenError, Trap},
    random,
    report::Step,
    request::Head,
    requirement::{InUse, Requirement},
    settings::Settings,
};

pub use builder::GateBuilder;

/// Decides requests by a policy, in instances of the sealed module, and
/// fetches the documents that it needs. Cheap to clone; all clones are one
/// gate. Needs a tokio runtime.
#[derive(Clone)]
pub struct Gate {
    shared: Arc<Shared>,
}

struct Shared {
    /// Distinguishes this gate's requirements from another's.
    id: u64,
    settings: Arc<Settings>,
    in_force: RwLock<InForce>,
    /// Held during a reload, so that of several reloads the last one is in force.
    reloading: Mutex<()>,
    /// Those in use are held while one is added, and while a policy is put in
    /// force: never while anything is fetched.
    requirements: Mutex<InUse>,
}

impl Gate {
    /// A builder with the default settings.
    pub fn builder() -> GateBuilder {
        GateBuilder::default()
    }

    pub(crate) fn new(settings: Arc<Settings>, generation: Arc<Generation>) -> Self {
        Self {
            shared: Arc::new(Shared {
                id: random::u64(),
                settings,
                in_force: RwLock::new(InForce::new(generation)),
                reloading: Mutex::default(),
                requirements: Mutex::default(),
            }),
        }
    }

    /// Decides whether this request may pass. Waits, within bounds, for documents
    /// that the decision needs. Never reads the body.
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

    pub(crate) async fn check_head(&self, head: Head<'_>) -> Decision {
        let generation = self.generation();
        let headers = head.headers(&generation.reads);
        let request = head.request(&headers);
        generation
            .decide(|reader, now_ms| reader.instance.check(request, now_ms))
            .await
    }

    /// Decides whether this token is valid and meets the requirement: the same as
    /// [`Self::check`] without HTTP, for tokens from another protocol.
    pub async fn check_token(
        &self,
        token: impl AsRef<[u8]>,
        requirement: &Requirement,
    ) -> Decision {
        let token = token.as_ref();
        if !requirement.is_of(self.shared.id) {
            return Decision::Deny(Denial::internal_error());
        }
        self.generation()
            .decide(|reader, now_ms| {
                let number = match requirement.text() {
                    None => Ok(0),
                    Some(text) => reader.number(text)?,
                };
                match number {
                    Ok(number) => reader.instance.check_token(token, number, now_ms),
                    Err(_) => Ok(Decision::Deny(Denial::internal_error()).into()),
                }
            })
            .await
    }

    /// Parses a requirement (JSON, as `require` of a rule) for
    /// [`Self::check_token`]. It stays valid after a reload.
    ///
    /// # Errors
    /// Every problem of the requirement.
    pub async fn prepare(&self, requirement: &[u8]) -> Result<Requirement, OpenError> {
        let text = Arc::from(requirement);
        let mut in_use = self.shared.requirements.lock().await;
        self.generation().prepare(&text).await?;
        in_use.add(&text);
        Ok(Requirement::new(self.shared.id, text))
    }

    /// Every check in order, with its details: for people, and only for those
    /// who may see claims. Fetches nothing.
    ///
    /// # Errors
    /// The instance trapped.
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
            let headers = head.headers(&generation.reads);
            let request = head.request(&headers);
            let now_ms = generation.now_ms()?;
            generation
                .pool
                .call(|reader| reader.instance.explain(request, now_ms))
                .await
        }
    }

    /// The state of every document, for readiness probes and metrics.
    ///
    /// # Errors
    /// The instance trapped.
    pub async fn status(&self) -> Result<Vec<DocumentStatus>, Trap> {
        self.generation().status().await
    }

    /// Fetches every document that is due and waits until it is supplied, or
    /// as long as a check would. The result is [`Self::status`].
    ///
    /// # Errors
    /// The instance trapped.
    pub async fn warm(&self) -> Result<Vec<DocumentStatus>, Trap> {
        let generation = self.generation();
        generation.warm(None).await?;
        generation.status().await
    }

    /// Puts another policy in force; of several reloads the last one wins. The old
    /// policy stays until the new one is open and its documents are fetched, or for
    /// as long as a check would wait for them. Documents from the same URLs are
    /// taken over.
    ///
    /// # Errors
    /// Every problem of the policy, or of a prepared requirement under it. The old
    /// policy then stays in force.
    pub async fn reload(&self, policy: impl Into<Vec<u8>>) -> Result<(), OpenError> {
        let _turn = self.shared.reloading.lock().await;
        let policy: Vec<u8> = policy.into();
        let generation = builder::open(self.shared.settings.clone(), policy.into()).await?;
        let in_use = self.shared.requirements.lock().await.all();
        prepare_all(&generation, in_use).await?;
        let old = self.generation();
        generation.warm(Some(&old)).await?;

        let in_use = self.shared.requirements.lock().await;
        // Again, as others may have come meanwhile.
        prepare_all(&generation, in_use.all()).await?;
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

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

async fn prepare_all(
    generation: &Arc<Generation>,
    requirements: Vec<Arc<[u8]>>,
) -> Result<(), OpenError> {
    for text in requirements {
        generation.prepare(&text).await?;
    }
    Ok(())
}
