//! What is around the gate of a stage: its issuers, and its used proofs.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex},
};

use countersign_conformance::scene::{Published, Stage};
use countersign_host::{
    Fetch, FetchError, Fetcher, Fetching, FirstUse, Outgoing, Proof, ProofStore, Response,
};

/// Answers about tokens by address and the first part of the body, in their order.
type Answers = BTreeMap<(String, String), VecDeque<Option<Published>>>;

#[derive(Clone)]
pub(super) struct Documents {
    documents: Arc<BTreeMap<String, Option<Published>>>,
    answers: Arc<Mutex<Answers>>,
}

impl Documents {
    pub(super) fn of(stage: &Stage) -> Self {
        let answers = stage.answers.iter();
        let answers = answers.map(|(about, all)| (about.clone(), all.iter().cloned().collect()));
        Self {
            documents: Arc::new(stage.documents.clone()),
            answers: Arc::new(Mutex::new(answers.collect())),
        }
    }
}

impl Fetcher for Documents {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Fetching<'a> {
        let found = self.documents.get(&fetch.uri).cloned().flatten();
        Box::pin(std::future::ready(response(found)))
    }

    fn send<'a>(&'a self, request: &'a Outgoing) -> Fetching<'a> {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let token = body.split('&').next().unwrap_or_default().to_owned();
        let about = (request.uri.clone(), token);
        let mut answers = self.answers.lock().unwrap();
        let found = answers.get_mut(&about).and_then(VecDeque::pop_front);
        Box::pin(std::future::ready(response(found.flatten())))
    }
}

fn response(found: Option<Published>) -> Result<Response, FetchError> {
    let found = found.ok_or(FetchError::new("it is not published"))?;
    Ok(Response {
        status: found.status,
        cache_control: found.cache_control,
        body: found.body,
    })
}

/// The used proofs of one gate: those of one process share a table otherwise, and the
/// vectors have some proofs in common.
#[derive(Default)]
pub(super) struct Proofs(Mutex<HashSet<[u8; 32]>>);

impl ProofStore for Proofs {
    fn first_use<'a>(
        &'a self,
        proof: &'a Proof,
    ) -> Pin<Box<dyn Future<Output = FirstUse> + Send + 'a>> {
        let first = match self.0.lock().unwrap().insert(proof.id) {
            true => FirstUse::Yes,
            false => FirstUse::No,
        };
        Box::pin(std::future::ready(first))
    }
}
