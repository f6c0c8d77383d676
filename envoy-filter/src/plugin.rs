//! One configured filter of this worker: its gate, and what it decides.

use countersign::{Code, Decision, Denial, Fetch, Gate, Grant};

use crate::{
    answer::{self, Answer, Form},
    config::{Configuration, Settings},
    document::Document,
    documents::{Documents, Parts},
    forward,
    host::{self, request},
    identity,
    jitter::Jitter,
    metrics::Metrics,
    request::Head,
    waiting::Waiting,
};

/// Discovery, the keys that it names, and one more try.
const ROUNDS: usize = 4;
/// Between ticks while something is awaited, and at rest.
const BUSY_MS: u32 = 20;
const REST_MS: u32 = 1_000;

pub(crate) struct Plugin {
    id: u32,
    gate: Gate,
    settings: Settings,
    documents: Documents,
    /// Who waits, in the order in which they came.
    queue: Vec<Waiting>,
    metrics: Metrics,
    jitter: Jitter,
    /// When to ask the gate what is due.
    due_at: Option<u64>,
    tick_ms: u32,
    told_at: u64,
    /// The number of the newest grant: of an older one the token was remembered.
    newest_grant: u64,
}

/// What becomes of a request.
enum Fate {
    Pass,
    Deny(Denial),
    Wait(Vec<Fetch>),
}

impl Plugin {
    /// Documents are fetched from the first tick on, which comes at once: what
    /// Envoy configures to see whether it would work is thrown away before,
    /// and takes no lease with it.
    pub(crate) fn open(id: u32, configuration: Configuration, seed: u64) -> Self {
        let Configuration { gate, settings, .. } = configuration;
        for document in gate.status(0).iter().filter(|d| !d.uri.is_empty()) {
            Document::prepare(document.kind, &document.uri, &settings);
        }
        let tick_ms = 1;
        host::set_tick_period(tick_ms);
        Self {
            id,
            metrics: Metrics::define(&settings.metrics_prefix),
            due_at: Some(0),
            gate,
            settings,
            documents: Documents::default(),
            queue: Vec::new(),
            jitter: Jitter::new(seed ^ u64::from(id)),
            tick_ms,
            told_at: 0,
            newest_grant: 0,
        }
    }

    /// Whether a new request may go on; if not, it was answered or waits.
    pub(crate) fn admit(&mut self, request: u32) -> bool {
        self.judge(request).unwrap_or_else(|| {
            self.deny(&internal_error(), &Head::default());
            false
        })
    }

    /// `None` if the host or its bytes are at fault.
    fn judge(&mut self, request: u32) -> Option<bool> {
        let now_ms = host::now_ms()?;
        let map = request::headers()?;
        let head = Head::parse(&map)?;
        match self.decide(&head, now_ms)? {
            Fate::Pass => return Some(true),
            Fate::Deny(denial) => self.deny(&denial, &head),
            Fate::Wait(fetches) => {
                self.metrics.waited.add();
                let until_ms = now_ms.saturating_add(self.settings.max_wait_ms);
                let waiting = Waiting::for_documents(request, &fetches, until_ms);
                if self.queue.len() < self.settings.max_waiting {
                    self.queue.push(waiting);
                } else {
                    self.deny(&waiting.given_up(), &head);
                }
                self.set_pace();
            }
        }
        Some(false)
    }

    /// The client of a request has left, or has its response.
    pub(crate) fn forget(&mut self, request: u32) {
        self.queue.retain(|waiting| waiting.request != request);
    }

    /// The plugin is over.
    pub(crate) fn close(&mut self) {
        self.metrics.tell();
    }

    pub(crate) fn tick(&mut self) -> Option<()> {
        let now_ms = host::now_ms()?;
        self.documents.catch_up(&mut self.gate, now_ms);
        if self.due_at.is_some_and(|due| due <= now_ms) {
            let (documents, mut parts) = self.documents();
            documents.start_due(&mut parts, now_ms);
            self.schedule(now_ms);
        }
        self.settle(now_ms);
        if now_ms.abs_diff(self.told_at) >= REST_MS.into() {
            self.told_at = now_ms;
            self.metrics.tell();
            self.metrics.tell_documents(&self.gate.status(now_ms));
        }
        self.set_pace();
        Some(())
    }

    /// A fetch ended; `None` for the size of its body is a failure.
    pub(crate) fn fetched(&mut self, call: u32, body_size: Option<usize>) -> Option<()> {
        let now_ms = host::now_ms()?;
        let (documents, mut parts) = self.documents();
        documents.fetched(&mut parts, call, body_size, now_ms);
        self.settle(now_ms);
        self.set_pace();
        Some(())
    }

    fn decide(&mut self, head: &Head<'_>, now_ms: u64) -> Option<Fate> {
        if self.settings.bypass_cors_preflight && head.is_cors_preflight() {
            return self.grant(&self.gate.anonymous(), head);
        }
        let mut fetches = Vec::new();
        for _ in 0..ROUNDS {
            fetches = match self.gate.check(&head.request(), now_ms) {
                Decision::Allow(grant) => return self.grant(&grant, head),
                Decision::Deny(denial) => return Some(Fate::Deny(denial)),
                Decision::Wait(fetches) => fetches,
            };
            let (documents, mut parts) = self.documents();
            let mut news = false;
            for fetch in &fetches {
                news |= documents.want(&mut parts, fetch.clone(), now_ms);
            }
            if !news {
                break;
            }
        }
        self.schedule(now_ms);
        Some(Fate::Wait(fetches))
    }

    fn grant(&mut self, grant: &Grant, head: &Head<'_>) -> Option<Fate> {
        forward::apply(grant, head)?;
        if let Some(principal) = &grant.principal {
            identity::admitted(&self.settings.filter_state, principal)?;
            if grant.number <= self.newest_grant {
                self.metrics.remembered.add();
            }
            self.newest_grant = self.newest_grant.max(grant.number);
        }
        self.metrics.allowed.add();
        Some(Fate::Pass)
    }

    fn deny(&mut self, denial: &Denial, head: &Head<'_>) {
        let form = Form {
            grpc: head.is_grpc(),
            code_header: self.settings.code_header,
        };
        self.metrics.denied(denial.code);
        identity::denied(&self.settings.filter_state, denial.code);
        request::respond(&Answer::to(denial, form));
    }

    /// Asks again for those whose waiting may be over, in their order.
    fn settle(&mut self, now_ms: u64) {
        let landed = self.documents.landed();
        if !landed.is_empty() {
            self.schedule(now_ms);
        }
        if self.queue.is_empty() {
            return;
        }
        for waiting in std::mem::take(&mut self.queue) {
            if !waiting.is_over(&landed, now_ms) {
                self.queue.push(waiting);
            } else if host::speak_for(waiting.request).is_some() {
                let still = self.readmit(waiting, now_ms);
                self.queue.extend(still);
            }
        }
        host::speak_for(self.id);
    }

    /// Gives back what has to wait on.
    fn readmit(&mut self, waiting: Waiting, now_ms: u64) -> Option<Waiting> {
        let map = request::headers().unwrap_or_default();
        let head = Head::parse(&map).unwrap_or_default();
        let fate = self.decide(&head, now_ms);
        match fate.unwrap_or_else(|| Fate::Deny(internal_error())) {
            Fate::Pass => request::resume(),
            Fate::Deny(denial) => self.deny(&denial, &head),
            Fate::Wait(fetches) if waiting.until_ms > now_ms => {
                let Waiting {
                    request, until_ms, ..
                } = waiting;
                return Some(Waiting::for_documents(request, &fetches, until_ms));
            }
            Fate::Wait(_) => self.deny(&waiting.given_up(), &head),
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
        let next = self.gate.next_due(now_ms);
        self.due_at = next.map(|in_ms| {
            let in_ms = in_ms.saturating_add(self.jitter.of(in_ms));
            now_ms.saturating_add(in_ms)
        });
    }

    fn set_pace(&mut self) {
        let busy = !self.queue.is_empty() || self.documents.awaits_others();
        let tick_ms = if busy { BUSY_MS } else { REST_MS };
        if tick_ms != self.tick_ms {
            self.tick_ms = tick_ms;
            host::set_tick_period(tick_ms);
        }
    }
}

fn internal_error() -> Denial {
    answer::unavailable(Code::InternalError, 1)
}
