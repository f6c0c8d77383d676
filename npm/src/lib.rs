//! Exports the gate through wasm-bindgen. It uses only numbers, strings and
//! byte slices, so the module needs no import.

mod frame;
mod grant;
mod json;
mod signatures;

use countersign::{
    Algorithm, Code, Decision, Host, HostKey, Native, Need, Outcome, Problem, Supplied,
    Verification,
};
use wasm_bindgen::prelude::wasm_bindgen;

/// The result of a check. [`Gate::grant`] and [`Gate::decision`] have the
/// details.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The request is allowed.
    Allow = 0,
    /// The request is denied.
    Deny = 1,
    /// Fetch documents, supply them, and check again.
    Wait = 2,
    /// The gate answers the request itself.
    Answer = 3,
    /// Verify signatures ([`Gate::signatures`]), report it, and check again.
    Verify = 4,
}

/// An open gate, or the problems of its policy. Times are milliseconds since
/// the epoch. Returned texts are JSON with the names of the WIT interface in
/// snake case.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Gate {
    gate: Result<countersign::Gate, Vec<Problem>>,
    decision: Decision,
    /// The input buffer, which JavaScript writes.
    room: Vec<u8>,
    /// The output buffer, which JavaScript reads.
    output: Vec<u8>,
}

#[wasm_bindgen]
impl Gate {
    /// Opens a gate for a policy. [`Gate::problems`] returns the errors. A gate
    /// with errors denies everything. `native` names the algorithms of the
    /// host's own cryptography, with spaces between, and `fips` if that is
    /// validated; `undefined` if this module verifies all signatures. `secrets`
    /// are the names and bytes of those that the policy names by `secret_from`: in
    /// turn, in the form of [`Gate::check`].
    #[wasm_bindgen(constructor)]
    pub fn open(policy: &[u8], seed: u64, native: Option<String>, secrets: &[u8]) -> Gate {
        let native = native.map(|words| Native {
            fips: words.split(' ').any(|word| word == "fips"),
            algorithms: words.split(' ').filter_map(Algorithm::from_name).collect(),
        });
        let secrets = frame::secrets(secrets).unwrap_or_default();
        let host = Host {
            seed,
            native,
            secrets: &secrets,
        };
        Gate {
            gate: countersign::policy_json(policy)
                .and_then(|policy| countersign::Gate::open_json(&policy, host)),
            decision: internal_error(),
            room: Vec::new(),
            output: Vec::new(),
        }
    }

    /// Returns the address of an input buffer of at least `bytes` bytes in the
    /// module's memory. JavaScript writes a request or a token there and then
    /// calls a check. Another call of `room` makes the address invalid.
    pub fn room(&mut self, bytes: u32) -> *const u8 {
        let bytes = bytes as usize;
        if self.room.len() < bytes {
            self.room.resize(bytes, 0);
        }
        self.room.as_ptr()
    }

    /// Returns the problems of the policy; `undefined` if the gate is open.
    pub fn problems(&self) -> Option<String> {
        self.gate
            .as_ref()
            .err()
            .map(|problems| json::problems(problems))
    }

    /// Returns the lower-case names of the headers that decisions read.
    pub fn reads(&self) -> String {
        let reads = self.gate.as_ref().map(countersign::Gate::reads);
        json::texts(&reads.unwrap_or_default())
    }

    /// Returns the documents to fetch now, and marks their fetches as started.
    pub fn due(&mut self, now_ms: f64) -> String {
        match (&mut self.gate, time(now_ms)) {
            (Ok(gate), Some(now_ms)) => json::fetches(&gate.due(now_ms)),
            _ => json::fetches(&[]),
        }
    }

    /// Returns the milliseconds until [`Gate::due`] returns a fetch (0: now);
    /// `undefined` if never. Wait with a monotonic clock.
    #[wasm_bindgen(js_name = nextDue)]
    pub fn next_due(&self, now_ms: f64) -> Option<f64> {
        let gate = self.gate.as_ref().ok()?;
        gate.next_due(time(now_ms)?).map(|ms| ms as f64)
    }

    /// Takes the response to the fetch of a source from this address. Returns
    /// `{"outcome":"accepted","skipped":[…]}`,
    /// `{"outcome":"refused","problem":{…}}`, `{"outcome":"unfinished"}` (call
    /// [`Gate::resume`] until it returns another outcome) or
    /// `{"outcome":"outdated"}` (the document has another address now). `body`
    /// is the first part of a body of `length` bytes, or all of it.
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
        self.supply_outcome(now_ms, |gate, now_ms| {
            gate.supply(source, uri, outcome, now_ms)
        })
    }

    /// Records a fetch without a usable response: refused, timed out,
    /// redirected or too large.
    #[wasm_bindgen(js_name = supplyFailure)]
    pub fn supply_failure(&mut self, source: u32, uri: &str, now_ms: f64) -> String {
        self.supply_outcome(now_ms, |gate, now_ms| {
            gate.supply(source, uri, Outcome::Failed, now_ms)
        })
    }

    /// Continues to read a document, with a few milliseconds of work. Returns
    /// the same as [`Gate::supply`]. `part` is the next part of its body; it is
    /// empty after the last part.
    pub fn resume(&mut self, source: u32, part: &[u8], now_ms: f64) -> String {
        self.supply_outcome(now_ms, |gate, now_ms| gate.resume(source, part, now_ms))
    }

    fn supply_outcome(
        &mut self,
        now_ms: f64,
        supply: impl FnOnce(&mut countersign::Gate, u64) -> Supplied,
    ) -> String {
        json::supplied(&match (&mut self.gate, time(now_ms)) {
            (Ok(gate), Some(now_ms)) => supply(gate, now_ms),
            _ => Supplied::Refused(json::gate_unknown()),
        })
    }

    /// Returns the address of the signatures of the last check in the module's
    /// memory, in the format of `signatures.rs`.
    pub fn signatures(&mut self) -> *const u8 {
        let needs = match &self.decision {
            Decision::Wait(needs) => &**needs,
            _ => &[],
        };
        signatures::write(needs, &mut self.output);
        self.output.as_ptr()
    }

    /// Returns the key with this number while a question about it is open: a
    /// SubjectPublicKeyInfo in DER, or the secret of an HMAC.
    pub fn key(&self, number: u32) -> Option<Vec<u8>> {
        let gate = self.gate.as_ref().ok()?;
        gate.key(number).map(|key| match key {
            HostKey::Public(bytes) | HostKey::Secret(bytes) => bytes,
        })
    }

    /// Takes what the host found out about a signature or a proof: whether it is
    /// valid, or used for the first time;
    /// `undefined` if the host could not find it out.
    pub fn verified(&mut self, ticket: f64, valid: Option<bool>) {
        if let Ok(gate) = &mut self.gate {
            let verification = match valid {
                Some(true) => Verification::Valid,
                Some(false) => Verification::Invalid,
                None => Verification::Failed,
            };
            gate.verified(ticket as u64, verification);
        }
    }

    /// Takes the response to a request; status 0 means that there is none.
    /// Returns the problem, if it cannot be used.
    pub fn respond(
        &mut self,
        ticket: f64,
        status: u16,
        cache_control: &str,
        body: Vec<u8>,
        now_ms: f64,
    ) -> Option<String> {
        let outcome = match status {
            0 => Outcome::Failed,
            _ => Outcome::Response {
                status,
                cache_control,
                length: body.len(),
                body: body.into(),
            },
        };
        let problem = match (&mut self.gate, time(now_ms)) {
            (Ok(gate), Some(now_ms)) => gate.respond(ticket as u64, outcome, now_ms)?,
            _ => json::gate_unknown(),
        };
        Some(json::problems(&[problem]))
    }

    /// Returns the state of every document.
    pub fn status(&self, now_ms: f64) -> String {
        match (&self.gate, time(now_ms)) {
            (Ok(gate), Some(now_ms)) => json::documents(&gate.status(now_ms)),
            _ => json::documents(&[]),
        }
    }

    /// Decides about a request of `length` bytes in [`Gate::room`]. It consists
    /// of the number of strings, the length of each (all as little-endian
    /// `u32`), then the strings without separators: method, authority, target,
    /// scheme, SHA-256 of the client's certificate, address of the peer, then
    /// alternating header names (lower case) and values.
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

    /// Parses a requirement for [`Gate::check_token`]. Returns
    /// `{"requirement":1}` or `{"problems":[…]}`.
    pub fn prepare(&mut self, requirement: &[u8]) -> String {
        json::prepared(match &mut self.gate {
            Ok(gate) => gate.prepare(requirement),
            Err(_) => Err(vec![json::gate_unknown()]),
        })
    }

    /// Decides about a token of `length` bytes in [`Gate::room`], without a
    /// request. A token that is bound to its sender is denied, unless it is
    /// `proven`: a decision of this process has allowed a request with it, and
    /// this is a further check of that request.
    #[wasm_bindgen(js_name = checkToken)]
    pub fn check_token(
        &mut self,
        length: u32,
        requirement: u32,
        proven: bool,
        now_ms: f64,
    ) -> Verdict {
        let token = self.room.get(..length as usize);
        self.decision = match (&mut self.gate, token, time(now_ms)) {
            (Ok(gate), Some(token), Some(now_ms)) => {
                gate.check_token(token, requirement, proven, now_ms)
            }
            _ => internal_error(),
        };
        self.verdict()
    }

    fn verdict(&self) -> Verdict {
        match &self.decision {
            Decision::Allow(_) => Verdict::Allow,
            Decision::Deny(_) => Verdict::Deny,
            Decision::Wait(needs) => match needs.first() {
                Some(Need::Signature(_)) => Verdict::Verify,
                _ => Verdict::Wait,
            },
            Decision::Answer(_) => Verdict::Answer,
        }
    }

    /// Returns the number of the last check's grant. Equal numbers mean equal
    /// [`Gate::grant`]s while the gate is open. It is 0 without a principal.
    pub fn granted(&self) -> f64 {
        match &self.decision {
            // The number is too small to lose precision in a double.
            Decision::Allow(grant) => grant.number as f64,
            _ => 0.0,
        }
    }

    /// Returns the principals beside the user of the last check's grant, and the
    /// numbers of their grants: `[{"name":"service","grant":7}]`; `undefined` if
    /// there are none. Their grants have no headers, which are in
    /// [`Gate::changes`]. Cache them apart from those of users: one token can be
    /// both.
    pub fn others(&self) -> Option<String> {
        match &self.decision {
            Decision::Allow(grant) if !grant.others.is_empty() => Some(json::others(&grant.others)),
            _ => None,
        }
    }

    /// Returns the address of a grant of the last check in the module's memory,
    /// in the format of `grant.rs`; 0 if the number is neither
    /// [`Gate::granted`] nor in [`Gate::others`].
    pub fn grant(&mut self, number: f64) -> *const u8 {
        let Decision::Allow(grant) = &self.decision else {
            return std::ptr::null();
        };
        let mut others = grant.others.iter();
        if grant.number as f64 == number {
            let principal = grant.principal.as_deref();
            let (removed, set) = (&grant.remove_headers, &grant.set_headers);
            grant::write(principal, removed, set, &mut self.output);
        } else if let Some(other) = others.find(|other| other.number as f64 == number) {
            grant::write(Some(&other.principal), &[], &[], &mut self.output);
        } else {
            return std::ptr::null();
        }
        self.output.as_ptr()
    }

    /// Returns whether the last check's grant has [`Gate::changes`].
    #[wasm_bindgen(js_name = hasChanges)]
    pub fn has_changes(&self) -> bool {
        matches!(&self.decision, Decision::Allow(grant) if !grant.changes.is_empty())
    }

    /// Returns the changes to the last check's request only, to apply after its
    /// grant: `[{"kind":"set_header","name":"cookie","value":"a=1"}]`. Other
    /// kinds are `remove_header`, and `set_target`, whose value is the target.
    pub fn changes(&self) -> String {
        json::changes(match &self.decision {
            Decision::Allow(grant) => &grant.changes,
            _ => &[],
        })
    }

    /// Returns the decision of the last check. For `allow` it has no further
    /// fields.
    pub fn decision(&self) -> String {
        json::decision(&self.decision)
    }

    /// Returns facts about the last decision, for logs and metrics:
    /// `{"rule":{"index":0,"name":null,"path":"/**"},…}`. `subject_key` is empty, or
    /// the host's secret for `subject_ref`; `effects` asks for them.
    #[wasm_bindgen(js_name = lastEvent)]
    pub fn last_event(&self, subject_key: &[u8], effects: bool) -> String {
        let event = self
            .gate
            .as_ref()
            .map(|gate| gate.last_event(subject_key, effects));
        json::event(&event.unwrap_or_default())
    }

    /// Returns whether every document was accepted once that the policy does not
    /// allow to be missing at the start. It stays true.
    pub fn ready(&mut self) -> bool {
        self.gate.as_mut().is_ok_and(countersign::Gate::ready)
    }

    /// Returns every check of a request in [`Gate::room`] in order, with its
    /// details.
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

/// Decodes a token without verifying it. The result is never a decision.
#[wasm_bindgen]
pub fn inspect(token: &[u8]) -> String {
    json::inspection(&countersign::inspect(token))
}

/// Returns the SHA-256 of a policy in its canonical form: `{"digest":"9f86…"}`, or
/// `{"problems":[…]}`.
#[wasm_bindgen(js_name = policyDigest)]
pub fn policy_digest(policy: &[u8]) -> String {
    json::digest(&countersign::policy_digest(policy))
}

/// Verifies a signed policy by a trust: `{"policy":"…","version":1,…}` or
/// `{"problem":{…}}`.
#[wasm_bindgen(js_name = openSigned)]
pub fn open_signed(signed: &[u8], trust: &[u8], now_ms: f64) -> String {
    // At an invalid time everything has expired.
    let now_ms = time(now_ms).unwrap_or(u64::MAX);
    json::signed(&countersign::open_signed(signed, trust, now_ms))
}

/// Returns the problems and warnings of a policy.
#[wasm_bindgen]
pub fn lint(policy: &[u8]) -> String {
    json::problems(&countersign::lint(policy))
}

/// Converts the host's time. An invalid time gives `None`, and the check is
/// denied.
fn time(now_ms: f64) -> Option<u64> {
    (0.0..9_007_199_254_740_992.0)
        .contains(&now_ms)
        .then_some(now_ms as u64)
}

fn internal_error() -> Decision {
    Decision::Deny(Code::InternalError.into())
}
