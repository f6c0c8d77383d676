//! The settings of a gate that a reload keeps.

use std::{sync::Arc, time::Duration};

use crate::{clock::Clock, fetch::Fetcher, module::Module};

/// When documents are fetched again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refresh {
    /// By themselves, as they fall due: no request waits for a refresh.
    #[default]
    Background,
    /// By the first request after they fell due, which waits for them before it
    /// is decided, as long as a check may; so do requests that come meanwhile.
    /// What failed the last time is fetched too, and not waited for. For
    /// processes that stand still between requests (Lambda, Cloud Run), in
    /// which a list of revocations would otherwise be as old as the last one.
    Inline,
}

/// All but the policy.
pub(crate) struct Settings {
    pub(crate) clock: Clock,
    pub(crate) fetcher: Arc<dyn Fetcher>,
    pub(crate) instances: usize,
    pub(crate) wait: Duration,
    pub(crate) max_waiting: usize,
    pub(crate) refresh: Refresh,
    /// The sealed one, unless a test says otherwise.
    pub(crate) module: Option<Arc<Module>>,
}
