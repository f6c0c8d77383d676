//! The instances of one policy. A check takes a free one; one that dies is
//! thrown away and replaced.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::Duration,
};

use tokio::{sync::Semaphore, task, time};

use crate::{
    Instance, OpenError, Trap,
    journal::{Journal, Reader},
    module::Module,
};

/// How long a call waits for an instance: all of them are busy or dead then.
const FREE_DEADLINE: Duration = Duration::from_secs(2);

/// Between two tries to replace an instance.
const REPLACE_PAUSE: Duration = Duration::from_secs(1);

pub(crate) struct Pool {
    module: Arc<Module>,
    policy: Arc<[u8]>,
    pub(crate) journal: Journal,
    /// A stack: what the instance used last remembers is used first.
    free: Mutex<Vec<Reader>>,
    /// As many permits as there are free instances.
    permits: Semaphore,
}

impl Pool {
    /// Opens `size` instances, one after the other: blocks for that long. The
    /// second half are the names of the headers that they read.
    pub(crate) fn open(
        module: Arc<Module>,
        policy: Arc<[u8]>,
        size: usize,
    ) -> Result<(Self, Vec<String>), OpenError> {
        let pool = Self {
            module,
            policy,
            journal: Journal::default(),
            free: Mutex::default(),
            permits: Semaphore::new(0),
        };
        let mut first = pool.instance()?;
        let reads = first.instance.reads()?;
        pool.add(first);
        for _ in 1..size {
            pool.add(pool.instance()?);
        }
        Ok((pool, reads))
    }

    /// Calls into a free instance that has read everything supplied so far.
    pub(crate) async fn call<T>(
        self: &Arc<Self>,
        f: impl FnOnce(&mut Reader) -> Result<T, Trap>,
    ) -> Result<T, Trap> {
        let (mut reader, place) = self.take().await?;
        let answer = reader.catch_up(&self.journal).and_then(|()| f(&mut reader));
        match &answer {
            Ok(_) => place.give_back(reader),
            Err(trap) => tracing::error!(%trap, "an instance is replaced"),
        }
        answer
    }

    async fn take(self: &Arc<Self>) -> Result<(Reader, Place<'_>), Trap> {
        let permit = match self.permits.try_acquire() {
            Ok(permit) => Some(permit),
            Err(_) => time::timeout(FREE_DEADLINE, self.permits.acquire())
                .await
                .ok()
                .and_then(Result::ok),
        };
        let permit = permit.ok_or_else(|| Trap::new("no instance is free"))?;
        permit.forget();
        let place = Place {
            pool: self,
            empty: true,
        };
        let reader = self.free().pop();
        Ok((
            reader.ok_or_else(|| Trap::new("no instance is left"))?,
            place,
        ))
    }

    fn add(&self, reader: Reader) {
        self.free().push(reader);
        self.permits.add_permits(1);
    }

    fn instance(&self) -> Result<Reader, OpenError> {
        Instance::open_in(&self.module, &self.policy).map(Reader::new)
    }

    fn free(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of an instance in use. Unless that comes back, whatever happened
/// to it, a fresh one takes the place.
struct Place<'p> {
    pool: &'p Arc<Pool>,
    empty: bool,
}

impl Place<'_> {
    fn give_back(mut self, reader: Reader) {
        self.pool.add(reader);
        self.empty = false;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.empty {
            let pool = Arc::downgrade(self.pool);
            task::spawn_blocking(move || replace(&pool));
        }
    }
}

/// Makes one fresh instance, as long as the pool is there to take it.
fn replace(pool: &Weak<Pool>) {
    while let Some(pool) = pool.upgrade() {
        let fresh = pool.instance().and_then(|mut reader| {
            reader.catch_up(&pool.journal)?;
            Ok(reader)
        });
        match fresh {
            Ok(reader) => return pool.add(reader),
            Err(error) => tracing::error!(%error, "an instance could not be replaced"),
        }
        drop(pool);
        thread::sleep(REPLACE_PAUSE);
    }
}
