//! The sealed module, compiled once a process, and the clock that ends hangs.

use std::{
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use wasmtime::{
    Config, Engine, Store,
    component::{Component, Linker},
};

use crate::{
    OpenError, Trap,
    bindings::{Countersign, CountersignPre, exports::countersign::gate::gate as wit},
};

/// Lower-case hexadecimal SHA-256 of the sealed core module that decides:
/// the same in every artefact of a release.
pub const SHA256: &str = env!("COUNTERSIGN_SHA256");

const SEALED: &[u8] = include_bytes!(env!("COUNTERSIGN_COMPONENT"));

/// How exact deadlines are.
const TICK: Duration = Duration::from_millis(10);

/// A compiled component that may be instantiated many times.
pub(crate) struct Module {
    ready: CountersignPre<()>,
}

impl Module {
    /// The sealed module. The first call compiles it, which takes a while.
    pub(crate) fn sealed() -> Result<Arc<Self>, OpenError> {
        static MODULE: OnceLock<Result<Arc<Module>, OpenError>> = OnceLock::new();
        MODULE
            .get_or_init(|| Self::compile(SEALED).map(Arc::new))
            .clone()
    }

    pub(crate) fn compile(component: &[u8]) -> Result<Self, OpenError> {
        let compile = || {
            let engine = engine()?;
            let component = Component::new(&engine, component)?;
            // Nothing is linked: a module with an import is not the sealed one.
            CountersignPre::new(Linker::new(&engine).instantiate_pre(&component)?)
        };
        let ready = compile().map_err(Trap::from)?;
        Ok(Self { ready })
    }

    pub(crate) fn instantiate(&self) -> Result<Guest, Trap> {
        let mut store = Store::new(self.ready.engine(), ());
        store.set_epoch_deadline(ticks(Duration::from_secs(10)));
        let exports = self.ready.instantiate(&mut store)?;
        Ok(Guest { store, exports })
    }
}

/// A live instance of the module.
pub(crate) struct Guest {
    store: Store<()>,
    exports: Countersign,
}

impl Guest {
    /// Calls into the module, for no longer than `deadline`.
    pub(crate) fn call<T>(
        &mut self,
        deadline: Duration,
        f: impl FnOnce(&wit::Guest, &mut Store<()>) -> wasmtime::Result<T>,
    ) -> Result<T, Trap> {
        self.store.set_epoch_deadline(ticks(deadline));
        Ok(f(self.exports.countersign_gate_gate(), &mut self.store)?)
    }
}

/// One more tick than fits, as the current one is partly over.
fn ticks(deadline: Duration) -> u64 {
    u64::try_from(deadline.as_millis().div_ceil(TICK.as_millis()))
        .unwrap_or(u64::MAX / 2)
        .saturating_add(1)
}

/// One engine a process, with one thread that counts its epochs.
fn engine() -> wasmtime::Result<Engine> {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    if let Some(engine) = ENGINE.get() {
        return Ok(engine.clone());
    }
    let mut config = Config::new();
    config.epoch_interruption(true);
    let engine = Engine::new(&config)?;
    if ENGINE.set(engine.clone()).is_ok() {
        thread::Builder::new()
            .name("countersign-epoch".into())
            .spawn(move || {
                loop {
                    thread::sleep(TICK);
                    engine.increment_epoch();
                }
            })?;
    }
    // Whichever thread set it first.
    Ok(ENGINE.wait().clone())
}
