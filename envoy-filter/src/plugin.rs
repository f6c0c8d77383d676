//! One configured filter of this worker: its gate, and what it decides.

use countersign::{Code, Decision, Denial, Fetch, Gate, Grant};

use crate::{
    answer::{self, Answer, Form},
    config::{Configuration, Settings},
    document::Document,
    documents::{Documents, Parts},
    fetch, forward,
    host::{self, request, shared},
    identity,
    jitter::Jitter,
    metrics::Metrics,
    pace::{self, Pace},
    request::Head,
    rooms::Rooms,
    uptime::Uptime,
    waiting::Waiting,
};

/// Discovery, the keys that it names, and one more try.
const ROUNDS: usize = 4;
/// In the shared data, once a filter of this Envoy has been at work.
const AT_WORK: &str = "countersign.at-work";
/// Between what is told of metrics.
const TELL_MS: u64 = 1_000;

pub(crate) struct Plugin {
    id: u32,
    gate: Gate,
    settings: Settings,
    documents: Documents,
    rooms: Rooms,
    metrics: Metrics,
    /// What trailers may not say.
    spoken: Vec<Box<str>>,
    jitter: Jitter,
    uptime: Uptime,
    /// When to ask the gate what is due, by the uptime.
    due_at: Option<u64>,
    is_at_work: bool,
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
        host::set_tick_period(pace::AT_ONCE_MS);
        Self {
            id,
            metrics: Metrics::define(&settings.metrics_prefix),
            spoken: forward::spoken(&gate),
            due_at: Some(0),
            gate,
            settings,
            documents: Documents::default(),
            rooms: Rooms::default(),
            jitter: Jitter::new(seed ^ u64::from(id)),
            uptime: Uptime::default(),
            is_at_work: false,
            tick_ms: pace::AT_ONCE_MS,
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
            // What it waits for is being fetched by now, room or no room.
            Fate::Wait(fetches) => {
                self.metrics.waited.add();
                let until_ms = self.uptime.at(now_ms) + self.settings.max_wait_ms;
                let waiting = Waiting::for_documents(request, &fetches, until_ms);
                if let Err(waiting) = self.rooms.enter(waiting, self.settings.max_waiting) {
                    self.metrics.room_full.add();
                    self.deny(&waiting.given_up(), &head);
                }
                self.set_pace(now_ms);
            }
        }
        Some(false)
    }

    /// The client of a request has left, or has its response.
    pub(crate) fn forget(&mut self, request: u32) {
        self.rooms.leave(request);
    }

    /// Takes out of trailers what only the gate may say: backends may read
    /// them as headers (RFC 9110 §6.5.1).
    pub(crate) fn clean_trailers(&self) -> Option<()> {
        let map = request::trailers()?;
        let trailers = Head::parse(&map)?;
        forward::clean(&trailers, &self.spoken, request::remove_trailer)
    }

    /// The plugin is over.
    pub(crate) fn close(&mut self) {
        self.metrics.tell();
    }

    /// Clusters that Envoy does not have, once it has been at work: there is
    /// a configuration to keep. Before, its clusters may still be on their way.
    pub(crate) fn missing_clusters(configuration: &Configuration) -> Vec<String> {
        if shared::get(AT_WORK).is_none() {
            return Vec::new();
        }
        fetch::missing_clusters(&configuration.gate, &configuration.settings)
    }

    pub(crate) fn tick(&mut self) -> Option<()> {
        let now_ms = host::now_ms()?;
        if !self.is_at_work {
            self.is_at_work = true;
            shared::set(AT_WORK, b"");
        }
        let uptime_ms = self.uptime.at(now_ms);
        let is_due = self.due_at.is_some_and(|due| due <= uptime_ms);
        let (documents, mut parts) = self.documents();
        let asked = documents.work(&mut parts, is_due, now_ms);
        let landed = self.documents.landed();
        if asked || !landed.is_empty() {
            self.schedule(now_ms);
        }
        self.rooms.call(&landed);
        self.answer_some(now_ms);
        if uptime_ms - self.told_at >= TELL_MS {
            self.told_at = uptime_ms;
            self.metrics.tell();
            self.metrics.tell_documents(&self.gate.status(now_ms));
        }
        self.set_pace(now_ms);
        Some(())
    }

    /// A fetch ended; `None` for the size of its body is a failure. Nobody is
    /// answered here: Envoy may call this from within the answer to another.
    pub(crate) fn fetched(&mut self, call: u32, body_size: Option<usize>) -> Option<()> {
        let now_ms = host::now_ms()?;
        let (documents, mut parts) = self.documents();
        documents.fetched(&mut parts, call, body_size, now_ms);
        self.set_pace(now_ms);
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

    /// Asks again for those whose waiting may be over, in their order, and for
    /// no more than one callback may answer.
    fn answer_some(&mut self, now_ms: u64) {
        let uptime_ms = self.uptime.at(now_ms);
        let mut pace = Pace::begin();
        while pace.has_time() {
            let Some((ticket, waiting)) = self.rooms.next(uptime_ms) else {
                break;
            };
            if host::speak_for(waiting.request).is_some() {
                let still = self.readmit(waiting, now_ms);
                if let Some(still) = still {
                    self.rooms.put(ticket, still);
                }
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
            Fate::Wait(fetches) if waiting.until_ms > self.uptime.at(now_ms) => {
                let Waiting {
                    request, until_ms, ..
                } = waiting;
                return Some(Waiting::for_documents(request, &fetches, until_ms));
            }
            Fate::Wait(_) => {
                self.metrics.wait_over.add();
                self.deny(&waiting.given_up(), &head);
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

    fn set_pace(&mut self, now_ms: u64) {
        let uptime_ms = self.uptime.at(now_ms);
        let tick_ms = if self.documents.has_work() || self.rooms.is_due(uptime_ms) {
            pace::AT_ONCE_MS
        } else if !self.rooms.is_empty() || self.documents.awaits_others() {
            pace::BUSY_MS
        } else {
            pace::REST_MS
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
