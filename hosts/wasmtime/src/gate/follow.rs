//! Signed policies that follow each other: looked for in the background, and put in
//! force as a reload does.

use std::sync::{Arc, Weak};

use tokio::time;

use super::{Gate, Shared};
use crate::{
    event::Mode,
    problem::OpenError,
    random,
    source::{Source, SourceStatus},
};

impl Gate {
    /// Looks at once for a policy of [`GateBuilder::policy_from`](crate::GateBuilder::policy_from),
    /// which happens in the background too, and puts it in force. The result is whether
    /// it is another one; `false` too where the gate has no such source.
    ///
    /// # Errors
    /// Why there is no good policy: the old one stays in force.
    pub async fn look_for_policy(&self) -> Result<bool, OpenError> {
        let Some(source) = &self.shared.source else {
            return Ok(false);
        };
        // One at a time, so that no older policy overtakes a newer one.
        let _turn = self.shared.looking.lock().await;
        let looked = async {
            let now_ms = self.generation().now_ms()?;
            let Some(found) = source.look(now_ms).await? else {
                return Ok(false);
            };
            let keep = source.keep(found.version());
            self.reload_after(found.json()?, keep).await?;
            source.put_in_force(found);
            Ok(true)
        };
        looked.await.inspect_err(|error| source.failed(error))
    }

    /// What the gate has had from its [`PolicySource`](crate::PolicySource): as in
    /// [`Gate::status`], at once.
    pub fn policy_source(&self) -> Option<SourceStatus> {
        self.shared.source.as_ref().map(Source::status)
    }

    /// Begins to look in the background.
    pub(super) fn follow_source(&self) {
        if let Some(source) = &self.shared.source {
            tokio::spawn(follow(Arc::downgrade(&self.shared), source.poll()));
        }
    }
}

/// Ends with the gate.
async fn follow(gate: Weak<Shared>, poll: time::Duration) {
    loop {
        time::sleep(poll + random::up_to(poll / 10)).await;
        let Some(shared) = gate.upgrade() else {
            return;
        };
        let mode = Mode::Enforced;
        // An error is told where it happens.
        let _ = Gate { shared, mode }.look_for_policy().await;
    }
}
