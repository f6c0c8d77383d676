//! The instances of one policy. A check takes a free one; one that dies is
//! thrown away and replaced, and one that is behind reads what was supplied
//! before it is free again.

mod place;
mod reader;

use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{runtime::Handle, sync::oneshot, task, time};

use crate::{
    instance::Instance,
    journal::Journal,
    module::Module,
    problem::{OpenError, Trap},
};

pub(crate) use place::Place;
pub(crate) use reader::Reader;

/// How long a call waits for an instance: all of them are busy or dead then.
const FREE_DEADLINE: Duration = Duration::from_secs(2);

/// Between two tries to replace an instance.
const REPLACE_PAUSE: Duration = Duration::from_secs(1);

pub(crate) struct Pool {
    module: Arc<Module>,
    policy: Arc<[u8]>,
    pub(crate) journal: Journal,
    /// Where instances are replaced and catch up, whoever gives them back, and
    /// wherever: a future may be dropped outside of any runtime.
    runtime: Handle,
    opened: AtomicU64,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// A stack: what the instance used last remembers is used first.
    free: Vec<Reader>,
    /// Who waits for any instance: first come, first served.
    queue: VecDeque<oneshot::Sender<Place>>,
    /// Who waits for this one, and goes before the others.
    wanted: Option<(u64, oneshot::Sender<Place>)>,
    /// Free or in use.
    alive: HashSet<u64>,
}

impl Pool {
    /// Opens `size` instances, one after the other: blocks for that long. The
    /// second half are the names of the headers that they read.
    pub(crate) fn open(
        module: Arc<Module>,
        policy: Arc<[u8]>,
        size: usize,
    ) -> Result<(Arc<Self>, Vec<String>), OpenError> {
        let pool = Arc::new(Self {
            module,
            policy,
            journal: Journal::default(),
            runtime: Handle::current(),
            opened: AtomicU64::new(0),
            idle: Mutex::default(),
        });
        let mut first = pool.reader()?;
        let reads = first.instance.reads()?;
        pool.give_back(first, false);
        for _ in 1..size {
            pool.give_back(pool.reader()?, false);
        }
        Ok((pool, reads))
    }

    /// Calls into a free instance that has read everything supplied so far: an
    /// error if none is free in time, which says nothing about the call.
    pub(crate) async fn call<T>(
        self: &Arc<Self>,
        f: impl FnOnce(&mut Reader) -> Result<T, Trap>,
    ) -> Result<T, Trap> {
        let mut place = match self.free() {
            Some(place) => place,
            None => time::timeout(FREE_DEADLINE, self.take())
                .await
                .map_err(|_| Trap::new("no instance is free"))?,
        };
        place.catch_up().await?;
        place.call(f)
    }

    /// An instance as soon as one is free.
    pub(crate) async fn take(self: &Arc<Self>) -> Place {
        loop {
            let waits = {
                let mut idle = self.idle();
                if let Some(reader) = idle.free.pop() {
                    drop(idle);
                    return self.place(reader);
                }
                let (place, waits) = oneshot::channel();
                // Those who gave up go before the queue would grow.
                if idle.queue.len() == idle.queue.capacity() {
                    idle.queue.retain(|waits| !waits.is_closed());
                }
                idle.queue.push_back(place);
                waits
            };
            if let Ok(place) = waits.await {
                return place;
            }
        }
    }

    /// This very instance, as soon as it is free; none if it died. One asks at
    /// a time.
    pub(crate) async fn take_again(self: &Arc<Self>, id: u64) -> Option<Place> {
        let waits = {
            let mut idle = self.idle();
            if let Some(at) = idle.free.iter().position(|reader| reader.id == id) {
                let reader = idle.free.remove(at);
                drop(idle);
                return Some(self.place(reader));
            }
            if !idle.alive.contains(&id) {
                return None;
            }
            let (place, waits) = oneshot::channel();
            idle.wanted = Some((id, place));
            waits
        };
        waits.await.ok()
    }

    /// Has those that are free read what was written, off every request's path.
    pub(crate) fn spread(self: &Arc<Self>) {
        let latest = self.journal.latest();
        let behind = {
            let mut idle = self.idle();
            idle.free
                .extract_if(.., |reader| reader.read != latest)
                .collect::<Vec<_>>()
        };
        for reader in behind {
            self.update(reader);
        }
    }

    fn update(self: &Arc<Self>, reader: Reader) {
        let mut place = self.place(reader);
        place.is_updating = true;
        self.runtime.spawn(async move {
            // A trap is logged where it happens.
            if place.catch_up().await.is_ok() {
                place.updated();
            }
        });
    }

    fn free(self: &Arc<Self>) -> Option<Place> {
        let reader = self.idle().free.pop()?;
        Some(self.place(reader))
    }

    /// Makes an instance free, or hands it to who waits for it.
    fn give_back(self: &Arc<Self>, reader: Reader, is_updating: bool) {
        let mut idle = self.idle();
        if let Some((_, waits)) = idle.wanted.take_if(|(id, _)| *id == reader.id) {
            drop(idle);
            // Who gave up drops the place, which comes back here.
            let _ = waits.send(self.place(reader));
            return;
        }
        if reader.read != self.journal.latest() && !is_updating {
            drop(idle);
            return self.update(reader);
        }
        while let Some(waits) = idle.queue.pop_front() {
            if !waits.is_closed() {
                drop(idle);
                let _ = waits.send(self.place(reader));
                return;
            }
        }
        idle.free.push(reader);
    }

    /// Makes a fresh instance in place of `dead`, as long as the pool is there
    /// to take it.
    fn replace(self: &Arc<Self>, dead: u64) {
        {
            let mut idle = self.idle();
            idle.alive.remove(&dead);
            idle.wanted.take_if(|(id, _)| *id == dead);
        }
        let pool = Arc::downgrade(self);
        self.runtime.spawn(async move {
            while let Some(pool) = Weak::upgrade(&pool) {
                let opening = pool.clone();
                let opened = task::spawn_blocking(move || opening.reader()).await;
                match opened {
                    Ok(Ok(reader)) => return pool.give_back(reader, false),
                    Ok(Err(error)) => tracing::error!(%error, "an instance could not be replaced"),
                    Err(_) => return,
                }
                drop(pool);
                time::sleep(REPLACE_PAUSE).await;
            }
        });
    }

    fn reader(&self) -> Result<Reader, OpenError> {
        let instance = Instance::open_in(&self.module, &self.policy)?;
        let id = self.opened.fetch_add(1, Ordering::Relaxed);
        self.idle().alive.insert(id);
        Ok(Reader::new(instance, id))
    }

    fn place(self: &Arc<Self>, reader: Reader) -> Place {
        Place::new(self.clone(), reader)
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
