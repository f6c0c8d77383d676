//! The crate `countersign` itself as a host.

use std::collections::HashMap;

use countersign as verifier;
use verifier::{Decision, Gate, Outcome, Severity, Supplied};

use crate::{
    host::Host,
    protocol::{Command, Denial, Fetch, Grant, Principal, Problem, Reply},
    vector::{self, Answer, Change, Response},
};

/// Gates in this process.
#[derive(Debug, Default)]
pub struct Native {
    gates: HashMap<u32, Gate>,
}

impl Host for Native {
    fn answer(&mut self, command: &Command) -> Reply {
        if let Command::Open { gate, policy } = command {
            return self.open(*gate, policy);
        }
        let (Command::Open { gate, .. }
        | Command::Due { gate, .. }
        | Command::NextDue { gate, .. }
        | Command::Supply { gate, .. }
        | Command::Request { gate, .. }
        | Command::Token { gate, .. }
        | Command::Close { gate }) = command;
        let Some(open) = self.gates.get_mut(gate) else {
            return Reply::Error(format!("gate {gate} is not open"));
        };
        match command {
            Command::Open { .. } => unreachable!("answered above"),
            Command::Due { at, .. } => Reply::Fetches(open.due(*at).iter().map(fetch).collect()),
            Command::Supply {
                at,
                source,
                uri,
                response,
                ..
            } => {
                let mut supplied = open.supply(*source, uri, outcome(response.as_ref()), *at);
                while supplied == Supplied::Unfinished {
                    supplied = open.resume(*source, &[], *at);
                }
                match supplied {
                    Supplied::Accepted { skipped } => Reply::Accepted(problems(&skipped)),
                    Supplied::Refused(refused) => Reply::Refused(problem(&refused)),
                    Supplied::Outdated => Reply::Outdated {},
                    Supplied::Unfinished => unreachable!("it was resumed"),
                }
            }
            Command::NextDue { at, .. } => Reply::NextDue(open.next_due(*at)),
            Command::Request { at, request, .. } => check(open, request, *at),
            Command::Token {
                at,
                token,
                requirement,
                ..
            } => {
                let requirement = match requirement.as_ref().map(|r| open.prepare(r.as_bytes())) {
                    None => 0,
                    Some(Ok(number)) => number,
                    Some(Err(refused)) => return Reply::Problems(problems(&refused)),
                };
                decision(&open.check_token(&token.0, requirement, *at))
            }
            Command::Close { gate } => {
                self.gates.remove(gate);
                Reply::Closed {}
            }
        }
    }
}

impl Native {
    fn open(&mut self, gate: u32, policy: &str) -> Reply {
        match Gate::open(policy.as_bytes(), 0) {
            Ok(open) => {
                self.gates.insert(gate, open);
                Reply::Opened {}
            }
            Err(refused) => Reply::Problems(problems(&refused)),
        }
    }
}

fn check(gate: &mut Gate, request: &vector::Request, at: u64) -> Reply {
    let headers: Vec<verifier::Header<'_>> = request
        .headers
        .iter()
        .map(|(name, value)| (&*name.0, &*value.0))
        .collect();
    let request = verifier::Request {
        method: &request.method.0,
        authority: &request.authority.0,
        target: &request.target.0,
        headers: &headers,
    };
    decision(&gate.check(&request, at))
}

fn outcome(response: Option<&Response>) -> Outcome<'_> {
    match response {
        None => Outcome::Failed,
        Some(Response {
            status,
            cache_control,
            body,
        }) => Outcome::Response {
            status: *status,
            cache_control,
            length: body.0.len(),
            body: body.0.as_slice().into(),
        },
    }
}

fn decision(decision: &Decision) -> Reply {
    match decision {
        Decision::Allow(grant) => Reply::Allow(Grant {
            principal: grant.principal.as_deref().map(principal),
            others: grant
                .others
                .iter()
                .map(|other| (other.name.to_string(), principal(&other.principal)))
                .collect(),
            set_headers: grant
                .set_headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            remove_headers: strings(&grant.remove_headers),
            changes: grant.changes.iter().map(change).collect(),
        }),
        Decision::Deny(denial) => Reply::Deny(Denial {
            code: denial.code.to_string(),
            status: denial.status(),
            message: denial.code.sentence().to_owned(),
            challenge: denial.challenge.clone(),
            claim: denial.claim.as_deref().map(str::to_owned),
            principal: denial.principal.as_deref().map(str::to_owned),
            retry_after_s: denial.retry_after_s,
        }),
        Decision::Answer(answer) => Reply::Answer(Answer {
            status: answer.status,
            headers: answer
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            body: String::from_utf8_lossy(&answer.body).into_owned(),
        }),
        Decision::Wait(fetches) => Reply::Wait(fetches.iter().map(fetch).collect()),
    }
}

fn change(change: &verifier::Change) -> Change {
    match change {
        verifier::Change::SetHeader(name, value) => Change::SetHeader(
            name.to_string(),
            String::from_utf8_lossy(value).into_owned(),
        ),
        verifier::Change::RemoveHeader(name) => Change::RemoveHeader(name.to_string()),
        verifier::Change::SetTarget(target) => {
            Change::SetTarget(String::from_utf8_lossy(target).into_owned())
        }
    }
}

fn principal(principal: &verifier::Principal) -> Principal {
    Principal {
        issuer: principal.issuer.to_string(),
        iss: principal.iss.to_string(),
        subject: principal.subject.as_deref().map(str::to_owned),
        token_type: principal.token_type.as_deref().map(str::to_owned),
        tenant: principal.tenant.as_deref().map(str::to_owned),
        tenants: strings(&principal.tenants),
        roles: strings(&principal.roles),
        scopes: strings(&principal.scopes),
        expires_at_ms: principal.expires_at_ms,
        claims: principal.claims.to_string(),
    }
}

fn fetch(fetch: &verifier::Fetch) -> Fetch {
    Fetch {
        source: fetch.source,
        issuer: fetch.issuer.to_string(),
        kind: fetch.kind.as_str().to_owned(),
        uri: fetch.uri.to_string(),
        timeout_ms: fetch.timeout_ms,
        max_bytes: fetch.max_bytes,
    }
}

fn problems(problems: &[verifier::Problem]) -> Vec<Problem> {
    problems.iter().map(problem).collect()
}

fn problem(problem: &verifier::Problem) -> Problem {
    Problem {
        pointer: problem.pointer.clone(),
        code: problem.code.to_owned(),
        message: problem.message.clone(),
        severity: match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
        .to_owned(),
    }
}

fn strings(strings: &[Box<str>]) -> Vec<String> {
    strings.iter().map(|s| s.to_string()).collect()
}
