//! An instance in use.

use std::sync::Arc;

use tokio::task;

use super::{Pool, Reader};
use crate::problem::Trap;

/// An instance in use. Dropped, it is free again; without an instance, a fresh
/// one takes its place.
pub(crate) struct Place {
    pool: Arc<Pool>,
    /// The instance's, whether it lives or not.
    pub(crate) id: u64,
    /// Not there during a call, so that a panic leaves the place empty too.
    reader: Option<Reader>,
    /// It is here to catch up: where that is cut short, it is free as it is.
    pub(super) is_updating: bool,
}

impl Place {
    pub(super) fn new(pool: Arc<Pool>, reader: Reader) -> Self {
        Self {
            pool,
            id: reader.id,
            reader: Some(reader),
            is_updating: false,
        }
    }

    /// Calls into the instance, which is thrown away if it dies of it.
    pub(crate) fn call<T>(
        &mut self,
        f: impl FnOnce(&mut Reader) -> Result<T, Trap>,
    ) -> Result<T, Trap> {
        let Some(mut reader) = self.reader.take() else {
            return Err(Trap::new("it was there before"));
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

    /// Reads what was written since it last looked, and lets others run after
    /// every bit of it.
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

impl Drop for Place {
    fn drop(&mut self) {
        match self.reader.take() {
            Some(reader) => self.pool.give_back(reader, self.is_updating),
            None => self.pool.replace(self.id),
        }
    }
}
