//! The sealed component in wasmtime as a host.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use wasmtime::{
    Config, Engine, Store,
    component::{Component, Linker},
};

use countersign as verifier;

use crate::{
    cryptography::{self, Keys},
    host::Host,
    operation::{self, Question, Told, hex},
    proofs::Proofs,
    protocol::{self, Command, Reply},
    vector::{self, Response, Signatures},
};

use bindings::{
    Countersign,
    exports::countersign::gate::gate::{
        Change, Connection, Decision, Denial, Event, Fetch, FetchKind, Grant, Guest, HostKey,
        Native, Need, Outcome, Outgoing, Principal, Problem, Request, Response as Answer, Severity,
        Supplied, Verification,
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
    signatures: Signatures,
    gates: HashMap<u32, Open>,
}

struct Open {
    policy: Vec<u8>,
    handle: u32,
    keys: Keys,
    proofs: Proofs,
}

impl Sealed {
    /// Compiles and instantiates a component. It gets no imports.
    ///
    /// # Errors
    /// If it cannot be read or is not a component of this world.
    pub fn load(component: &Path, signatures: Signatures) -> wasmtime::Result<Self> {
        Self::with(false, component, signatures)
    }

    /// The same, and counts the instructions that it executes.
    ///
    /// # Errors
    /// Those of [`Self::load`].
    pub fn load_counting(component: &Path) -> wasmtime::Result<Self> {
        Self::with(true, component, Signatures::Module)
    }

    /// Returns how many instructions were executed: the fuel of wasmtime.
    ///
    /// # Errors
    /// If they are not counted.
    pub fn executed(&self) -> wasmtime::Result<u64> {
        Ok(u64::MAX - self.store.get_fuel()?)
    }

    fn with(counting: bool, component: &Path, signatures: Signatures) -> wasmtime::Result<Self> {
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
            signatures,
            gates: HashMap::new(),
        })
    }

    fn reply(&mut self, command: &Command) -> wasmtime::Result<Reply> {
        let store = &mut self.store;
        let guest = self.instance.countersign_gate_gate();
        let handle = |gate: &u32| {
            let known = self.gates.get(gate);
            let handle = known.map(|open| open.handle);
            handle.ok_or_else(|| wasmtime::Error::msg(format!("gate {gate} is not open")))
        };
        Ok(match command {
            Command::Open {
                gate,
                policy,
                secrets,
            } => {
                let secrets = secrets.iter();
                let secrets: Vec<_> = secrets
                    .map(|(name, secret)| (name.clone(), secret.clone().into_bytes()))
                    .collect();
                let native = match self.signatures {
                    Signatures::Module => None,
                    Signatures::Native => Some(offer()),
                };
                let policy = policy.as_bytes();
                match guest.call_open(&mut *store, policy, 0, native.as_ref(), &secrets)? {
                    Ok(handle) => {
                        let open = Open {
                            handle,
                            policy: policy.into(),
                            keys: Keys::default(),
                            proofs: Proofs::default(),
                        };
                        self.gates.insert(*gate, open);
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
                    Supplied::Accepted(accepted) => Reply::Accepted(problems(accepted.skipped)),
                    Supplied::Refused(refused) => Reply::Refused(problem(refused)),
                    Supplied::Outdated => Reply::Outdated {},
                    Supplied::Unfinished => unreachable!("it was resumed"),
                }
            }
            Command::NextDue { gate, at } => {
                Reply::NextDue(guest.call_next_due(&mut *store, handle(gate)?, *at)?)
            }
            Command::Respond {
                gate,
                at,
                ticket,
                response,
            } => {
                let (handle, outcome) = (handle(gate)?, outcome(response.as_ref()));
                match guest.call_respond(&mut *store, handle, *ticket, &outcome, *at)? {
                    None => Reply::Accepted(Vec::new()),
                    Some(refused) => Reply::Refused(problem(refused)),
                }
            }
            Command::Request { gate, at, request } => {
                let asked = asked(request);
                self.decide(*gate, *at, |guest, store, handle| {
                    guest.call_check(store, handle, &asked, *at)
                })?
            }
            Command::Token {
                gate,
                at,
                token,
                requirement,
                proven,
            } => {
                let handle = handle(gate)?;
                let requirement = match requirement {
                    None => 0,
                    Some(text) => match guest.call_prepare(&mut *store, handle, text.as_bytes())? {
                        Ok(number) => number,
                        Err(refused) => return Ok(Reply::Problems(problems(refused))),
                    },
                };
                self.decide(*gate, *at, |guest, store, handle| {
                    guest.call_check_token(store, handle, &token.0, requirement, *proven, *at)
                })?
            }
            Command::Close { gate } => {
                guest.call_close(&mut *store, handle(gate)?)?;
                self.gates.remove(gate);
                Reply::Closed {}
            }
            Command::Ask(Question::LastEvent { gate, subject_key }) => {
                let key = subject_key.as_bytes();
                let told = guest.call_last_event(&mut *store, handle(gate)?, key, true)?;
                Reply::Told(Told::Event(event(told)))
            }
            Command::Ask(Question::Digest { gate }) => {
                let open = self.gates.get(gate);
                let policy = open.map(|open| &*open.policy).unwrap_or_default();
                match guest.call_policy_digest(&mut *store, policy)? {
                    Ok(digest) => Reply::Told(Told::Digest(hex(&digest))),
                    Err(refused) => Reply::Problems(problems(refused)),
                }
            }
            Command::Ask(Question::Ready { gate }) => {
                Reply::Told(Told::Ready(guest.call_ready(&mut *store, handle(gate)?)?))
            }
            Command::Ask(Question::OpenSigned { at, signed, trust }) => {
                let (signed, trust) = (signed.as_bytes(), trust.as_bytes());
                match guest.call_open_signed(&mut *store, signed, trust, *at)? {
                    Ok(opened) => Reply::Told(Told::Signed(operation::SignedPolicy {
                        policy: String::from_utf8_lossy(&opened.policy).into_owned(),
                        version: opened.version,
                        expires_ms: opened.expires_ms,
                        kid: opened.kid,
                    })),
                    Err(refused) => Reply::Refused(problem(refused)),
                }
            }
        })
    }

    /// Decides, verifies the signatures and looks up the proofs for which the gate
    /// asks.
    fn decide(
        &mut self,
        gate: u32,
        at: u64,
        mut check: impl FnMut(&Guest, &mut Store<()>, u32) -> wasmtime::Result<Decision>,
    ) -> wasmtime::Result<Reply> {
        let store = &mut self.store;
        let guest = self.instance.countersign_gate_gate();
        let open = self.gates.get_mut(&gate);
        let open = open.ok_or_else(|| wasmtime::Error::msg("it is not open"))?;
        let Open {
            handle,
            policy: _,
            keys,
            proofs,
        } = open;
        for _ in 0..cryptography::ROUNDS {
            let decided = check(guest, store, *handle)?;
            let mut is_decided = true;
            if let Decision::Wait(needs) = &decided {
                for need in needs {
                    let (ticket, verified) = match need {
                        Need::Signature(asked) => {
                            let key =
                                || key(guest.call_key(&mut *store, *handle, asked.key).ok()?);
                            let bytes = (&*asked.signed, &*asked.signature);
                            let verified = keys.verify(asked.key, key, &asked.algorithm, bytes);
                            (asked.ticket, verified)
                        }
                        Need::Proof(asked) => {
                            (asked.ticket, proofs.enter(&asked.id, asked.expires_ms, at))
                        }
                        Need::Document(_) | Need::Request(_) => continue,
                    };
                    let verified = verification(verified);
                    guest.call_verified(&mut *store, *handle, ticket, verified)?;
                    is_decided = false;
                }
            }
            if is_decided {
                return decision(decided, |number| {
                    guest.call_granted(&mut *store, *handle, number)
                });
            }
        }
        Err(wasmtime::Error::msg("the gate asks again and again"))
    }
}

fn offer() -> Native {
    let offer = cryptography::offer();
    let names = offer.algorithms.iter();
    Native {
        fips: offer.fips,
        algorithms: names
            .map(|algorithm| algorithm.as_str().to_owned())
            .collect(),
    }
}

fn key(key: Option<HostKey>) -> Option<verifier::HostKey> {
    Some(match key? {
        HostKey::Public(spki) => verifier::HostKey::Public(spki),
        HostKey::Secret(secret) => verifier::HostKey::Secret(secret),
    })
}

fn verification(verification: verifier::Verification) -> Verification {
    match verification {
        verifier::Verification::Valid => Verification::Valid,
        verifier::Verification::Invalid => Verification::Invalid,
        verifier::Verification::Failed => Verification::Failed,
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
        connection: Connection {
            scheme: request.connection.scheme.clone().into_bytes(),
            certificate: request.connection.certificate(),
            peer: request.connection.peer(),
        },
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
            nonce,
        }) => Reply::Deny(protocol::Denial {
            code,
            status,
            message,
            challenge,
            claim,
            principal,
            retry_after_s,
            nonce,
        }),
        Decision::Answer(answer) => Reply::Answer(vector::Answer {
            status: answer.status,
            headers: answer.headers,
            body: String::from_utf8_lossy(&answer.body).into_owned(),
        }),
        Decision::Wait(needs) => {
            let fetches = needs.into_iter().filter_map(|need| match need {
                Need::Document(document) => Some(fetch(document)),
                Need::Request(request) => Some(sent(request)),
                Need::Signature(_) | Need::Proof(_) => None,
            });
            Reply::Wait(fetches.collect())
        }
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

fn event(event: Event) -> operation::Event {
    operation::Event {
        rule: event.rule.map(|rule| operation::MatchedRule {
            index: rule.index,
            name: rule.name,
            path: rule.path,
        }),
        issuer: event.issuer,
        token_type: event.token_type,
        remembered: event.remembered,
        subject_ref: event.subject_ref,
        effects: event.effects.map(|effects| hex(&effects)),
    }
}

fn fetches(fetches: Vec<Fetch>) -> Vec<protocol::Fetch> {
    fetches.into_iter().map(fetch).collect()
}

fn fetch(fetch: Fetch) -> protocol::Fetch {
    protocol::Fetch {
        source: fetch.source,
        issuer: fetch.issuer,
        kind: match fetch.kind {
            FetchKind::Discovery => "discovery",
            FetchKind::Jwks => "jwks",
            FetchKind::Revocations => "revocations",
            FetchKind::ApiKeys => "api_keys",
        }
        .to_owned(),
        uri: fetch.uri,
        headers: fetch.headers,
        ticket: None,
        body: String::new(),
        timeout_ms: fetch.timeout_ms,
        max_bytes: fetch.max_bytes,
    }
}

fn sent(request: Outgoing) -> protocol::Fetch {
    protocol::Fetch {
        source: 0,
        issuer: request.issuer,
        kind: "introspection".into(),
        uri: request.uri,
        headers: request.headers,
        ticket: Some(request.ticket),
        body: String::from_utf8_lossy(&request.body).into_owned(),
        timeout_ms: request.timeout_ms,
        max_bytes: request.max_bytes,
    }
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
