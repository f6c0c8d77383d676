//! The settings of a gate, and their defaults.

use std::{fmt, num::NonZero, sync::Arc, thread, time::Duration};

use crate::{
    clock::Clock,
    event::{DecisionEvent, DocumentEvent},
    fetch::Fetcher,
    hooks::Hooks,
    proofs::{ProofStore, Proofs},
    secrets::Secrets,
    settings::{Refresh, Settings},
    signatures::Signatures,
    source::PolicySource,
};

/// Settings of a [`Gate`](crate::Gate); every one but the policy has a default.
#[must_use = "call `build` to open the gate"]
pub struct GateBuilder {
    pub(super) policy: Vec<u8>,
    pub(super) source: Option<PolicySource>,
    pub(super) shadow: Option<Vec<u8>>,
    pub(super) wait_ready: Duration,
    pub(super) settings: Settings,
}

impl Default for GateBuilder {
    fn default() -> Self {
        Self {
            policy: Vec::new(),
            source: None,
            shadow: None,
            wait_ready: Duration::ZERO,
            settings: Settings {
                clock: Clock::system(),
                fetcher: default_fetcher(),
                instances: thread::available_parallelism().map_or(1, NonZero::get),
                wait: Duration::from_secs(6),
                max_waiting: 1024,
                refresh: Refresh::default(),
                secrets: Secrets::default(),
                proofs: Proofs::default(),
                hooks: Hooks::default(),
                provider: None,
                module: None,
                #[cfg(test)]
                shadow_module: None,
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

    /// Takes signed policies from there instead of [`Self::policy`]: one now, without
    /// which the gate does not open, and later ones in the background, each put in
    /// force as by [`Gate::reload`](crate::Gate::reload). Where anything is wrong the old
    /// one stays, also if it has expired meanwhile:
    /// [`Gate::status`](crate::Gate::status) says why.
    pub fn policy_from(mut self, source: PolicySource) -> Self {
        self.source = Some(source);
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
    /// reload or [`Gate::warm`](crate::Gate::warm) for those of the policy.
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

    /// A secret that the policy names by `secret_from`. It is kept for reloads.
    pub fn secret(mut self, name: impl Into<String>, secret: impl Into<Vec<u8>>) -> Self {
        self.settings.secrets.add(name.into(), secret.into());
        self
    }

    /// Records the use of proofs of possession (default: a table in memory that all
    /// gates of this process share). Replicas of a service need a common store,
    /// or a client's proof can be used once with each of them.
    pub fn proofs(mut self, store: impl ProofStore) -> Self {
        self.settings.proofs = Proofs::Store(Arc::new(store));
        self
    }

    /// Who verifies signatures (default: the module). A policy can demand one of
    /// them (`signatures`), and then opens with no other.
    pub fn signatures(mut self, signatures: Signatures) -> Self {
        self.settings.provider = signatures.provider();
        self
    }

    /// Is called with each decision, on the thread that has made it and before the
    /// request goes on, and with the extensions of the request: what an outer layer has
    /// put there can stand beside the event. It must not block. A panic in it changes
    /// nothing. Each call of this adds a hook; without one no event is made.
    pub fn on_decision(
        mut self,
        hook: impl Fn(&DecisionEvent, &http::Extensions) + Send + Sync + 'static,
    ) -> Self {
        self.settings.hooks.on_decision(Box::new(hook));
        self
    }

    /// Is called with each document that was fetched, whatever became of it. The same
    /// holds as for [`Self::on_decision`].
    pub fn on_document(mut self, hook: impl Fn(&DocumentEvent) + Send + Sync + 'static) -> Self {
        self.settings.hooks.on_document(Box::new(hook));
        self
    }

    /// Hooks that record every event in OpenTelemetry.
    #[cfg(feature = "opentelemetry")]
    pub fn telemetry(self, telemetry: &crate::telemetry::Telemetry) -> Self {
        let (decisions, documents) = (telemetry.clone(), telemetry.clone());
        self.on_decision(move |event, _| decisions.decided(event))
            .on_document(move |event| documents.supplied(event))
    }

    /// A secret of 16 bytes or more: with it, events of verified tokens have
    /// [`DecisionEvent::subject_ref`], by which those who have the secret find the
    /// events of one person.
    pub fn subject_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.settings.hooks.subject_key = Some(key.into());
        self
    }

    /// A candidate: a policy that is asked about each request after the one in force,
    /// and whose answer changes nothing. It has as many instances, and documents of its
    /// own; it sends no token anywhere, uses up no proof, and never waits. Comparisons
    /// are events ([`Mode::Shadow`](crate::Mode)) and are counted in
    /// [`Gate::status`](crate::Gate::status). A check of a token without a request has none.
    pub fn shadow(mut self, candidate: impl Into<Vec<u8>>) -> Self {
        self.shadow = Some(candidate.into());
        self
    }

    /// How long [`Self::build`] may wait until the gate is ready (default: it does not
    /// wait). After that the gate is there all the same: [`Gate::ready`](crate::Gate::ready) says whether
    /// it is ready.
    pub fn wait_ready(mut self, within: Duration) -> Self {
        self.wait_ready = within;
        self
    }

    #[cfg(test)]
    pub(crate) fn shadow_module(mut self, module: Arc<crate::module::Module>) -> Self {
        self.settings.shadow_module = Some(module);
        self
    }

    #[cfg(test)]
    pub(crate) fn provider(mut self, provider: Arc<dyn crate::signatures::Provider>) -> Self {
        self.settings.provider = Some(provider);
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

    /// [`Self::shadow`] as YAML text.
    ///
    /// # Errors
    /// As [`Self::policy_yaml`].
    #[cfg(feature = "yaml")]
    pub fn shadow_yaml(self, candidate: &str) -> Result<Self, crate::yaml::YamlError> {
        Ok(self.shadow(crate::yaml::Yaml::parse(candidate)?.json))
    }
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
