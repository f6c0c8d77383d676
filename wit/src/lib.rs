//! Exports the gate through the canonical ABI, as `countersign.wit` declares
//! it. This crate only converts between the two sets of types.

mod bindings;
mod gates;
mod lift;
mod lower;

use std::borrow::Cow;

use bindings::exports::countersign::gate::gate as wit;
use countersign::{Code, Gate, Outcome};

struct Component;

bindings::export!(Component with_types_in bindings);

impl wit::Guest for Component {
    fn open(policy: Vec<u8>, seed: u64) -> Result<wit::Handle, Vec<wit::Problem>> {
        let gate = Gate::open(&policy, seed).map_err(lower::problems)?;
        gates::insert(gate).ok_or_else(|| vec![lower::handles_exhausted()])
    }

    fn lint(policy: Vec<u8>) -> Vec<wit::Problem> {
        lower::problems(countersign::lint(&policy))
    }

    fn reads(gate: wit::Handle) -> Vec<String> {
        gates::with(gate, |open| {
            open.gate.reads().into_iter().map(Into::into).collect()
        })
        .unwrap_or_default()
    }

    fn due(gate: wit::Handle, now: wit::TimeMs) -> Vec<wit::Fetch> {
        gates::with(gate, |open| lower::fetches(open.gate.due(now))).unwrap_or_default()
    }

    fn next_due(gate: wit::Handle, now: wit::TimeMs) -> Option<u64> {
        gates::with(gate, |open| open.gate.next_due(now)).flatten()
    }

    fn supply(
        gate: wit::Handle,
        source: u32,
        uri: String,
        outcome: wit::Outcome,
        now: wit::TimeMs,
    ) -> wit::Supplied {
        gates::with(gate, |open| {
            let supplied = match outcome {
                wit::Outcome::Response(response) => {
                    let outcome = Outcome::Response {
                        status: response.status,
                        cache_control: &response.cache_control,
                        length: usize::try_from(response.length).unwrap_or(usize::MAX),
                        body: Cow::Owned(response.body),
                    };
                    open.gate.supply(source, &uri, outcome, now)
                }
                wit::Outcome::Failed => open.gate.supply(source, &uri, Outcome::Failed, now),
            };
            lower::supplied(supplied)
        })
        .unwrap_or_else(|| wit::Supplied::Refused(lower::gate_unknown()))
    }

    fn resume(gate: wit::Handle, source: u32, part: Vec<u8>, now: wit::TimeMs) -> wit::Supplied {
        gates::with(gate, |open| {
            lower::supplied(open.gate.resume(source, &part, now))
        })
        .unwrap_or_else(|| wit::Supplied::Refused(lower::gate_unknown()))
    }

    fn status(gate: wit::Handle, now: wit::TimeMs) -> Vec<wit::DocumentStatus> {
        gates::with(gate, |open| lower::documents(open.gate.status(now))).unwrap_or_default()
    }

    fn check(gate: wit::Handle, request: wit::Request, now: wit::TimeMs) -> wit::Decision {
        let headers = lift::headers(&request);
        gates::with(gate, |open| {
            let decision = open.gate.check(&lift::request(&request, &headers), now);
            open.decide(decision)
        })
        .unwrap_or_else(|| lower::deny(Code::InternalError))
    }

    fn granted(gate: wit::Handle, number: u64) -> Option<wit::Grant> {
        gates::with(gate, |open| open.granted(number)).flatten()
    }

    fn prepare(gate: wit::Handle, requirement: Vec<u8>) -> Result<u32, Vec<wit::Problem>> {
        gates::with(gate, |open| {
            open.gate.prepare(&requirement).map_err(lower::problems)
        })
        .unwrap_or_else(|| Err(vec![lower::gate_unknown()]))
    }

    fn check_token(
        gate: wit::Handle,
        token: Vec<u8>,
        requirement: u32,
        now: wit::TimeMs,
    ) -> wit::Decision {
        gates::with(gate, |open| {
            let decision = open.gate.check_token(&token, requirement, now);
            open.decide(decision)
        })
        .unwrap_or_else(|| lower::deny(Code::InternalError))
    }

    fn inspect(token: Vec<u8>) -> wit::Inspection {
        lower::inspection(countersign::inspect(&token))
    }

    fn explain(gate: wit::Handle, request: wit::Request, now: wit::TimeMs) -> Vec<wit::Step> {
        let headers = lift::headers(&request);
        gates::with(gate, |open| {
            lower::steps(open.gate.explain(&lift::request(&request, &headers), now))
        })
        .unwrap_or_default()
    }

    fn close(gate: wit::Handle) {
        gates::remove(gate);
    }
}
