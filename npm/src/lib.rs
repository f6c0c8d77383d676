//! The gate through wasm-bindgen: numbers, strings and byte slices only, so
//! that nothing here needs an import.

mod frame;
mod grant;
mod json;

use countersign::{Code, Decision, Denial, Outcome, Problem, Supplied};
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

    /// The names of the headers that decisions read, in lower case.
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

    /// How many milliseconds from now on [`Gate::due`] has something (0: now);
    /// `undefined` if never. To be waited for by a clock that nobody sets.
    #[wasm_bindgen(js_name = nextDue)]
    pub fn next_due(&self, now_ms: f64) -> Option<f64> {
        let gate = self.gate.as_ref().ok()?;
        gate.next_due(time(now_ms)?).map(|ms| ms as f64)
    }

    /// The fetch of a source from this address was answered:
    /// `{"outcome":"accepted","skipped":[…]}`, `{"outcome":"refused","problem":{…}}`,
    /// `{"outcome":"unfinished"}` (call [`Gate::resume`] until there is another
    /// answer) or `{"outcome":"outdated"}` (the document has another address now).
    /// `body` is the first part of a body of `length` bytes, or all of it.
    #[allow(clippy::too_many_arguments, reason = "a flat ABI: objects cost more")]
    pub fn supply(
        &mut self,
        source: u32,
        uri: &str,
        status: u16,
        cache_control: &str,
        length: u32,
        body: Vec<u8>,
        now_ms: f64,
    ) -> String {
        let outcome = Outcome::Response {
            status,
            cache_control,
            length: usize::try_from(length).unwrap_or(usize::MAX),
            body: body.into(),
        };
        self.at(now_ms, |gate, now_ms| {
            gate.supply(source, uri, outcome, now_ms)
        })
    }

    /// A fetch got no answer: refused, timed out, redirected, too large.
    #[wasm_bindgen(js_name = supplyFailure)]
    pub fn supply_failure(&mut self, source: u32, uri: &str, now_ms: f64) -> String {
        self.at(now_ms, |gate, now_ms| {
            gate.supply(source, uri, Outcome::Failed, now_ms)
        })
    }

    /// Goes on with a document that was not read to its end: a few milliseconds
    /// of work, and an answer as [`Gate::supply`]'s. `part` is the next part of
    /// its body; empty once all of them came.
    pub fn resume(&mut self, source: u32, part: &[u8], now_ms: f64) -> String {
        self.at(now_ms, |gate, now_ms| gate.resume(source, part, now_ms))
    }

    fn at(
        &mut self,
        now_ms: f64,
        supply: impl FnOnce(&mut countersign::Gate, u64) -> Supplied,
    ) -> String {
        json::supplied(&match (&mut self.gate, time(now_ms)) {
            (Ok(gate), Some(now_ms)) => supply(gate, now_ms),
            _ => Supplied::Refused(json::gate_unknown()),
        })
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

    /// Whether the last check's grant has [`Gate::changes`].
    #[wasm_bindgen(js_name = hasChanges)]
    pub fn has_changes(&self) -> bool {
        matches!(&self.decision, Decision::Allow(grant) if !grant.changes.is_empty())
    }

    /// What changes on the last check's request alone, after what its grant
    /// says: `[{"name":"cookie","value":"a=1"}]`, where `null` removes.
    pub fn changes(&self) -> String {
        json::changes(match &self.decision {
            Decision::Allow(grant) => &grant.changes,
            _ => &[],
        })
    }

    /// The decision of the last check; of one that allows no more than that.
    pub fn decision(&self) -> String {
        json::decision(&self.decision)
    }

    /// Every check of a request in [`Gate::room`] in order, with its details.
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
