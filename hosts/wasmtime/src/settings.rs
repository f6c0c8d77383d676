//! The settings of a gate that a reload keeps.

use std::{sync::Arc, time::Duration};

use crate::{
    clock::Clock, fetch::Fetcher, hooks::Hooks, module::Module, proofs::Proofs, secrets::Secrets,
    signatures::Provider,
};

/// When documents are fetched again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refresh {
    /// In the background, as they fall due: no request waits for a refresh.
    #[default]
    Background,
    /// Before the first request after they fell due, which waits for them for as
    /// long as a check may; so do requests that arrive meanwhile. A document whose
    /// last fetch failed is fetched too, but not waited for. For processes that are
    /// frozen between requests (Lambda, Cloud Run), where a revocation list would
    /// otherwise be as old as the last request.
    Inline,
}

/// All but the policy.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) clock: Clock,
    pub(crate) fetcher: Arc<dyn Fetcher>,
    pub(crate) instances: usize,
    pub(crate) wait: Duration,
    pub(crate) max_waiting: usize,
    pub(crate) refresh: Refresh,
    pub(crate) secrets: Secrets,
    pub(crate) proofs: Proofs,
    pub(crate) hooks: Hooks,
    /// `None`: the module verifies signatures itself.
    pub(crate) provider: Option<Arc<dyn Provider>>,
    /// `None`: the sealed module. A test may have another.
    pub(crate) module: Option<Arc<Module>>,
    /// The same of a candidate only.
    #[cfg(test)]
    pub(crate) shadow_module: Option<Arc<Module>>,
}
