//! Exports the gate through the canonical ABI, as `countersign.wit` declares
//! it. This crate only converts between the two sets of types.

mod bindings;
mod gates;
mod lift;
mod lower;

use bindings::exports::countersign::gate::gate as wit;
use countersign::{Code, Gate, Host};

struct Component;

bindings::export!(Component with_types_in bindings);

impl wit::Guest for Component {
    fn open(
        policy: Vec<u8>,
        seed: u64,
        native: Option<wit::Native>,
        secrets: Vec<(String, Vec<u8>)>,
    ) -> Result<wit::Handle, Vec<wit::Problem>> {
        let policy = countersign::policy_json(&policy).map_err(lower::problems)?;
        let secrets: Vec<_> = secrets.iter().map(|(n, s)| (&**n, &**s)).collect();
        let host = Host {
            seed,
            native: native.map(lift::native),
            secrets: &secrets,
        };
        let gate = Gate::open_json(&policy, host).map_err(lower::problems)?;
        gates::insert(gate).ok_or_else(|| vec![lower::handles_exhausted()])
    }

    fn lint(policy: Vec<u8>) -> Vec<wit::Problem> {
        lower::problems(countersign::lint(&policy))
    }

    fn open_signed(
        signed: Vec<u8>,
        trust: Vec<u8>,
        now: wit::TimeMs,
    ) -> Result<wit::SignedPolicy, wit::Problem> {
        let opened = countersign::open_signed(&signed, &trust, now);
        opened.map(lower::signed_policy).map_err(lower::problem)
    }

    fn policy_digest(policy: Vec<u8>) -> Result<Vec<u8>, Vec<wit::Problem>> {
        let digest = countersign::policy_digest(&policy);
        digest.map(Into::into).map_err(lower::problems)
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
        mut outcome: wit::Outcome,
        now: wit::TimeMs,
    ) -> wit::Supplied {
        gates::with(gate, |open| {
            let outcome = lift::outcome(&mut outcome);
            lower::supplied(open.gate.supply(source, &uri, outcome, now))
        })
        .unwrap_or_else(|| wit::Supplied::Refused(lower::gate_unknown()))
    }

    fn resume(gate: wit::Handle, source: u32, part: Vec<u8>, now: wit::TimeMs) -> wit::Supplied {
        gates::with(gate, |open| {
            lower::supplied(open.gate.resume(source, &part, now))
        })
        .unwrap_or_else(|| wit::Supplied::Refused(lower::gate_unknown()))
    }

    fn key(gate: wit::Handle, number: u32) -> Option<wit::HostKey> {
        gates::with(gate, |open| open.gate.key(number).map(lower::key)).flatten()
    }

    fn verified(gate: wit::Handle, ticket: u64, verification: wit::Verification) {
        gates::with(gate, |open| {
            open.gate.verified(ticket, lift::verification(verification))
        });
    }

    fn respond(
        gate: wit::Handle,
        ticket: u64,
        mut outcome: wit::Outcome,
        now: wit::TimeMs,
    ) -> Option<wit::Problem> {
        gates::with(gate, |open| {
            let refused = open.gate.respond(ticket, lift::outcome(&mut outcome), now);
            refused.map(lower::problem)
        })
        .unwrap_or_else(|| Some(lower::gate_unknown()))
    }

    fn status(gate: wit::Handle, now: wit::TimeMs) -> Vec<wit::DocumentStatus> {
        gates::with(gate, |open| lower::documents(open.gate.status(now))).unwrap_or_default()
    }

    fn ready(gate: wit::Handle) -> bool {
        gates::with(gate, |open| open.gate.ready()).unwrap_or_default()
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

    fn last_event(gate: wit::Handle, subject_key: Vec<u8>, effects: bool) -> wit::Event {
        let event = gates::with(gate, |open| open.gate.last_event(&subject_key, effects));
        lower::event(event.unwrap_or_default())
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
        proven: bool,
        now: wit::TimeMs,
    ) -> wit::Decision {
        gates::with(gate, |open| {
            let decision = open.gate.check_token(&token, requirement, proven, now);
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
