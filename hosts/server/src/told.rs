//! What the gate tells of one decision beside the decision itself.

use std::sync::{Arc, Mutex, PoisonError};

use countersign_host::{DecisionEvent, Mode};
use http::Extensions;

/// A place for the event of one decision, in the extensions of its request: the hook of
/// the gate fills it before the decision is returned.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Option<DecisionEvent>>>);

impl Told {
    /// The hook (`GateBuilder::on_decision`).
    pub(crate) fn hear(event: &DecisionEvent, extensions: &Extensions) {
        // A candidate's event is another decision.
        if event.mode != Mode::Shadow
            && let Some(Self(place)) = extensions.get()
        {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(event.clone());
        }
    }

    /// The event, if the hook was called.
    pub(crate) fn take(&self) -> Option<DecisionEvent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
