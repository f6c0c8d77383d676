//! One gate in one instance of the sealed module, with the documents that it
//! needs.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use countersign_host::{
    Answer, Decision, DocumentKind, Fetch, FetchError, FirstUse, Instance, Need, OpenError,
    Outcome, Proof, Response, Step, Supplied, Trap,
};
use countersign_policy_source::Source;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    arguments::Host,
    documents::Documents,
    failure::Failure,
    request::{Request, Subject},
};

/// An open gate.
pub(crate) struct Session {
    instance: Instance,
    documents: Arc<Documents>,
    /// The proofs of possession that were used.
    proofs: HashSet<[u8; 32]>,
    /// The problems with documents so far.
    pub(crate) document_problems: Vec<DocumentProblem>,
    /// How long the module elapsed for the last decision, fetches left out.
    pub(crate) elapsed: Duration,
}

/// A document that could not be fetched or used.
#[derive(Clone, Debug)]
pub(crate) struct DocumentProblem {
    pub(crate) issuer: String,
    pub(crate) kind: DocumentKind,
    pub(crate) uri: String,
    pub(crate) message: String,
}

/// The largest number of rounds of fetches for a decision: discovery, its key set,
/// a revocation document, and one that was being fetched already.
const ROUNDS: usize = 8;

impl Session {
    /// Opens `policy`.
    pub(crate) fn open(
        policy: &Source,
        documents: Documents,
        host: &Host,
    ) -> Result<Self, Failure> {
        let secrets = host.secrets.iter();
        let secrets: Vec<_> = secrets.map(|(n, s)| (&**n, &**s)).collect();
        let instance = Instance::open_with(&policy.json, host.signatures, &secrets)
            .map_err(|error| refused(error, policy))?;
        Ok(Self {
            instance,
            documents: Arc::new(documents),
            proofs: HashSet::new(),
            document_problems: Vec::new(),
            elapsed: Duration::ZERO,
        })
    }

    /// Decides about a token or a request.
    pub(crate) async fn decide(
        &mut self,
        subject: &Subject,
        now_ms: u64,
    ) -> Result<Decision, Failure> {
        match subject {
            Subject::Request(request) => self.check(request, now_ms).await,
            Subject::Token(token, requirement) => {
                self.check_token(token, requirement.as_ref(), now_ms).await
            }
        }
    }

    /// Decides about a request.
    pub(crate) async fn check(
        &mut self,
        request: &Request,
        now_ms: u64,
    ) -> Result<Decision, Failure> {
        self.until_decided(now_ms, |instance| {
            request.with(|request| instance.check(request, now_ms))
        })
        .await
    }

    /// Decides about a token, which must also meet `requirement`.
    pub(crate) async fn check_token(
        &mut self,
        token: &[u8],
        requirement: Option<&Value>,
        now_ms: u64,
    ) -> Result<Decision, Failure> {
        let prepared = match requirement {
            None => 0,
            Some(requirement) => {
                let source = Source::from_json("--require", requirement.to_string().into_bytes());
                let prepared = self.instance.prepare(&source.json).map_err(trapped)?;
                prepared.map_err(|problems| Failure::Problems(source.locate(problems)))?
            }
        };
        self.until_decided(now_ms, |instance| {
            instance.check_token(token, prepared, false, now_ms)
        })
        .await
    }

    /// Every check in order. The decision before it has fetched the documents, and
    /// verified signatures.
    pub(crate) fn explain(&mut self, request: &Request, now_ms: u64) -> Result<Vec<Step>, Failure> {
        request
            .with(|request| self.instance.explain(request, now_ms))
            .map_err(trapped)
    }

    /// Fetches the documents that are due, as the host of a server does.
    pub(crate) async fn refresh(&mut self, now_ms: u64) -> Result<(), Failure> {
        let due = self.instance.due(now_ms).map_err(trapped)?;
        let needs = due.into_iter().map(Need::Document).collect();
        self.serve(needs, now_ms).await
    }

    async fn until_decided(
        &mut self,
        now_ms: u64,
        mut check: impl FnMut(&mut Instance) -> Result<Answer, Trap>,
    ) -> Result<Decision, Failure> {
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let answer = check(&mut self.instance).map_err(trapped)?;
            self.elapsed = start.elapsed();
            match answer {
                Answer::Decided(decision) => return Ok(decision),
                Answer::Wait(needs) => self.serve(needs, now_ms).await?,
            }
        }
        Err(Failure::usage("the gate keeps waiting for documents"))
    }

    /// Fetches documents and sends requests, all at once.
    async fn serve(&mut self, needs: Vec<Need>, now_ms: u64) -> Result<(), Failure> {
        let mut serving = JoinSet::new();
        for need in needs {
            let documents = Arc::clone(&self.documents);
            match need {
                Need::Document(fetch) => serving.spawn(async move {
                    let response = documents.fetch(&fetch).await;
                    (Need::Document(fetch), response)
                }),
                Need::Request(request) => serving.spawn(async move {
                    let response = documents.send(&request).await;
                    (Need::Request(request), response)
                }),
                Need::Proof(proof) => {
                    self.record(&proof)?;
                    continue;
                }
            };
        }
        while let Some(served) = serving.join_next().await {
            let (need, response) =
                served.map_err(|error| Failure::Usage(format!("a fetch failed: {error}")))?;
            match need {
                Need::Document(fetch) => self.supply(&fetch, response, now_ms)?,
                Need::Proof(_) => {}
                Need::Request(request) => {
                    let outcome = response.map_or(Outcome::Failed, Outcome::Response);
                    let refused = self.instance.respond(request.ticket, &outcome, now_ms);
                    if let Some(problem) = refused.map_err(trapped)? {
                        anstream::eprintln!("warning: issuer `{}`: {problem}", request.issuer);
                    }
                }
            }
        }
        Ok(())
    }

    /// Records the use of a proof in this session.
    fn record(&mut self, proof: &Proof) -> Result<(), Failure> {
        let first = match self.proofs.insert(proof.id) {
            true => FirstUse::Yes,
            false => FirstUse::No,
        };
        let told = self.instance.proven(proof.ticket, first);
        told.map_err(trapped)
    }

    fn supply(
        &mut self,
        fetch: &Fetch,
        fetched: Result<Response, FetchError>,
        now_ms: u64,
    ) -> Result<(), Failure> {
        let (outcome, reason) = match fetched {
            Err(error) => (Outcome::Failed, Some(error.to_string())),
            Ok(response) => {
                let status = response.status;
                let reason = (status != 200).then(|| format!("the server answered {status}"));
                (Outcome::Response(response), reason)
            }
        };
        let Fetch { source, uri, .. } = fetch;
        let mut supplied = self
            .instance
            .supply(*source, uri, &outcome, now_ms)
            .map_err(trapped)?;
        for call in 1.. {
            if supplied != Supplied::Unfinished {
                break;
            }
            let part = outcome.part(call);
            supplied = self
                .instance
                .resume(*source, part, now_ms)
                .map_err(trapped)?;
        }
        let messages = match (reason, supplied) {
            (Some(reason), _) => vec![reason],
            (None, Supplied::Accepted(accepted)) => {
                accepted.skipped.iter().map(ToString::to_string).collect()
            }
            (None, Supplied::Refused(problem)) => vec![problem.to_string()],
            (None, Supplied::Unfinished | Supplied::Outdated) => Vec::new(),
        };
        self.document_problems
            .extend(messages.into_iter().map(|message| DocumentProblem {
                issuer: fetch.issuer.clone(),
                kind: fetch.kind,
                uri: fetch.uri.clone(),
                message,
            }));
        Ok(())
    }
}

impl DocumentProblem {
    /// `{ "issuer", "kind", "uri", "message" }`.
    pub(crate) fn as_json(&self) -> Value {
        let Self {
            issuer,
            kind,
            uri,
            message,
        } = self;
        json!({ "issuer": issuer, "kind": kind.as_str(), "uri": uri, "message": message })
    }
}

fn refused(error: OpenError, policy: &Source) -> Failure {
    match error {
        OpenError::Policy(problems) => Failure::Problems(policy.locate(problems)),
        other => Failure::Usage(other.to_string()),
    }
}

fn trapped(trap: Trap) -> Failure {
    Failure::Usage(trap.to_string())
}
