//! One configured filter of this worker: its gate and its decisions.

mod carry_out;

use countersign::{Code, Decision, Denial, Need, Verification};

use crate::{
    answer,
    config::{Configuration, Settings},
    exchanges::Exchanges,
    fetch, forward,
    host::{self, request, shared},
    jitter::Jitter,
    kept::Kept,
    metrics::{Fetches, Metrics},
    native::Native,
    pace::{self, Budget},
    proofs,
    request::Head,
    rooms::Rooms,
    shadow::{Shadow, Verdicts},
    uptime::Uptime,
    waiting::{Needs, Waiting},
};

/// Maximum number of checks of a request in one callback: discovery, the keys
/// that it names, one more attempt each, and the signature of each token.
pub(crate) const ROUNDS: usize = 64;
/// A key in the shared data, set when a filter of this Envoy has started to
/// work.
const STARTED: &str = "countersign.at-work";
/// Interval between reports of metrics.
const REPORT_MS: u64 = 1_000;

pub(crate) struct Plugin {
    id: u32,
    kept: Kept,
    /// The candidate beside the policy in force.
    shadow: Option<Shadow>,
    settings: Settings,
    /// The digest of the policy, in hexadecimal.
    digest: String,
    exchanges: Exchanges,
    native: Native,
    rooms: Rooms,
    metrics: Metrics,
    /// Names that must not be in trailers.
    protected_names: Vec<Box<str>>,
    jitter: Jitter,
    uptime: Uptime,
    has_started: bool,
    tick_ms: u32,
    reported_at: u64,
    /// The number of the newest grant. A grant with this or a lower number has
    /// a remembered token.
    newest_grant: u64,
}

/// The outcome of a check.
enum Outcome {
    Decided(Decision, Verdicts),
    Wait(Needs),
}

impl Plugin {
    /// Opens a plugin. It fetches documents from the first tick on, which
    /// follows at once. Envoy also configures an instance only to test the
    /// configuration, and discards it before its first tick; so that instance
    /// takes no lease.
    pub(crate) fn open(id: u32, configuration: Configuration, seed: u64) -> Self {
        let Configuration {
            gate,
            shadow,
            settings,
            provider,
            ..
        } = configuration;
        let prefix = &settings.metrics_prefix;
        if gate.reads().contains(&"dpop") {
            proofs::prepare(seed);
        }
        host::set_tick_period(pace::NOW_MS);
        let shadow = shadow.map(|gate| {
            let fetches = Fetches::define(&[prefix, ".shadow"].concat());
            let kept = Kept::new(gate, &settings, fetches, "countersign.shadow");
            Shadow::new(kept, prefix)
        });
        Self {
            id,
            metrics: Metrics::define(prefix, provider.is_some()),
            protected_names: forward::protected_names(&gate),
            digest: gate.digest().iter().map(|b| format!("{b:02x}")).collect(),
            kept: Kept::new(gate, &settings, Fetches::define(prefix), "countersign"),
            shadow,
            settings,
            exchanges: Exchanges::default(),
            native: Native::default(),
            rooms: Rooms::default(),
            jitter: Jitter::new(seed ^ u64::from(id)),
            uptime: Uptime::default(),
            has_started: false,
            tick_ms: pace::NOW_MS,
            reported_at: 0,
            newest_grant: 0,
        }
    }

    /// Handles a new request. Returns whether it continues; if not, it is
    /// answered or waits.
    pub(crate) fn admit(&mut self, request: u32) -> bool {
        self.check_request(request)
            .unwrap_or_else(|| self.deny(&internal_error(), &Head::default()))
    }

    /// `None` if the host fails or its bytes are invalid.
    fn check_request(&mut self, request: u32) -> Option<bool> {
        let now_ms = host::now_ms()?;
        let map = request::headers()?;
        let head = Head::parse(&map)?;
        if self.settings.bypass_cors_preflight && head.is_cors_preflight() {
            let grant = self.kept.gate.anonymous();
            return self.allow(&grant, &head).map(|()| true);
        }
        match self.decide(&head, now_ms)? {
            Outcome::Decided(decision, verdicts) => {
                return self.end(decision, &verdicts, &head, now_ms);
            }
            // Nobody feels a filter that only observes. What it has started goes on.
            Outcome::Wait(_) if self.settings.observe => {
                self.metrics.undecided.add();
                self.set_tick_period(now_ms);
                return Some(true);
            }
            // The fetches are already started, even if the waiting room is
            // full.
            Outcome::Wait(needs) => {
                self.metrics.waited.add();
                let until_ms = self.uptime.at(now_ms) + self.settings.max_wait_ms;
                let waiting = Waiting::new(request, &needs, until_ms);
                if let Err(waiting) = self.rooms.enter(waiting, self.settings.max_waiting) {
                    self.metrics.room_full.add();
                    self.deny(&waiting.timeout_denial(), &head);
                }
                self.set_tick_period(now_ms);
            }
        }
        Some(false)
    }

    /// Ends a request: its client has left, or it has its response.
    pub(crate) fn forget(&mut self, request: u32) {
        self.rooms.leave(request);
    }

    /// Removes protected names from trailers: backends can merge trailers into
    /// headers (RFC 9110 §6.5.1).
    pub(crate) fn clean_trailers(&self) -> Option<()> {
        if self.settings.observe {
            return Some(());
        }
        let map = request::trailers()?;
        let trailers = Head::parse(&map)?;
        forward::remove_matching(&trailers, &self.protected_names, request::remove_trailer)
    }

    /// Ends the plugin.
    pub(crate) fn close(&mut self) {
        self.report();
    }

    fn report(&mut self) {
        self.metrics.report();
        self.kept.report();
        if let Some(shadow) = &mut self.shadow {
            shadow.report();
        }
    }

    /// Returns the clusters that Envoy does not have. It returns none before
    /// the first filter works: then the clusters can still arrive, and there is
    /// no old configuration to keep.
    pub(crate) fn missing_clusters(configuration: &Configuration) -> Vec<String> {
        if shared::get(STARTED).is_none() {
            return Vec::new();
        }
        fetch::missing_clusters(configuration)
    }

    pub(crate) fn tick(&mut self) -> Option<()> {
        let now_ms = host::now_ms()?;
        if !self.has_started {
            self.has_started = true;
            shared::set(STARTED, b"");
        }
        let uptime_ms = self.uptime.at(now_ms);
        let (settings, jitter) = (&self.settings, &mut self.jitter);
        let updated = self.kept.tick(settings, jitter, uptime_ms, now_ms);
        if let Some(shadow) = &mut self.shadow {
            // No request waits for its documents.
            shadow.kept.tick(settings, jitter, uptime_ms, now_ms);
        }
        let ended = self.exchanges.take_ended();
        self.rooms.mark_updated(&updated, &ended);
        self.answer_waiting(now_ms);
        if uptime_ms - self.reported_at >= REPORT_MS {
            self.reported_at = uptime_ms;
            self.report();
            let gate = &mut self.kept.gate;
            self.metrics
                .report_documents(gate.ready(), &gate.status(now_ms));
        }
        self.set_tick_period(now_ms);
        Some(())
    }

    /// Handles the end of a fetch. `None` as the size of the body means a
    /// failure. It answers no request: Envoy can call it inside the answer to
    /// another request.
    pub(crate) fn fetched(&mut self, call: u32, body_size: Option<usize>) -> Option<()> {
        let now_ms = host::now_ms()?;
        let kept = std::iter::once(&mut self.kept);
        for kept in kept.chain(self.shadow.as_mut().map(|shadow| &mut shadow.kept)) {
            kept.fetched(&self.settings, call, body_size, now_ms);
        }
        self.exchanges
            .ended(&mut self.kept.gate, call, body_size, now_ms);
        self.set_tick_period(now_ms);
        Some(())
    }

    fn decide(&mut self, head: &Head<'_>, now_ms: u64) -> Option<Outcome> {
        let mut verdicts = Verdicts::new();
        let mut needs = Needs::default();
        let mut certificate = None;
        for _ in 0..ROUNDS {
            let request = head.request(certificate.as_ref());
            let gate = &mut self.kept.gate;
            let decision = gate.check(&request, now_ms);
            // Only few tokens are bound to a certificate: Envoy is asked for it when
            // one is.
            if gate.lacks_certificate() {
                certificate = request::certificate();
                if certificate.is_some() {
                    continue;
                }
            }
            let asked = match decision {
                Decision::Wait(asked) => asked,
                decided => return Some(Outcome::Decided(decided, verdicts)),
            };
            needs.clear();
            let mut has_result = false;
            for need in asked {
                match need {
                    Need::Document(fetch) => {
                        has_result |= self.kept.want(&self.settings, fetch.clone(), now_ms);
                        needs.fetches.push(fetch);
                    }
                    Need::Signature(signature) => {
                        let gate = &mut self.kept.gate;
                        let found = self.native.verify(gate, &signature);
                        gate.verified(signature.ticket, found);
                        has_result = true;
                    }
                    Need::Request(request) => {
                        let (gate, settings) = (&mut self.kept.gate, &self.settings);
                        has_result |= self.exchanges.send(gate, settings, &request, now_ms);
                        needs.requests.push(request);
                    }
                    Need::Proof(proof) => {
                        // A filter that only observes uses up no proof.
                        let first = match self.settings.observe {
                            true => Verification::Valid,
                            false => proofs::first_use(&proof, now_ms),
                        };
                        self.kept.gate.verified(proof.ticket, first);
                        verdicts.push((proof.id, first));
                        has_result = true;
                    }
                }
            }
            if !has_result {
                break;
            }
        }
        if needs.is_empty() {
            return None;
        }
        let uptime_ms = self.uptime.at(now_ms);
        self.kept.schedule(&mut self.jitter, uptime_ms, now_ms);
        Some(Outcome::Wait(needs))
    }

    /// Checks waiting requests again, in their order, within the budget of one
    /// callback.
    fn answer_waiting(&mut self, now_ms: u64) {
        let uptime_ms = self.uptime.at(now_ms);
        let mut budget = Budget::begin();
        while budget.has_time() {
            let Some((ticket, waiting)) = self.rooms.next(uptime_ms) else {
                break;
            };
            if host::set_effective_context(waiting.request).is_some() {
                let waiting = self.check_again(waiting, now_ms);
                if let Some(waiting) = waiting {
                    self.rooms.put_back(ticket, waiting);
                }
            }
        }
        host::set_effective_context(self.id);
    }

    /// Checks a waiting request again. Returns it if it must continue to wait.
    fn check_again(&mut self, waiting: Waiting, now_ms: u64) -> Option<Waiting> {
        let map = request::headers().unwrap_or_default();
        let head = Head::parse(&map).unwrap_or_default();
        let passes = match self.decide(&head, now_ms) {
            None => None,
            Some(Outcome::Decided(decision, verdicts)) => {
                self.end(decision, &verdicts, &head, now_ms)
            }
            Some(Outcome::Wait(needs)) if waiting.until_ms > self.uptime.at(now_ms) => {
                let Waiting {
                    request, until_ms, ..
                } = waiting;
                return Some(Waiting::new(request, &needs, until_ms));
            }
            Some(Outcome::Wait(_)) => {
                self.metrics.wait_over.add();
                Some(self.deny(&waiting.timeout_denial(), &head))
            }
        };
        if passes.unwrap_or_else(|| self.deny(&internal_error(), &head)) {
            request::resume();
        }
        None
    }

    fn set_tick_period(&mut self, now_ms: u64) {
        let uptime_ms = self.uptime.at(now_ms);
        let kept = [Some(&self.kept), self.shadow.as_ref().map(|s| &s.kept)];
        let mut kept = kept.into_iter().flatten();
        let has_work = kept.clone().any(Kept::has_work) || self.exchanges.has_ended();
        let tick_ms = if has_work || self.rooms.is_due(uptime_ms) {
            pace::NOW_MS
        } else if !self.rooms.is_empty() || kept.any(Kept::awaits_others) {
            pace::BUSY_MS
        } else {
            pace::IDLE_MS
        };
        if tick_ms != self.tick_ms {
            self.tick_ms = tick_ms;
            host::set_tick_period(tick_ms);
        }
    }
}

fn internal_error() -> Denial {
    answer::unavailable(Code::InternalError, 1)
}
