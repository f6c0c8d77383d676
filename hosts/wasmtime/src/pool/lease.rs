//! An instance in use.

use std::sync::Arc;

use tokio::task;

use super::{Pool, Reader};
use crate::problem::Trap;

/// An instance in use. On drop it is free again; if it has trapped, a new instance
/// replaces it.
pub(crate) struct Lease {
    pool: Arc<Pool>,
    /// The number of the instance, also after it has trapped.
    pub(crate) id: u64,
    /// `None` during a call, so that a panic has the effect of a trap.
    reader: Option<Reader>,
    /// It is in use only to read the journal: if that is interrupted, it becomes
    /// free as it is.
    pub(super) is_updating: bool,
}

impl Lease {
    pub(super) fn new(pool: Arc<Pool>, reader: Reader) -> Self {
        Self {
            pool,
            id: reader.id,
            reader: Some(reader),
            is_updating: false,
        }
    }

    /// Calls the instance, which is discarded if it traps.
    pub(crate) fn call<T>(
        &mut self,
        f: impl FnOnce(&mut Reader) -> Result<T, Trap>,
    ) -> Result<T, Trap> {
        let Some(mut reader) = self.reader.take() else {
            return Err(Trap::new("the instance has trapped before"));
        };
        match f(&mut reader) {
            Ok(answer) => {
                self.reader = Some(reader);
                Ok(answer)
            }
            Err(trap) => {
                tracing::error!(%trap, "an instance is replaced");
                Err(trap)
            }
        }
    }

    /// Reads the new entries of the journal, and yields to other tasks after every
    /// call.
    pub(crate) async fn catch_up(&mut self) -> Result<(), Trap> {
        while self.call(|reader| Ok(reader.read))? != self.pool.journal.latest() {
            let pool = self.pool.clone();
            self.call(|reader| reader.read_on(&pool.journal))?;
            task::yield_now().await;
        }
        Ok(())
    }

    pub(super) fn updated(mut self) {
        self.is_updating = false;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        match self.reader.take() {
            Some(reader) => self.pool.give_back(reader, self.is_updating),
            None => self.pool.replace(self.id),
        }
    }
}
