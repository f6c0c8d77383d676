//! The hooks of a gate, and what they may learn of a subject.

use std::{
    fmt,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use http::Extensions;

use crate::{
    event::{DecisionEvent, DocumentEvent},
    problem::{OpenError, Problem, Severity},
};

/// The smallest subject key: what is shorter can be guessed.
const KEY_BYTES: usize = 16;

type OnDecision = dyn Fn(&DecisionEvent, &Extensions) + Send + Sync;
type OnDocument = dyn Fn(&DocumentEvent) + Send + Sync;

/// All hooks of a gate. Without one no event is made.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    decision: Vec<Arc<Hook<OnDecision>>>,
    document: Vec<Arc<Hook<OnDocument>>>,
    /// `None`: no event identifies a subject.
    pub(crate) subject_key: Option<Vec<u8>>,
}

struct Hook<F: ?Sized> {
    has_panicked: AtomicBool,
    call: Box<F>,
}

impl Hooks {
    pub(crate) fn on_decision(&mut self, call: Box<OnDecision>) {
        self.decision.push(Hook::new(call));
    }

    pub(crate) fn on_document(&mut self, call: Box<OnDocument>) {
        self.document.push(Hook::new(call));
    }

    /// The subject key; empty without one.
    pub(crate) fn key(&self) -> &[u8] {
        self.subject_key.as_deref().unwrap_or_default()
    }

    pub(crate) fn require_good_key(&self) -> Result<(), OpenError> {
        match &self.subject_key {
            Some(key) if key.len() < KEY_BYTES => Err(OpenError::Policy(vec![Problem {
                pointer: String::new(),
                code: "subject_key_short".into(),
                message: format!("the subject key has less than {KEY_BYTES} bytes"),
                severity: Severity::Error,
            }])),
            _ => Ok(()),
        }
    }

    pub(crate) fn want_decisions(&self) -> bool {
        !self.decision.is_empty()
    }

    pub(crate) fn want_documents(&self) -> bool {
        !self.document.is_empty()
    }

    pub(crate) fn decided(&self, event: &DecisionEvent, extensions: &Extensions) {
        for hook in &self.decision {
            hook.run(|call| call(event, extensions));
        }
    }

    pub(crate) fn supplied(&self, event: &DocumentEvent) {
        for hook in &self.document {
            hook.run(|call| call(event));
        }
    }
}

impl<F: ?Sized> Hook<F> {
    fn new(call: Box<F>) -> Arc<Self> {
        Arc::new(Self {
            has_panicked: AtomicBool::new(false),
            call,
        })
    }

    /// A panic changes nothing, and is logged once: a hook with a fault would panic
    /// at every request.
    fn run(&self, run: impl FnOnce(&F)) {
        let ended = panic::catch_unwind(AssertUnwindSafe(|| run(&self.call)));
        if ended.is_err() && !self.has_panicked.swap(true, Ordering::Relaxed) {
            tracing::error!("a hook has panicked; this is logged once");
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("decision", &self.decision.len())
            .field("document", &self.document.len())
            .finish_non_exhaustive()
    }
}
