//! The parts of a vector that can be played while Envoy fetches itself: the
//! documents that its issuers publish, and then requests.

use std::collections::BTreeMap;

use countersign_conformance::{
    native::Native,
    protocol::{Fetch, Reply},
    run::{self, Mode},
    vector::{Event, Request, Response, Step, Supply, Vector},
};
use serde_json::Value;

/// A vector in a form that can be played.
pub(super) struct Scene {
    pub(super) id: String,
    pub(super) stage: Stage,
    pub(super) checks: Vec<Check>,
}

/// The state before the first request. Scenes with the same state share a
/// stage.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stage {
    pub(super) policy: String,
    /// Documents by URI; `None` if the fetch fails.
    pub(super) documents: BTreeMap<String, Option<Published>>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Published {
    pub(super) status: u16,
    pub(super) cache_control: String,
    pub(super) body: Vec<u8>,
}

/// A request, and the answer of the native crate.
pub(super) struct Check {
    pub(super) at: u64,
    pub(super) request: Request,
    pub(super) expected: Reply,
}

impl Scene {
    /// Makes a scene, or returns why a vector cannot be played.
    pub(super) fn of(vector: &Vector) -> Result<Self, &'static str> {
        let record = run::play(&mut Native::default(), vector, Mode::Fresh);
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
            },
            checks: Vec::new(),
        };
        let mut asked: Vec<&Fetch> = Vec::new();
        for (step, reply) in vector.steps.iter().zip(record.replies.iter().skip(1)) {
            if let Reply::Fetches(fetches) = reply {
                asked.extend(fetches);
            }
            scene.add(step, reply, &asked)?;
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
            Event::Due { .. } | Event::NextDue { .. } => Ok(()),
            Event::Supply { supply, .. } => self.publish(supply, asked),
            Event::Request { .. } if matches!(reply, Reply::Wait(_)) => {
                Err("a check that waits for what never comes")
            }
            Event::Request { request, .. } => {
                self.checks.push(Check {
                    at: step.at,
                    request: request.clone(),
                    expected: reply.clone(),
                });
                Ok(())
            }
        }
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

impl Published {
    fn of(response: &Response) -> Self {
        Self {
            status: response.status,
            cache_control: response.cache_control.clone(),
            body: response.body.0.clone(),
        }
    }
}
