//! Answers the questions of one gate about signatures.

use std::{
    collections::HashMap,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
};

use super::{Prepared, Provider};
use crate::{bindings::exports::countersign::gate::gate as wit, problem::Trap};

/// The largest number of prepared keys. A key set has fewer, and a full table
/// starts again.
const KEYS: usize = 1024;

/// The host's cryptography with the prepared keys of one gate.
pub(crate) struct Native {
    pub(crate) provider: Arc<dyn Provider>,
    /// By their numbers, which are never used again.
    keys: HashMap<u32, Box<dyn Prepared>>,
}

impl Native {
    pub(crate) fn new(provider: Arc<dyn Provider>) -> Self {
        Self {
            provider,
            keys: HashMap::new(),
        }
    }

    /// Verifies a signature. `key` asks the gate for a key that is not prepared.
    ///
    /// # Errors
    /// Those of `key`.
    pub(crate) fn verify(
        &mut self,
        asked: &wit::Signature,
        key: impl FnOnce() -> Result<Option<wit::HostKey>, Trap>,
    ) -> Result<wit::Verification, Trap> {
        if !self.keys.contains_key(&asked.key) {
            let Some(key) = key()? else {
                return Ok(wit::Verification::Failed);
            };
            let provider = &self.provider;
            let prepared = unless_it_panics(|| provider.prepare(&asked.algorithm, &key)).flatten();
            let Some(prepared) = prepared else {
                tracing::error!(algorithm = asked.algorithm, "a key is refused");
                return Ok(wit::Verification::Failed);
            };
            if self.keys.len() >= KEYS {
                self.keys.clear();
            }
            self.keys.insert(asked.key, prepared);
        }
        let key = self.keys.get(&asked.key);
        let found =
            key.and_then(|key| unless_it_panics(|| key.verify(&asked.signed, &asked.signature)));
        Ok(found.unwrap_or(wit::Verification::Failed))
    }
}

/// A panic of the cryptography is a failure of it, and not of the service.
fn unless_it_panics<T>(call: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(call)).ok()
}
