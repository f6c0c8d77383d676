//! One configured filter of this worker: its gate and its decisions.

use countersign::{Code, Decision, Denial, Fetch, Gate, Grant};

use crate::{
    answer::{self, Answer, Format},
    config::{Configuration, Settings},
    document::Document,
    documents::{Documents, Parts},
    fetch, forward,
    host::{self, request, shared},
    identity,
    jitter::Jitter,
    metrics::Metrics,
    pace::{self, Budget},
    request::Head,
    rooms::Rooms,
    uptime::Uptime,
    waiting::Waiting,
};

/// Maximum number of checks in one callback: discovery, the keys that it names,
/// and one more attempt each.
const ROUNDS: usize = 4;
/// A key in the shared data, set when a filter of this Envoy has started to
/// work.
const STARTED: &str = "countersign.at-work";
/// Interval between reports of metrics.
const REPORT_MS: u64 = 1_000;

pub(crate) struct Plugin {
    id: u32,
    gate: Gate,
    settings: Settings,
    documents: Documents,
    rooms: Rooms,
    metrics: Metrics,
    /// Names that must not be in trailers.
    protected_names: Vec<Box<str>>,
    jitter: Jitter,
    uptime: Uptime,
    /// When to call [`Gate::due`], in uptime.
    due_at: Option<u64>,
    has_started: bool,
    tick_ms: u32,
    reported_at: u64,
    /// The number of the newest grant. A grant with this or a lower number has
    /// a remembered token.
    newest_grant: u64,
}

/// The outcome of a request.
enum Outcome {
    Pass,
    Deny(Denial),
    Answer(countersign::Answer),
    Wait(Vec<Fetch>),
}

impl Plugin {
    /// Opens a plugin. It fetches documents from the first tick on, which
    /// follows at once. Envoy also configures an instance only to test the
    /// configuration, and discards it before its first tick; so that instance
    /// takes no lease.
    pub(crate) fn open(id: u32, configuration: Configuration, seed: u64) -> Self {
        let Configuration { gate, settings, .. } = configuration;
        for document in gate.status(0).iter().filter(|d| !d.uri.is_empty()) {
            Document::prepare(document.kind, &document.uri, &settings);
        }
        host::set_tick_period(pace::NOW_MS);
        Self {
            id,
            metrics: Metrics::define(&settings.metrics_prefix),
            protected_names: forward::protected_names(&gate),
            due_at: Some(0),
            gate,
            settings,
            documents: Documents::default(),
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
        self.check_request(request).unwrap_or_else(|| {
            self.deny(&internal_error(), &Head::default());
            false
        })
    }

    /// `None` if the host fails or its bytes are invalid.
    fn check_request(&mut self, request: u32) -> Option<bool> {
        let now_ms = host::now_ms()?;
        let map = request::headers()?;
        let head = Head::parse(&map)?;
        match self.decide(&head, now_ms)? {
            Outcome::Pass => return Some(true),
            Outcome::Deny(denial) => self.deny(&denial, &head),
            Outcome::Answer(answer) => self.answer(answer),
            // The fetches are already started, even if the waiting room is
            // full.
            Outcome::Wait(fetches) => {
                self.metrics.waited.add();
                let until_ms = self.uptime.at(now_ms) + self.settings.max_wait_ms;
                let waiting = Waiting::for_documents(request, &fetches, until_ms);
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
        let map = request::trailers()?;
        let trailers = Head::parse(&map)?;
        forward::remove_matching(&trailers, &self.protected_names, request::remove_trailer)
    }

    /// Ends the plugin.
    pub(crate) fn close(&mut self) {
        self.metrics.report();
    }

    /// Returns the clusters that Envoy does not have. It returns none before
    /// the first filter works: then the clusters can still arrive, and there is
    /// no old configuration to keep.
    pub(crate) fn missing_clusters(configuration: &Configuration) -> Vec<String> {
        if shared::get(STARTED).is_none() {
            return Vec::new();
        }
        fetch::missing_clusters(&configuration.gate, &configuration.settings)
    }

    pub(crate) fn tick(&mut self) -> Option<()> {
        let now_ms = host::now_ms()?;
        if !self.has_started {
            self.has_started = true;
            shared::set(STARTED, b"");
        }
        let uptime_ms = self.uptime.at(now_ms);
        let is_due = self.due_at.is_some_and(|due| due <= uptime_ms);
        let (documents, mut parts) = self.documents();
        let asked = documents.work(&mut parts, is_due, now_ms);
        let updated = self.documents.take_updated();
        if asked || !updated.is_empty() {
            self.schedule(now_ms);
        }
        self.rooms.mark_updated(&updated);
        self.answer_waiting(now_ms);
        if uptime_ms - self.reported_at >= REPORT_MS {
            self.reported_at = uptime_ms;
            self.metrics.report();
            self.metrics.report_documents(&self.gate.status(now_ms));
        }
        self.set_tick_period(now_ms);
        Some(())
    }

    /// Handles the end of a fetch. `None` as the size of the body means a
    /// failure. It answers no request: Envoy can call it inside the answer to
    /// another request.
    pub(crate) fn fetched(&mut self, call: u32, body_size: Option<usize>) -> Option<()> {
        let now_ms = host::now_ms()?;
        let (documents, mut parts) = self.documents();
        documents.fetched(&mut parts, call, body_size, now_ms);
        self.set_tick_period(now_ms);
        Some(())
    }

    fn decide(&mut self, head: &Head<'_>, now_ms: u64) -> Option<Outcome> {
        if self.settings.bypass_cors_preflight && head.is_cors_preflight() {
            return self.grant(&self.gate.anonymous(), head);
        }
        let mut fetches = Vec::new();
        for _ in 0..ROUNDS {
            fetches = match self.gate.check(&head.request(), now_ms) {
                Decision::Allow(grant) => return self.grant(&grant, head),
                Decision::Deny(denial) => return Some(Outcome::Deny(denial)),
                Decision::Answer(answer) => return Some(Outcome::Answer(answer)),
                Decision::Wait(fetches) => fetches,
            };
            let (documents, mut parts) = self.documents();
            let mut has_result = false;
            for fetch in &fetches {
                has_result |= documents.want(&mut parts, fetch.clone(), now_ms);
            }
            if !has_result {
                break;
            }
        }
        self.schedule(now_ms);
        Some(Outcome::Wait(fetches))
    }

    fn grant(&mut self, grant: &Grant, head: &Head<'_>) -> Option<Outcome> {
        forward::apply(grant, head)?;
        if let Some(principal) = &grant.principal {
            identity::admitted(&self.settings.filter_state, principal)?;
            if grant.number <= self.newest_grant {
                self.metrics.remembered.add();
            }
            self.newest_grant = self.newest_grant.max(grant.number);
        }
        self.metrics.allowed.add();
        Some(Outcome::Pass)
    }

    fn deny(&mut self, denial: &Denial, head: &Head<'_>) {
        let format = Format {
            grpc: head.is_grpc(),
            code_header: self.settings.code_header,
        };
        self.metrics.denied(denial.code);
        identity::denied(&self.settings.filter_state, denial.code);
        request::respond(&Answer::to(denial, format));
    }

    fn answer(&mut self, answer: countersign::Answer) {
        self.metrics.answered.add();
        request::respond(&answer.into());
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
        let outcome = self.decide(&head, now_ms);
        match outcome.unwrap_or_else(|| Outcome::Deny(internal_error())) {
            Outcome::Pass => request::resume(),
            Outcome::Deny(denial) => self.deny(&denial, &head),
            Outcome::Answer(answer) => self.answer(answer),
            Outcome::Wait(fetches) if waiting.until_ms > self.uptime.at(now_ms) => {
                let Waiting {
                    request, until_ms, ..
                } = waiting;
                return Some(Waiting::for_documents(request, &fetches, until_ms));
            }
            Outcome::Wait(_) => {
                self.metrics.wait_over.add();
                self.deny(&waiting.timeout_denial(), &head);
            }
        }
        None
    }

    fn documents(&mut self) -> (&mut Documents, Parts<'_>) {
        let parts = Parts {
            gate: &mut self.gate,
            settings: &self.settings,
            metrics: &mut self.metrics,
        };
        (&mut self.documents, parts)
    }

    fn schedule(&mut self, now_ms: u64) {
        let uptime_ms = self.uptime.at(now_ms);
        let next = self.gate.next_due(now_ms);
        self.due_at = next.map(|pause_ms| {
            let pause_ms = pause_ms.saturating_add(self.jitter.of(pause_ms));
            uptime_ms.saturating_add(pause_ms)
        });
    }

    fn set_tick_period(&mut self, now_ms: u64) {
        let uptime_ms = self.uptime.at(now_ms);
        let tick_ms = if self.documents.has_work() || self.rooms.is_due(uptime_ms) {
            pace::NOW_MS
        } else if !self.rooms.is_empty() || self.documents.awaits_others() {
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
