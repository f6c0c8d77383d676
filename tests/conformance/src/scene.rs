//! The parts of a vector that can be played while a host fetches by itself, as a proxy or
//! a server does: the documents that its issuers publish, and then requests.

use std::collections::BTreeMap;

use crate::{
    native::Native,
    protocol::{Fetch, Reply},
    run::{self, Mode},
    vector::{Event, Request, Response, Signatures, Step, Supply, Vector},
};
use serde_json::{Value, json};

/// How long a request to an authorization server is open (`introspection.one-flight`).
const OPEN_MS: u64 = 10_000;

/// A vector in a form that can be played.
#[derive(Debug)]
pub struct Scene {
    /// That of the vector.
    pub id: String,
    /// What is there before the first request.
    pub stage: Stage,
    /// The requests, in order.
    pub checks: Vec<Check>,
    /// The requests to authorization servers that are open.
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    since: u64,
    fetch: Fetch,
    request: Request,
}

/// The state before the first request. Scenes with the same state share a
/// stage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stage {
    /// The policy's text.
    pub policy: String,
    /// Documents by URI; `None` if the fetch fails.
    pub documents: BTreeMap<String, Option<Published>>,
    /// Answers about tokens by URI and the first part of the request's body, in their
    /// order; `None` if there is none.
    pub answers: BTreeMap<(String, String), Vec<Option<Published>>>,
    /// The secrets of the host, as JSON.
    pub secrets: String,
    /// The scene that has the stage alone: others would find its proofs used, or
    /// the state of its authorization server.
    pub alone: Option<String>,
}

/// A response of an issuer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Published {
    /// HTTP status.
    pub status: u16,
    /// `Cache-Control`.
    pub cache_control: String,
    /// The body.
    pub body: Vec<u8>,
}

/// A request, and the answer of the native crate. There is none to one that has
/// waited: the vector tells the answer to the next.
#[derive(Debug)]
pub struct Check {
    /// Milliseconds since 1970.
    pub at: u64,
    /// The request.
    pub request: Request,
    /// The answer of the native crate.
    pub expected: Option<Reply>,
}

impl Scene {
    /// Makes a scene.
    ///
    /// # Errors
    /// Why the vector cannot be played.
    ///
    /// # Panics
    /// If the native crate does not answer as the vector says.
    pub fn of(vector: &Vector, signatures: Signatures) -> Result<Self, &'static str> {
        if vector.signatures.is_some_and(|ours| ours != signatures) {
            return Err("signatures that another verifies");
        }
        let record = run::play(&mut Native::new(signatures), vector, Mode::Fresh);
        assert!(
            record.faults.is_empty(),
            "{}: {:?}",
            vector.id,
            record.faults
        );
        if !vector.problems.is_empty() {
            return Err("a policy that is refused");
        }
        let mut scene = Self {
            id: vector.id.clone(),
            stage: Stage {
                policy: match &vector.policy {
                    Value::String(text) => text.clone(),
                    policy => policy.to_string(),
                },
                documents: BTreeMap::new(),
                answers: BTreeMap::new(),
                secrets: json!(vector.secrets).to_string(),
                alone: None,
            },
            checks: Vec::new(),
            open: Vec::new(),
        };
        let mut asked: Vec<&Fetch> = Vec::new();
        for (step, reply) in vector.steps.iter().zip(record.replies.iter().skip(1)) {
            if let Reply::Fetches(fetches) = reply {
                asked.extend(fetches);
            }
            scene.add(step, reply, &asked)?;
        }
        let mut checks = scene.checks.iter();
        if !checks.any(|check| check.expected.is_some()) && !vector.steps.is_empty() {
            return Err("no request that is decided");
        }
        let proven = |check: &Check| is_proven(&check.request);
        if !scene.stage.answers.is_empty() || scene.checks.iter().any(proven) {
            scene.stage.alone = Some(scene.id.clone());
        }
        let moments = |moment: &u64| vector.steps.iter().all(|step| step.at == *moment);
        let first = vector.steps.first().map_or(0, |step| step.at);
        if !scene.stage.documents.is_empty() && !moments(&first) {
            return Err("documents that grow old");
        }
        Ok(scene)
    }

    fn add(&mut self, step: &Step, reply: &Reply, asked: &[&Fetch]) -> Result<(), &'static str> {
        match &step.event {
            Event::Token { .. } => Err("a token without a request"),
            Event::Due { .. } | Event::NextDue { .. } | Event::Operation(_) => Ok(()),
            Event::Supply { supply, .. } if supply.kind == "introspection" => {
                self.answer(supply, step.at)
            }
            Event::Supply { supply, .. } => self.publish(supply, asked),
            // The host asks, and the server answers at once: it is played when the answer
            // comes.
            Event::Request { request, .. } if let Some(fetch) = introspection(reply) => {
                let (since, request) = (step.at, request.clone());
                let fetch = fetch.clone();
                self.open.push(Open {
                    since,
                    fetch,
                    request,
                });
                Ok(())
            }
            Event::Request { .. } if matches!(reply, Reply::Wait(_)) => {
                Err("a check that waits for what never comes")
            }
            Event::Request { .. } if !self.open.is_empty() => {
                Err("a check while the server takes its time")
            }
            Event::Request { request, .. } => {
                self.checks.push(Check {
                    at: step.at,
                    request: request.clone(),
                    expected: Some(reply.clone()),
                });
                Ok(())
            }
        }
    }

    /// Adds the answer to the request that waits longest.
    fn answer(&mut self, supply: &Supply, at: u64) -> Result<(), &'static str> {
        let mut all = self.open.iter();
        let place = all.position(|open| open.fetch.issuer == supply.issuer);
        let open = self.open.remove(place.ok_or("an answer to no request")?);
        if at >= open.since + OPEN_MS {
            return Err("an answer that comes too late");
        }
        // Other checks wait for the same one.
        let is_same = |other: &Open| other.fetch.body == open.fetch.body;
        self.open.retain(|other| !is_same(other));
        let Open { fetch, request, .. } = open;
        let token = fetch.body.split('&').next().unwrap_or_default();
        let about = (fetch.uri, token.to_owned());
        let answer = supply.response.as_ref().map(Published::of);
        self.stage.answers.entry(about).or_default().push(answer);
        // A proof is good once: the request of the next check waits in its place.
        if !is_proven(&request) {
            self.checks.push(Check {
                at,
                request,
                expected: None,
            });
        }
        Ok(())
    }

    fn publish(&mut self, supply: &Supply, asked: &[&Fetch]) -> Result<(), &'static str> {
        if supply.uri.is_some() {
            return Err("documents that move");
        }
        let mut asked = asked.iter().rev();
        let fetch = asked.find(|f| f.issuer == supply.issuer && f.kind == supply.kind);
        let uri = fetch
            .ok_or("a document that the gate did not request")?
            .uri
            .clone();
        let document = supply.response.as_ref().map(Published::of);
        let known = self.stage.documents.insert(uri, document);
        if known.is_some() || !self.checks.is_empty() {
            return Err("documents that change");
        }
        Ok(())
    }
}

/// Returns the request to an authorization server for which a check waits.
fn introspection(reply: &Reply) -> Option<&Fetch> {
    match reply {
        Reply::Wait(fetches) => fetches.iter().find(|fetch| fetch.kind == "introspection"),
        _ => None,
    }
}

impl Published {
    fn of(response: &Response) -> Self {
        Self {
            status: response.status,
            cache_control: response.cache_control.clone(),
            body: response.body.0.clone(),
        }
    }
}

/// Returns whether the request has a proof of a key. It is good once.
pub fn is_proven(request: &Request) -> bool {
    request.headers.iter().any(|(name, _)| name.0 == b"dpop")
}
