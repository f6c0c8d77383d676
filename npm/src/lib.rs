//! The gate through wasm-bindgen: numbers, strings and byte slices only, so
//! that nothing here needs an import.

mod frame;
mod grant;
mod json;

use countersign::{Code, Decision, Denial, Outcome, Problem};
use wasm_bindgen::prelude::wasm_bindgen;

/// How a check ended; [`Gate::grant`] and [`Gate::decision`] have the rest.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The request may pass.
    Allow = 0,
    /// It may not.
    Deny = 1,
    /// Fetch documents, supply them, check again.
    Wait = 2,
}

/// An open gate, or what kept it from opening. Times are milliseconds since
/// the epoch; texts that are returned are JSON with the names of the WIT
/// interface in snake case.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Gate {
    gate: Result<countersign::Gate, Vec<Problem>>,
    decision: Decision,
    /// Written by JavaScript.
    room: Vec<u8>,
    /// Read by JavaScript.
    grant: Vec<u8>,
}

#[wasm_bindgen]
impl Gate {
    /// Opens a gate for a policy. [`Gate::problems`] says whether it opened;
    /// one that did not denies everything.
    #[wasm_bindgen(constructor)]
    pub fn open(policy: &[u8], seed: u64) -> Gate {
        Gate {
            gate: countersign::Gate::open(policy, seed),
            decision: internal_error(),
            room: Vec::new(),
            grant: Vec::new(),
        }
    }

    /// Where in the module's memory there is room for so many bytes of a
    /// request or a token. A check reads them; until then the gate is not
    /// asked for other room.
    pub fn room(&mut self, bytes: u32) -> *const u8 {
        let bytes = bytes as usize;
        if self.room.len() < bytes {
            self.room.resize(bytes, 0);
        }
        self.room.as_ptr()
    }

    /// Every problem that kept the gate from opening; `undefined` if it opened.
    pub fn problems(&self) -> Option<String> {
        self.gate
            .as_ref()
            .err()
            .map(|problems| json::problems(problems))
    }

    /// The lower-case names of the headers that decisions read.
    pub fn reads(&self) -> String {
        json::text(
            &self
                .gate
                .as_ref()
                .map(countersign::Gate::reads)
                .unwrap_or_default(),
        )
    }

    /// Documents to fetch now. They count as started.
    pub fn due(&mut self, now_ms: f64) -> String {
        match (&mut self.gate, time(now_ms)) {
            (Ok(gate), Some(now_ms)) => json::fetches(&gate.due(now_ms)),
            _ => json::fetches(&[]),
        }
    }

    /// When [`Gate::due`] has something next; `undefined` if never.
    #[wasm_bindgen(js_name = nextDue)]
    pub fn next_due(&self) -> Option<f64> {
        self.gate.as_ref().ok()?.next_due().map(|ms| ms as f64)
    }

    /// A fetch was answered: `{"skipped":[…]}` if the document was accepted,
    /// `{"problem":{…}}` if not.
    pub fn supply(
        &mut self,
        source: u32,
        status: u16,
        cache_control: &str,
        body: &[u8],
        now_ms: f64,
    ) -> String {
        self.finish_fetch(
            source,
            Outcome::Response {
                status,
                cache_control,
                body,
            },
            now_ms,
        )
    }

    /// A fetch got no answer: refused, timed out, redirected, too large.
    #[wasm_bindgen(js_name = supplyFailure)]
    pub fn supply_failure(&mut self, source: u32, now_ms: f64) -> String {
        self.finish_fetch(source, Outcome::Failed, now_ms)
    }

    fn finish_fetch(&mut self, source: u32, outcome: Outcome<'_>, now_ms: f64) -> String {
        match (&mut self.gate, time(now_ms)) {
            (Ok(gate), Some(now_ms)) => json::supplied(gate.supply(source, outcome, now_ms)),
            _ => json::supplied(Err(json::gate_unknown())),
        }
    }

    /// The state of every document.
    pub fn status(&self, now_ms: f64) -> String {
        match (&self.gate, time(now_ms)) {
            (Ok(gate), Some(now_ms)) => json::documents(&gate.status(now_ms)),
            _ => json::documents(&[]),
        }
    }

    /// May this request pass? It stands in [`Gate::room`], `length` bytes
    /// long: how many strings there are, the length of each (all of these as
    /// little-endian `u32`), then the strings without anything between them:
    /// method, authority, target, then header names (lower case) and values by
    /// turns.
    pub fn check(&mut self, length: u32, now_ms: f64) -> Verdict {
        let mut headers = Vec::new();
        let request = self.room.get(..length as usize);
        let request = request.and_then(|frame| frame::request(frame, &mut headers));
        self.decision = match (&mut self.gate, request, time(now_ms)) {
            (Ok(gate), Some(request), Some(now_ms)) => gate.check(&request, now_ms),
            _ => internal_error(),
        };
        self.verdict()
    }

    /// Parses a requirement once, for [`Gate::check_token`]:
    /// `{"requirement":1}` or `{"problems":[…]}`.
    pub fn prepare(&mut self, requirement: &[u8]) -> String {
        json::prepared(match &mut self.gate {
            Ok(gate) => gate.prepare(requirement),
            Err(_) => Err(vec![json::gate_unknown()]),
        })
    }

    /// The same as [`Gate::check`] without HTTP: the token stands in
    /// [`Gate::room`].
    #[wasm_bindgen(js_name = checkToken)]
    pub fn check_token(&mut self, length: u32, requirement: u32, now_ms: f64) -> Verdict {
        let token = self.room.get(..length as usize);
        self.decision = match (&mut self.gate, token, time(now_ms)) {
            (Ok(gate), Some(token), Some(now_ms)) => gate.check_token(token, requirement, now_ms),
            _ => internal_error(),
        };
        self.verdict()
    }

    fn verdict(&self) -> Verdict {
        match self.decision {
            Decision::Allow(_) => Verdict::Allow,
            Decision::Deny(_) => Verdict::Deny,
            Decision::Wait(_) => Verdict::Wait,
        }
    }

    /// The number of the last check's grant: the same number means the same
    /// [`Gate::grant`] for as long as the gate is open. 0 without a principal.
    pub fn granted(&self) -> f64 {
        match &self.decision {
            // Never as many as a double cannot count.
            Decision::Allow(grant) => grant.number as f64,
            _ => 0.0,
        }
    }

    /// Where what the last check grants stands in the module's memory, in the
    /// form of `grant.rs`; 0 where it grants nothing.
    pub fn grant(&mut self) -> *const u8 {
        match &self.decision {
            Decision::Allow(grant) => {
                grant::write(grant, &mut self.grant);
                self.grant.as_ptr()
            }
            _ => std::ptr::null(),
        }
    }

    /// The decision of the last check; of one that allows no more than that.
    pub fn decision(&self) -> String {
        json::decision(&self.decision)
    }

    /// Every check of a request in [`Gate::room`] in order, with what it saw.
    pub fn explain(&self, length: u32, now_ms: f64) -> String {
        let mut headers = Vec::new();
        let request = self.room.get(..length as usize);
        let request = request.and_then(|frame| frame::request(frame, &mut headers));
        match (&self.gate, request, time(now_ms)) {
            (Ok(gate), Some(request), Some(now_ms)) => json::steps(&gate.explain(&request, now_ms)),
            _ => json::steps(&[]),
        }
    }
}

/// Decodes a token. Never a decision.
#[wasm_bindgen]
pub fn inspect(token: &[u8]) -> String {
    json::inspection(&countersign::inspect(token))
}

/// Problems and warnings of a policy.
#[wasm_bindgen]
pub fn lint(policy: &[u8]) -> String {
    json::problems(&countersign::lint(policy))
}

/// A host whose clock is no number is broken: nothing is admitted.
fn time(now_ms: f64) -> Option<u64> {
    (0.0..9_007_199_254_740_992.0)
        .contains(&now_ms)
        .then_some(now_ms as u64)
}

fn internal_error() -> Decision {
    Decision::Deny(Denial {
        code: Code::InternalError,
        challenge: None,
        claim: None,
        retry_after_s: None,
    })
}
