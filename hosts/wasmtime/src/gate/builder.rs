//! The builder of a gate.

use std::{fmt, num::NonZero, sync::Arc, thread, time::Duration};

use tokio::task;

use super::Gate;
use crate::{
    clock::Clock,
    fetch::Fetcher,
    generation::Generation,
    problem::OpenError,
    settings::{Refresh, Settings},
};

/// Settings of a [`Gate`]; every one but the policy has a default.
#[must_use = "call `build` to open the gate"]
pub struct GateBuilder {
    policy: Vec<u8>,
    settings: Settings,
}

impl Default for GateBuilder {
    fn default() -> Self {
        Self {
            policy: Vec::new(),
            settings: Settings {
                clock: Clock::system(),
                fetcher: default_fetcher(),
                instances: thread::available_parallelism().map_or(1, NonZero::get),
                wait: Duration::from_secs(6),
                max_waiting: 1024,
                refresh: Refresh::default(),
                module: None,
            },
        }
    }
}

impl GateBuilder {
    /// The policy: JSON in UTF-8.
    pub fn policy(mut self, policy: impl Into<Vec<u8>>) -> Self {
        self.policy = policy.into();
        self
    }

    /// The time in milliseconds since 1970 (default: the system's clock). While it
    /// panics, or the system's time is before 1970, every request is denied with
    /// `internal_error`.
    pub fn clock(mut self, clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.settings.clock = Clock::new(clock);
        self
    }

    /// Fetches documents (default: [`HttpsFetcher`](crate::HttpsFetcher)).
    pub fn fetcher(mut self, fetcher: impl Fetcher) -> Self {
        self.settings.fetcher = Arc::new(fetcher);
        self
    }

    /// Instances of the module (default: one a processor). Each holds the
    /// policy and the documents, and remembers tokens of its own.
    pub fn instances(mut self, instances: usize) -> Self {
        self.settings.instances = instances;
        self
    }

    /// How long a check may wait for documents in all (default: 6 s), and a
    /// reload or [`Gate::warm`] for those of the policy.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.settings.wait = wait;
        self
    }

    /// How many checks may wait for documents of one issuer at a time (default:
    /// 1024). Another one that would have to wait is denied at once with 503.
    pub fn max_waiting(mut self, max_waiting: usize) -> Self {
        self.settings.max_waiting = max_waiting;
        self
    }

    /// When documents are fetched again (default: in the background).
    pub fn refresh(mut self, refresh: Refresh) -> Self {
        self.settings.refresh = refresh;
        self
    }

    #[cfg(test)]
    pub(crate) fn module(mut self, module: Arc<crate::module::Module>) -> Self {
        self.settings.module = Some(module);
        self
    }

    /// The policy as YAML text, of the one strict subset that every host reads
    /// alike: see [`yaml`](crate::yaml).
    ///
    /// # Errors
    /// The first place that is not YAML, or not of that subset.
    #[cfg(feature = "yaml")]
    pub fn policy_yaml(self, policy: &str) -> Result<Self, crate::yaml::YamlError> {
        Ok(self.policy(crate::yaml::Yaml::parse(policy)?.json))
    }

    /// Opens the gate and begins to fetch its documents, without waiting for
    /// them ([`Gate::warm`] does). Needs a tokio runtime.
    ///
    /// # Errors
    /// Every problem of the policy, or why the module does not run here.
    pub async fn build(self) -> Result<Gate, OpenError> {
        let settings = Arc::new(self.settings);
        let generation = open(settings.clone(), self.policy.into()).await?;
        Ok(Gate::new(settings, generation))
    }
}

/// Opens a policy on a thread for blocking work, as it may take seconds.
pub(crate) async fn open(
    settings: Arc<Settings>,
    policy: Arc<[u8]>,
) -> Result<Arc<Generation>, OpenError> {
    task::spawn_blocking(move || Generation::open(settings, policy).map(Arc::new))
        .await
        .unwrap_or_else(|error| Err(OpenError::Module(error.to_string())))
}

impl fmt::Debug for GateBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings {
            instances,
            wait,
            max_waiting,
            refresh,
            ..
        } = &self.settings;
        f.debug_struct("GateBuilder")
            .field("instances", instances)
            .field("wait", wait)
            .field("max_waiting", max_waiting)
            .field("refresh", refresh)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "https")]
fn default_fetcher() -> Arc<dyn Fetcher> {
    Arc::new(crate::https::HttpsFetcher::default())
}

#[cfg(not(feature = "https"))]
fn default_fetcher() -> Arc<dyn Fetcher> {
    struct Nobody;

    impl Fetcher for Nobody {
        fn fetch<'a>(&'a self, _: &'a crate::document::Fetch) -> crate::fetch::Fetching<'a> {
            let reason = "built without the feature `https` and without a fetcher";
            Box::pin(std::future::ready(Err(crate::fetch::FetchError::new(
                reason,
            ))))
        }
    }

    Arc::new(Nobody)
}
