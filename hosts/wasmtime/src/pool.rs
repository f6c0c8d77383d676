//! The instances of one policy. A check takes a free one; one that dies is
//! thrown away and replaced, and one that is behind reads what was supplied
//! before it is free again.

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
    Fetch, Instance, OpenError, Outcome, Problem, Supplied, Trap, journal::Journal, module::Module,
    requirement::Numbers,
};

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

/// An instance that reads the journal.
pub(crate) struct Reader {
    pub(crate) instance: Instance,
    requirements: Numbers,
    /// Tells it from the others of its pool.
    id: u64,
    /// Number of the last entry that it has read to its end.
    pub(crate) read: u64,
    /// Number of the entry that it has read a part of.
    begun: u64,
    /// The calls that read it after the first.
    calls: usize,
}

/// An instance in use. Dropped, it is free again; without an instance, a fresh
/// one takes its place.
pub(crate) struct Place {
    pool: Arc<Pool>,
    /// The instance's, whether it lives or not.
    pub(crate) id: u64,
    /// Not there during a call, so that a panic leaves the place empty too.
    reader: Option<Reader>,
    /// It is here to catch up: where that is cut short, it is free as it is.
    is_updating: bool,
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
        Ok(Reader {
            instance,
            requirements: Numbers::default(),
            id,
            read: 0,
            begun: 0,
            calls: 0,
        })
    }

    fn place(self: &Arc<Self>, reader: Reader) -> Place {
        Place {
            pool: self.clone(),
            id: reader.id,
            reader: Some(reader),
            is_updating: false,
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
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

    fn updated(mut self) {
        self.is_updating = false;
    }
}

impl Reader {
    /// What this instance calls a requirement. The inner error has every
    /// problem of it.
    pub(crate) fn number(
        &mut self,
        requirement: &Arc<[u8]>,
    ) -> Result<Result<u32, Vec<Problem>>, Trap> {
        self.requirements.number(&mut self.instance, requirement)
    }

    /// Writes down what this instance, which has read everything, made of a
    /// document. Nobody else may write since then.
    pub(crate) fn write(
        &mut self,
        journal: &Journal,
        fetch: &Fetch,
        outcome: &Arc<Outcome>,
        at_ms: u64,
        supplied: &Supplied,
    ) {
        match supplied {
            Supplied::Accepted(_) => self.read = journal.accept(fetch, outcome, at_ms),
            Supplied::Refused(_) => self.read = journal.fail(fetch, at_ms),
            Supplied::Unfinished | Supplied::Outdated => {}
        }
    }

    /// Reads a bit of the next entry.
    fn read_on(&mut self, journal: &Journal) -> Result<(), Trap> {
        let latest = journal.latest();
        let Some(entry) = journal.after(self.read) else {
            // What was there was forgotten.
            self.read = latest;
            return Ok(());
        };
        let source = entry.fetch.source;
        let supplied = if self.begun == entry.number {
            self.calls += 1;
            let part = entry.outcome.part(self.calls);
            self.instance.resume(source, part, entry.at_ms)?
        } else {
            self.calls = 0;
            let uri = &entry.fetch.uri;
            self.instance
                .supply(source, uri, &entry.outcome, entry.at_ms)?
        };
        self.begun = entry.number;
        // Whatever else it says: another instance has judged it before it was
        // written down.
        if supplied != Supplied::Unfinished {
            self.read = entry.number;
        }
        Ok(())
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
