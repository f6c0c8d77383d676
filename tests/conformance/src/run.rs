//! Plays a vector on a host and reports the differences.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    host::Host,
    protocol::{Command, Fetch, Reply},
    vector::{Document, Event, Expect, Step, Supply, SupplyExpect, Vector},
};

mod compare;
mod leak;
mod told;

/// How a vector is played. All modes must give the same results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The vector as it is written.
    Fresh,
    /// Every request and token twice in a row: the second time it is remembered.
    Remembered,
    /// With the memory for tokens switched off.
    Forgetful,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Fresh, Self::Remembered, Self::Forgetful];
}

/// The answers of a host, step by step, and their faults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// One for opening the policy, then one for each step.
    pub replies: Vec<Reply>,
    /// The faults in words; empty if the host satisfies the contract.
    pub faults: Vec<String>,
}

/// Plays one vector.
pub fn play(host: &mut dyn Host, vector: &Vector, mode: Mode) -> Record {
    const GATE: u32 = 1;
    let mut record = Record::default();
    let policy = policy_text(&vector.policy, mode);
    let opened = host.answer(&Command::Open {
        gate: GATE,
        policy: policy.clone(),
        secrets: vector.secrets.clone(),
    });
    record
        .faults
        .extend(compare::opened(&opened, &vector.problems));
    let open = matches!(opened, Reply::Opened {});
    record.replies.push(opened);
    if !open {
        return record;
    }
    let mut sources = Sources::default();
    let mut effects = told::Effects::default();
    for (index, step) in vector.steps.iter().enumerate() {
        let place = format!("step {} (at {})", index + 1, step.at);
        let Some(command) = command(step, GATE, &sources) else {
            record
                .faults
                .push(format!("{place}: the gate never asked for this document"));
            break;
        };
        let reply = host.answer(&command);
        if mode == Mode::Remembered && is_check(&command) {
            let again = host.answer(&command);
            if again != reply {
                record
                    .faults
                    .push(format!("{place}: first {reply:?}, then {again:?}"));
            }
        }
        sources.learn(&command, &reply);
        let faults = match &step.event {
            Event::Operation(asked) => effects.judge(asked, &reply),
            _ => judge(step, &reply, &policy),
        };
        record
            .faults
            .extend(faults.into_iter().map(|fault| format!("{place}: {fault}")));
        record.replies.push(without_tickets(reply));
    }
    host.answer(&Command::Close { gate: GATE });
    record
}

/// Tickets are numbers of the gate's questions, of which a gate whose host
/// verifies signatures has more.
fn without_tickets(mut reply: Reply) -> Reply {
    if let Reply::Wait(fetches) = &mut reply {
        for fetch in fetches {
            fetch.ticket = fetch.ticket.map(|_| 0);
        }
    }
    reply
}

fn policy_text(policy: &Value, mode: Mode) -> String {
    match policy {
        Value::String(text) => text.clone(),
        Value::Object(members) if mode == Mode::Forgetful && !members.contains_key("remember") => {
            let mut members = members.clone();
            members.insert("remember".into(), false.into());
            Value::Object(members).to_string()
        }
        other => other.to_string(),
    }
}

/// The documents that the gate has requested so far: issuer and kind, with
/// source and address.
#[derive(Default)]
struct Sources {
    last: BTreeMap<(String, String), (u32, String)>,
    /// The source by issuer, kind and address.
    by_uri: BTreeMap<(String, String, String), u32>,
    /// The tickets of open requests, by issuer.
    open: Vec<(String, u64)>,
}

impl Sources {
    fn learn(&mut self, command: &Command, reply: &Reply) {
        if let Command::Respond { ticket, .. } = command {
            self.open.retain(|(_, open)| open != ticket);
        }
        let (Reply::Fetches(fetches) | Reply::Wait(fetches)) = reply else {
            return;
        };
        for fetch in fetches {
            if let Some(ticket) = fetch.ticket {
                let asked = (fetch.issuer.clone(), ticket);
                if !self.open.contains(&asked) {
                    self.open.push(asked);
                }
                continue;
            }
            let (issuer, kind, uri) = (fetch.issuer.clone(), fetch.kind.clone(), fetch.uri.clone());
            self.by_uri
                .insert((issuer.clone(), kind.clone(), uri.clone()), fetch.source);
            self.last.insert((issuer, kind), (fetch.source, uri));
        }
    }

    fn of(&self, supply: &Supply) -> Option<(u32, String)> {
        let (issuer, kind) = (supply.issuer.clone(), supply.kind.clone());
        let last = self.last.get(&(issuer.clone(), kind.clone()))?;
        let Some(uri) = &supply.uri else {
            return Some(last.clone());
        };
        let source = self.by_uri.get(&(issuer, kind, uri.clone()));
        Some((source.copied().unwrap_or(last.0), uri.clone()))
    }
}

fn command(step: &Step, gate: u32, sources: &Sources) -> Option<Command> {
    let at = step.at;
    Some(match &step.event {
        Event::Request { request, .. } => Command::Request {
            gate,
            at,
            request: request.clone(),
        },
        Event::Token {
            token,
            requirement,
            proven,
            ..
        } => {
            let requirement = requirement.as_ref().map(Value::to_string);
            Command::Token {
                gate,
                at,
                token: token.clone(),
                requirement,
                proven: *proven,
            }
        }
        Event::Operation(asked) => Command::Ask(asked.question(gate, at)),
        Event::Due { .. } => Command::Due { gate, at },
        Event::NextDue { .. } => Command::NextDue { gate, at },
        Event::Supply { supply, .. } if supply.kind == "introspection" => {
            let mut open = sources.open.iter();
            Command::Respond {
                gate,
                at,
                ticket: open.find(|(issuer, _)| *issuer == supply.issuer)?.1,
                response: supply.response.clone(),
            }
        }
        Event::Supply { supply, .. } => {
            let (source, uri) = sources.of(supply)?;
            Command::Supply {
                gate,
                at,
                source,
                uri,
                response: supply.response.clone(),
            }
        }
    })
}

/// Whether a command can be given twice with the same reply. A proof is used
/// once.
fn is_check(command: &Command) -> bool {
    match command {
        Command::Request { request, .. } => {
            request.headers.iter().all(|(name, _)| name.0 != b"dpop")
        }
        Command::Token { .. } => true,
        _ => false,
    }
}

fn judge(step: &Step, reply: &Reply, policy: &str) -> Vec<String> {
    match &step.event {
        Event::Request { expect, .. } | Event::Token { expect, .. } => {
            let mut faults = match (expect, reply) {
                (Expect::Allow(wanted), Reply::Allow(grant)) => compare::grant(wanted, grant),
                (Expect::Deny(wanted), Reply::Deny(denial)) => compare::denial(wanted, denial),
                (Expect::Answer(wanted), Reply::Answer(answer)) if wanted == answer => Vec::new(),
                (Expect::Wait(wanted), Reply::Wait(fetches)) => compare_fetches(wanted, fetches),
                _ => vec![format!("expected {}, got {reply:?}", wanted(expect))],
            };
            if let Reply::Deny(denial) = reply {
                faults.extend(leak::of(denial, &step.event, policy));
            }
            faults
        }
        Event::Due { due } => match reply {
            Reply::Fetches(fetches) => compare_fetches(due, fetches),
            _ => vec![format!("expected fetches, got {reply:?}")],
        },
        Event::NextDue { next_due } => match reply {
            Reply::NextDue(seen) if seen == next_due => Vec::new(),
            _ => vec![format!("expected {next_due:?} ms, got {reply:?}")],
        },
        Event::Supply { expect, .. } => match (expect, reply) {
            (SupplyExpect::Refused, Reply::Refused(_))
            | (SupplyExpect::Outdated, Reply::Outdated {}) => Vec::new(),
            (SupplyExpect::Accepted(wanted), Reply::Accepted(skipped)) => {
                compare::skipped(wanted, skipped)
            }
            _ => vec![format!("expected {expect:?}, got {reply:?}")],
        },
        // Compared by what the vector has seen before.
        Event::Operation(_) => Vec::new(),
    }
}

fn wanted(expect: &Expect) -> String {
    match expect {
        Expect::Deny(deny) => deny.code.clone(),
        other => format!("{other:?}"),
    }
}

fn compare_fetches(wanted: &[Document], fetches: &[Fetch]) -> Vec<String> {
    let mut seen: Vec<Document> = fetches
        .iter()
        .map(|f| Document {
            issuer: f.issuer.clone(),
            kind: f.kind.clone(),
            uri: Some(f.uri.clone()),
            headers: Some(f.headers.clone()),
            body: Some(f.body.clone()),
        })
        .collect();
    let mut wanted = wanted.to_vec();
    wanted.sort();
    seen.sort();
    let same = wanted.len() == seen.len()
        && wanted.iter().zip(&seen).all(|(wanted, seen)| {
            (&wanted.issuer, &wanted.kind) == (&seen.issuer, &seen.kind)
                && (wanted.uri.is_none() || wanted.uri == seen.uri)
                && (wanted.headers.is_none() || wanted.headers == seen.headers)
                && (wanted.body.is_none() || wanted.body == seen.body)
        });
    if same {
        Vec::new()
    } else {
        vec![format!("expected to fetch {wanted:?}, got {seen:?}")]
    }
}
