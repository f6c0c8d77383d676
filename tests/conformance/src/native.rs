//! The crate `countersign` itself as a host.

use std::collections::{BTreeMap, HashMap};

use countersign as verifier;
use verifier::{Decision, Gate, Need, Outcome, Severity, Supplied, policy_json};

use crate::{
    cryptography::{self, Keys},
    host::Host,
    operation::{self, Question, SignedPolicy, Told, hex},
    proofs::Proofs,
    protocol::{Command, Denial, Fetch, Grant, Principal, Problem, Reply},
    vector::{self, Answer, Change, Response, Signatures},
};

/// Gates in this process.
#[derive(Debug, Default)]
pub struct Native {
    signatures: Signatures,
    gates: HashMap<u32, Open>,
}

#[derive(Debug)]
struct Open {
    gate: Gate,
    keys: Keys,
    proofs: Proofs,
}

impl Host for Native {
    fn answer(&mut self, command: &Command) -> Reply {
        if let Command::Open {
            gate,
            policy,
            secrets,
        } = command
        {
            return self.open(*gate, policy, secrets);
        }
        if let Command::Ask(question) = command {
            return self.tell(question);
        }
        let (Command::Open { gate, .. }
        | Command::Due { gate, .. }
        | Command::NextDue { gate, .. }
        | Command::Supply { gate, .. }
        | Command::Respond { gate, .. }
        | Command::Request { gate, .. }
        | Command::Token { gate, .. }
        | Command::Close { gate }) = command
        else {
            unreachable!("answered above")
        };
        let Some(open) = self.gates.get_mut(gate) else {
            return not_open(*gate);
        };
        match command {
            Command::Open { .. } | Command::Ask(_) => unreachable!("answered above"),
            Command::Due { at, .. } => {
                Reply::Fetches(open.gate.due(*at).iter().map(fetch).collect())
            }
            Command::Respond {
                at,
                ticket,
                response,
                ..
            } => match open.gate.respond(*ticket, outcome(response.as_ref()), *at) {
                None => Reply::Accepted(Vec::new()),
                Some(refused) => Reply::Refused(problem(&refused)),
            },
            Command::Supply {
                at,
                source,
                uri,
                response,
                ..
            } => {
                let open = &mut open.gate;
                let mut supplied = open.supply(*source, uri, outcome(response.as_ref()), *at);
                while supplied == Supplied::Unfinished {
                    supplied = open.resume(*source, &[], *at);
                }
                match supplied {
                    Supplied::Accepted { skipped, .. } => Reply::Accepted(problems(&skipped)),
                    Supplied::Refused(refused) => Reply::Refused(problem(&refused)),
                    Supplied::Outdated => Reply::Outdated {},
                    Supplied::Unfinished => unreachable!("it was resumed"),
                }
            }
            Command::NextDue { at, .. } => Reply::NextDue(open.gate.next_due(*at)),
            Command::Request { at, request, .. } => {
                open.decide(*at, |gate| check(gate, request, *at))
            }
            Command::Token {
                at,
                token,
                requirement,
                proven,
                ..
            } => {
                let requirement = match requirement
                    .as_ref()
                    .map(|r| open.gate.prepare(r.as_bytes()))
                {
                    None => 0,
                    Some(Ok(number)) => number,
                    Some(Err(refused)) => return Reply::Problems(problems(&refused)),
                };
                open.decide(*at, |gate| {
                    gate.check_token(&token.0, requirement, *proven, *at)
                })
            }
            Command::Close { gate } => {
                self.gates.remove(gate);
                Reply::Closed {}
            }
        }
    }
}

impl Native {
    /// Gates whose signatures are verified so.
    pub fn new(signatures: Signatures) -> Self {
        Self {
            signatures,
            gates: HashMap::new(),
        }
    }

    fn open(&mut self, gate: u32, policy: &str, secrets: &BTreeMap<String, String>) -> Reply {
        let native = match self.signatures {
            Signatures::Module => None,
            Signatures::Native => Some(cryptography::offer()),
        };
        let secrets = secrets.iter();
        let secrets: Vec<_> = secrets.map(|(n, s)| (&**n, s.as_bytes())).collect();
        let host = verifier::Host {
            seed: 0,
            native,
            secrets: &secrets,
        };
        let opened =
            policy_json(policy.as_bytes()).and_then(|policy| Gate::open_json(&policy, host));
        match opened {
            Ok(open) => {
                let open = Open {
                    gate: open,
                    keys: Keys::default(),
                    proofs: Proofs::default(),
                };
                self.gates.insert(gate, open);
                Reply::Opened {}
            }
            Err(refused) => Reply::Problems(problems(&refused)),
        }
    }
}

impl Native {
    /// Answers what an operator asks.
    fn tell(&mut self, question: &Question) -> Reply {
        let (Question::LastEvent { gate, .. }
        | Question::Digest { gate }
        | Question::Ready { gate }) = question
        else {
            return opened(question);
        };
        let Some(Open { gate, .. }) = self.gates.get_mut(gate) else {
            return not_open(*gate);
        };
        Reply::Told(match question {
            Question::LastEvent { subject_key, .. } => {
                Told::Event(event(gate.last_event(subject_key.as_bytes(), true)))
            }
            Question::Digest { .. } => Told::Digest(hex(&gate.digest())),
            Question::Ready { .. } => Told::Ready(gate.ready()),
            Question::OpenSigned { .. } => unreachable!("it has no gate"),
        })
    }
}

fn not_open(gate: u32) -> Reply {
    Reply::Error(format!("gate {gate} is not open"))
}

fn opened(question: &Question) -> Reply {
    let Question::OpenSigned { at, signed, trust } = question else {
        return Reply::Error("it is about a gate".into());
    };
    match verifier::open_signed(signed.as_bytes(), trust.as_bytes(), *at) {
        Ok(opened) => Reply::Told(Told::Signed(SignedPolicy {
            policy: String::from_utf8_lossy(&opened.policy).into_owned(),
            version: opened.version,
            expires_ms: opened.expires_ms,
            kid: opened.kid.into(),
        })),
        Err(refused) => Reply::Refused(problem(&refused)),
    }
}

fn event(event: verifier::Event) -> operation::Event {
    operation::Event {
        rule: event.rule.map(|rule| operation::MatchedRule {
            index: rule.index,
            name: rule.name.map(String::from),
            path: rule.path,
        }),
        issuer: event.issuer.map(|issuer| issuer.to_string()),
        token_type: event.token_type.map(String::from),
        remembered: event.remembered,
        subject_ref: event.subject_ref,
        effects: event.effects.map(|effects| hex(&effects)),
    }
}

impl Open {
    /// Decides, verifies the signatures and looks up the proofs for which the gate
    /// asks.
    fn decide(&mut self, at: u64, mut check: impl FnMut(&mut Gate) -> Decision) -> Reply {
        for _ in 0..cryptography::ROUNDS {
            let gate = &mut self.gate;
            let decided = check(gate);
            let mut is_decided = true;
            if let Decision::Wait(needs) = &decided {
                for need in needs {
                    let (ticket, verification) = match need {
                        Need::Signature(asked) => {
                            let verification = self.keys.verify(
                                asked.key,
                                || gate.key(asked.key),
                                asked.algorithm.as_str(),
                                (&asked.signed, &asked.signature),
                            );
                            (asked.ticket, verification)
                        }
                        Need::Proof(asked) => {
                            let first = self.proofs.enter(&asked.id, asked.expires_ms, at);
                            (asked.ticket, first)
                        }
                        Need::Document(_) | Need::Request(_) => continue,
                    };
                    gate.verified(ticket, verification);
                    is_decided = false;
                }
            }
            if is_decided {
                return decision(&decided);
            }
        }
        Reply::Error("the gate asks again and again".into())
    }
}

fn check(gate: &mut Gate, request: &vector::Request, at: u64) -> Decision {
    let headers: Vec<verifier::Header<'_>> = request
        .headers
        .iter()
        .map(|(name, value)| (&*name.0, &*value.0))
        .collect();
    let connection = &request.connection;
    let (certificate, peer) = (connection.certificate(), connection.peer());
    let request = verifier::Request {
        method: &request.method.0,
        authority: &request.authority.0,
        target: &request.target.0,
        headers: &headers,
        connection: verifier::Connection {
            scheme: connection.scheme.as_bytes(),
            certificate: &certificate,
            peer: &peer,
        },
    };
    gate.check(&request, at)
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
            set_headers: pairs(&grant.set_headers),
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
            nonce: denial.nonce.clone(),
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
        Decision::Wait(needs) => {
            let fetches = needs.iter().filter_map(|need| match need {
                Need::Document(document) => Some(fetch(document)),
                Need::Request(request) => Some(sent(request)),
                Need::Signature(_) | Need::Proof(_) => None,
            });
            Reply::Wait(fetches.collect())
        }
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
        headers: pairs(&fetch.headers),
        ticket: None,
        body: String::new(),
        timeout_ms: fetch.timeout_ms,
        max_bytes: fetch.max_bytes,
    }
}

fn sent(request: &verifier::Outgoing) -> Fetch {
    Fetch {
        source: 0,
        issuer: request.issuer.to_string(),
        kind: "introspection".into(),
        uri: request.uri.to_string(),
        headers: pairs(&request.headers),
        ticket: Some(request.ticket),
        body: String::from_utf8_lossy(&request.body).into_owned(),
        timeout_ms: request.timeout_ms,
        max_bytes: request.max_bytes,
    }
}

fn pairs(pairs: &[(Box<str>, Box<str>)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect()
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
