//! Random pairs of policies and random requests: no request decides differently
//! outside of what is reported, and none passes anew where nothing admits more.
#![allow(missing_docs)]

mod coverage;
mod policy;
mod request;

use countersign::{Decision, Gate};
use countersign_regions::{Difference, Subject, differences};
use serde_json::Value;

use coverage::{covers, holds_in_some_case};
use request::Request;

pub(crate) const NOW_S: u64 = 1_790_000_000;

/// xorshift64 with a fixed seed gives the same cases in every run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

fn gate(policy: &Value) -> Option<Gate> {
    Gate::open(policy.to_string().as_bytes(), 1).ok()
}

/// The decision without the number that identifies a principal in one gate.
fn decide(gate: &mut Gate, request: &Request) -> Decision {
    let mut decision = request.with(|request| gate.check(request, NOW_S * 1000));
    if let Decision::Allow(grant) = &mut decision {
        grant.number = 0;
        grant.others.iter_mut().for_each(|other| other.number = 0);
    }
    decision
}

/// Whether a backend gets the request.
fn passes(decision: &Decision) -> bool {
    matches!(decision, Decision::Allow(_))
}

#[test]
fn no_request_decides_differently_outside_of_what_is_reported() {
    let mut random = Random(0x5eed_d1ff_5eed_d1ff);
    let (mut pairs, mut different, mut more, mut quiet) = (0, 0, 0, 0);
    while pairs < 4_000 {
        let old = policy::random(&mut random);
        let new = match random.one_in(6) {
            true => policy::random(&mut random),
            false => policy::changed(&mut random, &old),
        };
        let (Some(mut before), Some(mut after)) = (gate(&old), gate(&new)) else {
            continue;
        };
        pairs += 1;
        let found = differences(&old, &new, NOW_S);
        quiet += usize::from(found.is_empty());
        for _ in 0..60 {
            let request = request::random(&mut random, [&old, &new]);
            let (was, is) = (decide(&mut before, &request), decide(&mut after, &request));
            if was == is {
                continue;
            }
            different += 1;
            let touching: Vec<&Difference> = found
                .iter()
                .filter(|difference| covers(difference, &request, [&old, &new]))
                .collect();
            let say = || format!("{old:#}\n{new:#}\n{request:?}\n{was:?}\n{is:?}\n{found:#?}");
            assert!(!touching.is_empty(), "not reported: {}", say());
            if !passes(&was) && passes(&is) {
                more += 1;
                let admits_more = touching.iter().any(|difference| difference.admits_more());
                assert!(admits_more, "admits more: {}", say());
                let in_case = |difference: &&Difference| holds_in_some_case(difference, &request);
                assert!(touching.iter().any(in_case), "in no case: {}", say());
            }
        }
    }
    assert!(different > 20_000 && more > 4_000, "{different} {more}");
    // It does not report everything, either.
    assert!(quiet > 10, "{quiet}");
}

#[test]
fn a_policy_does_not_differ_from_itself() {
    let mut random = Random(0x5eed_5a3e_5eed_5a3e);
    for _ in 0..300 {
        let policy = policy::random(&mut random);
        let found = differences(&policy, &policy, NOW_S);
        assert!(found.is_empty(), "{policy:#}\n{found:#?}");
    }
}

#[test]
fn more_regions_than_can_be_compared_are_reported_as_a_whole() {
    let with = |last: &str| {
        let rule = |n: usize| {
            let (host, method) = (format!("h{n}.test"), format!("M{n}"));
            serde_json::json!({ "path": format!("/p{n}"), "hosts": [host], "methods": [method], "public": true })
        };
        let mut rules: Vec<_> = (0..30).map(rule).collect();
        rules.push(serde_json::json!({ "path": last, "public": true }));
        serde_json::json!({ "contract": "1", "issuers": [], "rules": rules })
    };
    let found = differences(&with("/x"), &with("/y"), NOW_S);
    let whole = |one: &Difference| matches!(one.subject, Subject::TooMany) && one.admits_more();
    assert!(found.iter().any(whole), "{found:#?}");
    assert!(differences(&with("/x"), &with("/x"), NOW_S).is_empty());
}
