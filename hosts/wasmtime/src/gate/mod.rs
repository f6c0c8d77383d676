//! The gate of a service: checks, documents, reload.

mod builder;
mod check;
mod follow;
mod open;
mod shadow;
mod status;

use std::{
    fmt,
    future::Future,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{
    sync::Mutex,
    time::{self, Instant},
};

use crate::{
    background::InForce,
    event::Mode,
    generation::Generation,
    module::SHA256,
    problem::{OpenError, Trap},
    random,
    requirement::InUse,
    settings::Settings,
    signatures::Cryptography,
    source::Source,
};

pub use builder::GateBuilder;
use shadow::Shadow;
pub use shadow::{ShadowCount, ShadowStatus};
pub use status::Status;

/// The pause between two looks whether a gate is ready.
const READY_PAUSE: Duration = Duration::from_millis(50);

/// Decides requests by a policy, in instances of the sealed module, and
/// fetches the documents that it needs. Cheap to clone; all clones are one
/// gate. Needs a tokio runtime.
#[derive(Clone)]
pub struct Gate {
    shared: Arc<Shared>,
    /// What its events say.
    mode: Mode,
}

struct Shared {
    /// Distinguishes this gate's requirements from another's.
    id: u64,
    settings: Arc<Settings>,
    in_force: RwLock<InForce>,
    shadow: RwLock<Option<Arc<Shadow>>>,
    /// Where its policies come from.
    source: Option<Source>,
    /// Held during a reload, so that of several reloads the last one is in force.
    reloading: Mutex<()>,
    /// Held while a signed policy is looked for and put in force.
    looking: Mutex<()>,
    /// Those in use are held while one is added, and while a policy is put in
    /// force: never while anything is fetched.
    requirements: Mutex<InUse>,
}

impl Gate {
    /// A builder with the default settings.
    pub fn builder() -> GateBuilder {
        GateBuilder::default()
    }

    pub(crate) fn new(
        settings: Arc<Settings>,
        generation: Arc<Generation>,
        source: Option<Source>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                id: random::u64(),
                settings,
                in_force: RwLock::new(InForce::new(generation)),
                shadow: RwLock::default(),
                source,
                reloading: Mutex::default(),
                looking: Mutex::default(),
                requirements: Mutex::default(),
            }),
            mode: Mode::Enforced,
        }
    }

    /// The same gate for a middleware that enforces its decisions, which is the default.
    #[cfg(feature = "tower")]
    pub(crate) fn enforcer(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            mode: Mode::Enforced,
        }
    }

    /// The same gate for a middleware that only watches: events of its decisions say
    /// [`Mode::Observed`], and they use up no proof. It decides as ever, and enforces
    /// nothing only if its caller lets every request pass.
    #[must_use]
    pub fn observer(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            mode: Mode::Observed,
        }
    }

    /// What verifies signatures, for status pages. It is in the log too, when the
    /// gate opens.
    pub fn cryptography(&self) -> Cryptography {
        Cryptography::of(self.shared.settings.provider.as_ref())
    }

    /// Whether every document was accepted once that decisions cannot do without, and
    /// that the policy does not allow to be missing at the start. It stays true until
    /// another policy is in force.
    pub fn ready(&self) -> bool {
        self.generation().is_ready()
    }

    /// Waits until the gate is ready, and no longer than `within`. The result is
    /// [`Self::ready`].
    pub async fn until_ready(&self, within: Duration) -> bool {
        let until = Instant::now() + within;
        while !self.ready() {
            // A trap is logged where it happens.
            let warmed = time::timeout_at(until, self.generation().warm(None)).await;
            if warmed.is_err() || Instant::now() >= until {
                break;
            }
            time::sleep(READY_PAUSE).await;
        }
        self.ready()
    }

    /// The state of the gate, for status pages and metrics.
    ///
    /// # Errors
    /// The instance trapped.
    pub async fn status(&self) -> Result<Status, Trap> {
        let generation = self.generation();
        Ok(Status {
            policy_digest: generation.digest.to_string(),
            module_digest: SHA256,
            ready: generation.is_ready(),
            documents: generation.status().await?,
            source: self.shared.source.as_ref().map(Source::status),
            shadow: match self.shadow() {
                Some(shadow) => Some(shadow.status().await?),
                None => None,
            },
        })
    }

    /// Fetches every document that is due and waits until it is supplied, or
    /// as long as a check would. The result is [`Self::status`].
    ///
    /// # Errors
    /// The instance trapped.
    pub async fn warm(&self) -> Result<Status, Trap> {
        self.generation().warm(None).await?;
        self.status().await
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
        self.reload_after(policy.into(), async { Ok(()) }).await
    }

    /// `last` is done when nothing of the new policy can fail any more; its error
    /// keeps the old one.
    pub(crate) async fn reload_after(
        &self,
        policy: Vec<u8>,
        last: impl Future<Output = Result<(), OpenError>> + Send,
    ) -> Result<(), OpenError> {
        let _turn = self.shared.reloading.lock().await;
        let settings = self.shared.settings.clone();
        let generation = open::open(settings, policy.into(), Mode::Enforced).await?;
        let in_use = self.shared.requirements.lock().await.all();
        prepare_all(&generation, in_use).await?;
        let old = self.generation();
        generation.warm(Some(&old)).await?;

        let in_use = self.shared.requirements.lock().await;
        // Again, as others may have come meanwhile.
        prepare_all(&generation, in_use.all()).await?;
        last.await?;
        let place = self.shared.in_force.write();
        *place.unwrap_or_else(PoisonError::into_inner) = InForce::new(generation);
        if let Some(shadow) = self.shadow() {
            shadow.count_anew();
        }
        Ok(())
    }

    /// Puts another candidate beside the policy in force, or none
    /// ([`GateBuilder::shadow`]). Its counts begin anew, as they do with
    /// [`Self::reload`].
    ///
    /// # Errors
    /// Every problem of the candidate. The old one then stays.
    pub async fn reload_shadow(&self, candidate: Option<Vec<u8>>) -> Result<(), OpenError> {
        let _turn = self.shared.reloading.lock().await;
        let shadow = match candidate {
            Some(policy) => Some(Arc::new(Shadow::open(&self.shared.settings, policy).await?)),
            None => None,
        };
        let place = self.shared.shadow.write();
        *place.unwrap_or_else(PoisonError::into_inner) = shadow;
        Ok(())
    }

    fn shadow(&self) -> Option<Arc<Shadow>> {
        let shadow = self.shared.shadow.read();
        shadow.unwrap_or_else(PoisonError::into_inner).clone()
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
