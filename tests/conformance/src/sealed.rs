//! The sealed component in wasmtime as a host.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use wasmtime::{
    Config, Engine, Store,
    component::{Component, Linker},
};

use crate::{
    host::Host,
    protocol::{self, Command, Reply},
    vector::{self, Response},
};

use bindings::{
    Countersign,
    exports::countersign::gate::gate::{
        Change, Decision, Denial, Fetch, FetchKind, Grant, Outcome, Principal, Problem, Request,
        Response as Answer, Severity, Supplied,
    },
};

#[allow(missing_docs, unreachable_pub, clippy::all)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/countersign.wit",
        world: "countersign",
    });
}

/// One instance of the component, with its gates by the numbers of the runner.
#[allow(missing_debug_implementations)]
pub struct Sealed {
    store: Store<()>,
    instance: Countersign,
    gates: HashMap<u32, u32>,
}

impl Sealed {
    /// Compiles and instantiates a component. It gets no imports.
    ///
    /// # Errors
    /// If it cannot be read or is not a component of this world.
    pub fn load(component: &Path) -> wasmtime::Result<Self> {
        Self::with(false, component)
    }

    /// The same, and counts the instructions that it executes.
    ///
    /// # Errors
    /// Those of [`Self::load`].
    pub fn load_counting(component: &Path) -> wasmtime::Result<Self> {
        Self::with(true, component)
    }

    /// Returns how many instructions were executed: the fuel of wasmtime.
    ///
    /// # Errors
    /// If they are not counted.
    pub fn executed(&self) -> wasmtime::Result<u64> {
        Ok(u64::MAX - self.store.get_fuel()?)
    }

    fn with(counting: bool, component: &Path) -> wasmtime::Result<Self> {
        let engine = Engine::new(Config::new().consume_fuel(counting))?;
        let component = Component::from_file(&engine, component)?;
        let mut store = Store::new(&engine, ());
        if counting {
            store.set_fuel(u64::MAX)?;
        }
        let instance = Countersign::instantiate(&mut store, &component, &Linker::new(&engine))?;
        Ok(Self {
            store,
            instance,
            gates: HashMap::new(),
        })
    }

    fn reply(&mut self, command: &Command) -> wasmtime::Result<Reply> {
        let store = &mut self.store;
        let guest = self.instance.countersign_gate_gate();
        let handle = |gate: &u32| {
            let known = self.gates.get(gate).copied();
            known.ok_or_else(|| wasmtime::Error::msg(format!("gate {gate} is not open")))
        };
        Ok(match command {
            Command::Open { gate, policy } => {
                match guest.call_open(&mut *store, policy.as_bytes(), 0)? {
                    Ok(handle) => {
                        self.gates.insert(*gate, handle);
                        Reply::Opened {}
                    }
                    Err(refused) => Reply::Problems(problems(refused)),
                }
            }
            Command::Due { gate, at } => {
                Reply::Fetches(fetches(guest.call_due(&mut *store, handle(gate)?, *at)?))
            }
            Command::Supply {
                gate,
                at,
                source,
                uri,
                response,
            } => {
                let (handle, outcome) = (handle(gate)?, outcome(response.as_ref()));
                let mut supplied =
                    guest.call_supply(&mut *store, handle, *source, uri, &outcome, *at)?;
                while let Supplied::Unfinished = supplied {
                    supplied = guest.call_resume(&mut *store, handle, *source, &[], *at)?;
                }
                match supplied {
                    Supplied::Accepted(skipped) => Reply::Accepted(problems(skipped)),
                    Supplied::Refused(refused) => Reply::Refused(problem(refused)),
                    Supplied::Outdated => Reply::Outdated {},
                    Supplied::Unfinished => unreachable!("it was resumed"),
                }
            }
            Command::NextDue { gate, at } => {
                Reply::NextDue(guest.call_next_due(&mut *store, handle(gate)?, *at)?)
            }
            Command::Request { gate, at, request } => {
                let handle = handle(gate)?;
                let decided = guest.call_check(&mut *store, handle, &asked(request), *at)?;
                decision(decided, |number| {
                    guest.call_granted(&mut *store, handle, number)
                })?
            }
            Command::Token {
                gate,
                at,
                token,
                requirement,
            } => {
                let handle = handle(gate)?;
                let requirement = match requirement {
                    None => 0,
                    Some(text) => match guest.call_prepare(&mut *store, handle, text.as_bytes())? {
                        Ok(number) => number,
                        Err(refused) => return Ok(Reply::Problems(problems(refused))),
                    },
                };
                let decided =
                    guest.call_check_token(&mut *store, handle, &token.0, requirement, *at)?;
                decision(decided, |number| {
                    guest.call_granted(&mut *store, handle, number)
                })?
            }
            Command::Close { gate } => {
                guest.call_close(&mut *store, handle(gate)?)?;
                self.gates.remove(gate);
                Reply::Closed {}
            }
        })
    }
}

impl Host for Sealed {
    fn answer(&mut self, command: &Command) -> Reply {
        self.reply(command)
            .unwrap_or_else(|error| Reply::Error(format!("{error:#}")))
    }
}

fn asked(request: &vector::Request) -> Request {
    Request {
        method: request.method.0.clone(),
        authority: request.authority.0.clone(),
        target: request.target.0.clone(),
        headers: request
            .headers
            .iter()
            .map(|(n, v)| (n.0.clone(), v.0.clone()))
            .collect(),
    }
}

fn outcome(response: Option<&Response>) -> Outcome {
    match response {
        None => Outcome::Failed,
        Some(Response {
            status,
            cache_control,
            body,
        }) => Outcome::Response(Answer {
            status: *status,
            cache_control: cache_control.clone(),
            length: body.0.len().try_into().unwrap_or(u32::MAX),
            body: body.0.clone(),
        }),
    }
}

fn decision(
    decision: Decision,
    mut grant: impl FnMut(u64) -> wasmtime::Result<Option<Grant>>,
) -> wasmtime::Result<Reply> {
    Ok(match decision {
        Decision::Allow(allowed) => {
            let granted = grant(allowed.grant)?;
            let granted = granted.ok_or_else(|| wasmtime::Error::msg("a grant says nothing"))?;
            let mut others = BTreeMap::new();
            for other in allowed.others {
                let principal = grant(other.grant)?.and_then(|granted| granted.principal);
                let principal =
                    principal.ok_or_else(|| wasmtime::Error::msg("a grant has no principal"))?;
                others.insert(other.name, identity(principal));
            }
            Reply::Allow(protocol::Grant {
                principal: granted.principal.map(identity),
                others,
                set_headers: granted.set_headers,
                remove_headers: granted.remove_headers,
                changes: allowed.changes.into_iter().map(change).collect(),
            })
        }
        Decision::Deny(Denial {
            code,
            status,
            message,
            challenge,
            claim,
            principal,
            retry_after_s,
        }) => Reply::Deny(protocol::Denial {
            code,
            status,
            message,
            challenge,
            claim,
            principal,
            retry_after_s,
        }),
        Decision::Answer(answer) => Reply::Answer(vector::Answer {
            status: answer.status,
            headers: answer.headers,
            body: String::from_utf8_lossy(&answer.body).into_owned(),
        }),
        Decision::Wait(list) => Reply::Wait(fetches(list)),
    })
}

fn change(change: Change) -> vector::Change {
    match change {
        Change::SetHeader((name, value)) => {
            vector::Change::SetHeader(name, String::from_utf8_lossy(&value).into_owned())
        }
        Change::RemoveHeader(name) => vector::Change::RemoveHeader(name),
        Change::SetTarget(target) => {
            vector::Change::SetTarget(String::from_utf8_lossy(&target).into_owned())
        }
    }
}

fn identity(principal: Principal) -> protocol::Principal {
    protocol::Principal {
        issuer: principal.issuer,
        iss: principal.iss,
        subject: principal.subject,
        token_type: principal.token_type,
        tenant: principal.tenant,
        tenants: principal.tenants,
        roles: principal.roles,
        scopes: principal.scopes,
        expires_at_ms: principal.expires_at_ms,
        claims: principal.claims,
    }
}

fn fetches(fetches: Vec<Fetch>) -> Vec<protocol::Fetch> {
    let fetch = |fetch: Fetch| protocol::Fetch {
        source: fetch.source,
        issuer: fetch.issuer,
        kind: match fetch.kind {
            FetchKind::Discovery => "discovery",
            FetchKind::Jwks => "jwks",
            FetchKind::Revocations => "revocations",
        }
        .to_owned(),
        uri: fetch.uri,
        timeout_ms: fetch.timeout_ms,
        max_bytes: fetch.max_bytes,
    };
    fetches.into_iter().map(fetch).collect()
}

fn problems(problems: Vec<Problem>) -> Vec<protocol::Problem> {
    problems.into_iter().map(problem).collect()
}

fn problem(problem: Problem) -> protocol::Problem {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    protocol::Problem {
        pointer: problem.pointer,
        code: problem.code,
        message: problem.message,
        severity: severity.to_owned(),
    }
}
