//! Opening a gate.

use std::sync::Arc;

use tokio::task;

use super::{Gate, GateBuilder};
use crate::{
    event::Mode,
    generation::Generation,
    problem::{OpenError, Trap},
    settings::Settings,
    source::Source,
};

impl GateBuilder {
    /// Opens the gate and begins to fetch its documents, without waiting for
    /// them ([`Self::wait_ready`] and [`Gate::warm`] do). Needs a tokio runtime.
    ///
    /// # Errors
    /// Every problem of the policy or the candidate, a subject key that is too short, or
    /// why the module does not run here.
    pub async fn build(self) -> Result<Gate, OpenError> {
        self.settings.hooks.require_good_key()?;
        let settings = Arc::new(self.settings);
        let source = self.source.map(Source::open).transpose()?;
        let mut found = None;
        if let Some(source) = &source {
            let now_ms = settings.clock.now_ms();
            let now_ms = now_ms.ok_or_else(|| Trap::new("the clock has no time"))?;
            found = source.look(now_ms).await?;
        }
        let policy = match &found {
            Some(found) => found.json()?,
            None => self.policy,
        };
        let generation = open(settings.clone(), policy.into(), Mode::Enforced).await?;
        if let (Some(source), Some(found)) = (&source, found) {
            source.keep(found.version()).await?;
            source.put_in_force(found);
        }
        let gate = Gate::new(settings, generation, source);
        gate.follow_source();
        if self.shadow.is_some() {
            gate.reload_shadow(self.shadow).await?;
        }
        tracing::info!(
            signatures = %gate.cryptography(),
            policy = %gate.generation().digest,
            "a gate is open"
        );
        if !self.wait_ready.is_zero() && !gate.until_ready(self.wait_ready).await {
            tracing::warn!("the gate is open and not ready");
        }
        Ok(gate)
    }
}

/// Opens a policy on a thread for blocking work, as it may take seconds.
pub(crate) async fn open(
    settings: Arc<Settings>,
    policy: Arc<[u8]>,
    mode: Mode,
) -> Result<Arc<Generation>, OpenError> {
    task::spawn_blocking(move || Generation::open(settings, policy, mode).map(Arc::new))
        .await
        .unwrap_or_else(|error| Err(OpenError::Module(error.to_string())))
}
