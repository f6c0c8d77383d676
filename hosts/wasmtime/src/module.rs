//! The sealed module, compiled once a process.
//!
//! Nothing interrupts a call: the module bounds its own work by limits, and the
//! checks for an interrupt in every loop cost a quarter of an RSA operation
//! and more than half of a remembered token (RATIONALE.md).

use std::sync::{Arc, OnceLock};

use wasmtime::{
    Engine, Store,
    component::{Component, Linker},
};

use crate::{
    bindings::{Countersign, CountersignPre, exports::countersign::gate::gate as wit},
    problem::{OpenError, Trap},
};

/// Lower-case hexadecimal SHA-256 of the sealed core module that decides:
/// the same in every artefact of a release.
pub const SHA256: &str = env!("COUNTERSIGN_SHA256");

/// The JSON Schema (2020-12) of the policies that the module reads.
pub const POLICY_SCHEMA: &str = include_str!("../module/policy.schema.json");

/// The interface of the module that this host was built for, with its version:
/// `countersign:gate@0.1.0`. A file with another one is refused.
pub const INTERFACE: &str = env!("COUNTERSIGN_INTERFACE");

const SEALED: &[u8] = include_bytes!(env!("COUNTERSIGN_COMPONENT"));

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
            let engine = Engine::default();
            let component = Component::new(&engine, component)?;
            require_interface(&component)?;
            // Nothing is linked: a module with an import is not the sealed one.
            CountersignPre::new(Linker::new(&engine).instantiate_pre(&component)?)
        };
        let ready = compile().map_err(Trap::from)?;
        Ok(Self { ready })
    }

    pub(crate) fn instantiate(&self) -> Result<Guest, Trap> {
        let mut store = Store::new(self.ready.engine(), ());
        let exports = self.ready.instantiate(&mut store)?;
        Ok(Guest { store, exports })
    }
}

/// The interface has exactly the version that this host was built for. Wasmtime
/// would accept a later one that semver calls compatible, where the meaning of a
/// value can be another one.
fn require_interface(component: &Component) -> wasmtime::Result<()> {
    let types = component.component_type();
    let exports = types.exports(component.engine());
    let ours: Vec<_> = exports
        .filter_map(|(name, _)| our_interface(name))
        .collect();
    if let Some(other) = ours.iter().find(|interface| *interface != INTERFACE) {
        wasmtime::bail!("the file has interface {other}, this host needs {INTERFACE}");
    }
    wasmtime::ensure!(
        !ours.is_empty(),
        "the file has no interface of Countersign, this host needs {INTERFACE}"
    );
    Ok(())
}

/// `countersign:gate@0.1.0` of the export `countersign:gate/gate@0.1.0`.
fn our_interface(export: &str) -> Option<String> {
    let (package, interface) = export.split_once('/')?;
    let (_, version) = interface.split_once('@')?;
    let is_ours = INTERFACE.split('@').next() == Some(package);
    is_ours.then(|| format!("{package}@{version}"))
}

/// A live instance of the module.
pub(crate) struct Guest {
    store: Store<()>,
    exports: Countersign,
}

impl Guest {
    /// Calls into the module.
    pub(crate) fn call<T>(
        &mut self,
        f: impl FnOnce(&wit::Guest, &mut Store<()>) -> wasmtime::Result<T>,
    ) -> Result<T, Trap> {
        Ok(f(self.exports.countersign_gate_gate(), &mut self.store)?)
    }
}
