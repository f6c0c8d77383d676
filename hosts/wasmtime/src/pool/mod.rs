//! The instances of one policy. A check takes a free one. One that traps is
//! replaced; one that has not read the whole journal does so before it is free
//! again.

mod lease;
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
    instance::{Instance, policy_digest_in},
    journal::Journal,
    module::Module,
    problem::{OpenError, Trap},
    secrets::Secrets,
    signatures::Provider,
};

pub(crate) use lease::Lease;
pub(crate) use reader::Reader;

/// How long a call waits for an instance when none is free.
const FREE_DEADLINE: Duration = Duration::from_secs(2);

/// The pause between two tries to replace an instance.
const REPLACE_PAUSE: Duration = Duration::from_secs(1);

pub(crate) struct Pool {
    module: Arc<Module>,
    policy: Arc<[u8]>,
    /// Verifies signatures, if the module does not.
    provider: Option<Arc<dyn Provider>>,
    secrets: Secrets,
    pub(crate) journal: Journal,
    /// The runtime on which instances are replaced and read the journal: a future
    /// may be dropped outside of any runtime.
    runtime: Handle,
    opened: AtomicU64,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// A stack: the instance used last is used first, as it remembers recent tokens.
    free: Vec<Reader>,
    /// Tasks that wait for any instance, in order.
    queue: VecDeque<oneshot::Sender<Lease>>,
    /// Tasks that wait for one instance, by its number. They have precedence.
    wanted: Vec<(u64, oneshot::Sender<Lease>)>,
    /// The instances that are free or in use.
    alive: HashSet<u64>,
}

/// A pool that was opened, and what one instance says for all.
pub(crate) struct Opened {
    pub(crate) pool: Arc<Pool>,
    /// The names of the headers that decisions read.
    pub(crate) reads: Vec<String>,
    /// The digest of the policy.
    pub(crate) digest: String,
    /// Whether it needs no document to be ready.
    pub(crate) is_ready: bool,
}

impl Pool {
    /// Opens `size` instances one after the other, and blocks meanwhile.
    pub(crate) fn open(
        module: Arc<Module>,
        policy: Arc<[u8]>,
        size: usize,
        provider: Option<Arc<dyn Provider>>,
        secrets: Secrets,
    ) -> Result<Opened, OpenError> {
        let pool = Arc::new(Self {
            module,
            policy,
            provider,
            secrets,
            journal: Journal::default(),
            runtime: Handle::current(),
            opened: AtomicU64::new(0),
            idle: Mutex::default(),
        });
        let mut first = pool.reader()?;
        let reads = first.instance.reads()?;
        let is_ready = first.instance.ready()?;
        let digest = policy_digest_in(&pool.module, &pool.policy)?;
        pool.give_back(first, false);
        for _ in 1..size {
            pool.give_back(pool.reader()?, false);
        }
        Ok(Opened {
            pool,
            reads,
            digest,
            is_ready,
        })
    }

    /// Calls a free instance after it has read the whole journal. It is an error too
    /// if no instance is free in time.
    pub(crate) async fn call<T>(
        self: &Arc<Self>,
        f: impl FnOnce(&mut Reader) -> Result<T, Trap>,
    ) -> Result<T, Trap> {
        self.call_in(None, f).await
    }

    /// Calls an instance that is free now and has read the whole journal; an error if
    /// there is none.
    pub(crate) fn call_now<T>(
        self: &Arc<Self>,
        f: impl FnOnce(&mut Reader) -> Result<T, Trap>,
    ) -> Result<T, Trap> {
        let mut lease = self
            .free()
            .ok_or_else(|| Trap::new("no instance is free"))?;
        if lease.call(|reader| Ok(reader.read))? != self.journal.latest() {
            return Err(Trap::new("no instance has read the journal"));
        }
        lease.call(f)
    }

    /// The same in the instance with this number, unless it has trapped.
    pub(crate) async fn call_in<T>(
        self: &Arc<Self>,
        id: Option<u64>,
        f: impl FnOnce(&mut Reader) -> Result<T, Trap>,
    ) -> Result<T, Trap> {
        let free = if id.is_none() { self.free() } else { None };
        let mut lease = match free {
            Some(lease) => lease,
            None => time::timeout(FREE_DEADLINE, self.take_or_again(id))
                .await
                .map_err(|_| Trap::new("no instance is free"))?,
        };
        lease.catch_up().await?;
        lease.call(f)
    }

    async fn take_or_again(self: &Arc<Self>, id: Option<u64>) -> Lease {
        if let Some(id) = id
            && let Some(lease) = self.take_again(id).await
        {
            return lease;
        }
        self.take().await
    }

    /// Waits for a free instance.
    pub(crate) async fn take(self: &Arc<Self>) -> Lease {
        loop {
            let waits = {
                let mut idle = self.idle();
                if let Some(reader) = idle.free.pop() {
                    drop(idle);
                    return self.lease(reader);
                }
                let (lease, waits) = oneshot::channel();
                // Tasks that gave up are removed before the queue grows.
                if idle.queue.len() == idle.queue.capacity() {
                    idle.queue.retain(|waits| !waits.is_closed());
                }
                idle.queue.push_back(lease);
                waits
            };
            if let Ok(lease) = waits.await {
                return lease;
            }
        }
    }

    /// Waits for the instance with this number; `None` if it has trapped.
    pub(crate) async fn take_again(self: &Arc<Self>, id: u64) -> Option<Lease> {
        let waits = {
            let mut idle = self.idle();
            if let Some(at) = idle.free.iter().position(|reader| reader.id == id) {
                let reader = idle.free.remove(at);
                drop(idle);
                return Some(self.lease(reader));
            }
            if !idle.alive.contains(&id) {
                return None;
            }
            let (lease, waits) = oneshot::channel();
            idle.wanted.retain(|(_, waits)| !waits.is_closed());
            idle.wanted.push((id, lease));
            waits
        };
        waits.await.ok()
    }

    /// Lets the free instances read the journal in the background.
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
        let mut lease = self.lease(reader);
        lease.is_updating = true;
        self.runtime.spawn(async move {
            // A trap is logged where it happens.
            if lease.catch_up().await.is_ok() {
                lease.updated();
            }
        });
    }

    fn free(self: &Arc<Self>) -> Option<Lease> {
        let reader = self.idle().free.pop()?;
        Some(self.lease(reader))
    }

    /// Gives an instance to a task that waits for it, or makes it free.
    fn give_back(self: &Arc<Self>, reader: Reader, is_updating: bool) {
        let mut idle = self.idle();
        if let Some(first) = idle.wanted.iter().position(|(id, _)| *id == reader.id) {
            let (_, waits) = idle.wanted.remove(first);
            drop(idle);
            // A task that gave up drops it, which calls this again.
            let _ = waits.send(self.lease(reader));
            return;
        }
        if reader.read != self.journal.latest() && !is_updating {
            drop(idle);
            return self.update(reader);
        }
        while let Some(waits) = idle.queue.pop_front() {
            if !waits.is_closed() {
                drop(idle);
                let _ = waits.send(self.lease(reader));
                return;
            }
        }
        idle.free.push(reader);
    }

    /// Opens an instance that replaces `dead`, as long as the pool exists.
    fn replace(self: &Arc<Self>, dead: u64) {
        {
            let mut idle = self.idle();
            idle.alive.remove(&dead);
            idle.wanted.retain(|(id, _)| *id != dead);
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
        let secrets = self.secrets.as_wit();
        let provider = self.provider.clone();
        let instance = Instance::open_in(&self.module, &self.policy, provider, &secrets)?;
        let id = self.opened.fetch_add(1, Ordering::Relaxed);
        self.idle().alive.insert(id);
        Ok(Reader::new(instance, id))
    }

    fn lease(self: &Arc<Self>, reader: Reader) -> Lease {
        Lease::new(self.clone(), reader)
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
