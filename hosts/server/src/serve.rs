//! The server: from a question to its reply.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use countersign_host::{Decision, GateBuilder};
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use http::{Extensions, Request, Response, StatusCode, Version};
use http_body::Body;
use http_body_util::{Either, Full};
use tokio::sync::Semaphore;

use crate::{
    config::{Config, ConfigError, DialectName},
    dialect::{self, Ambiguous, Asked, answer, envoy_grpc, reply::Reply},
    files::Contents,
    grpc::{self, Health},
    introspection::{self, Introspection},
    journal::{AskedIn, Journal},
    metrics::{Metrics, Outcome},
    peer::Peer,
    policies::{self, Hooks, Policies, Policy, Reloaded},
    tls::TlsFiles,
    told::Told,
};

/// In place of a dialect: responses of the gate itself.
const ANSWER: &str = "answer";

/// The body of a reply: that of gRPC has trailers.
pub(crate) type ReplyBody = Either<Full<Bytes>, tonic::body::Body>;

/// A decision server, ready to listen. Cheap to clone; all clones are one server.
#[derive(Clone, Debug)]
pub struct Server {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Arc<Config>,
    /// What the files contained before they were read.
    contents: Contents,
    policies: Policies,
    tls: Option<TlsFiles>,
    metrics: Option<Arc<Metrics>>,
    journal: Option<Journal>,
    /// One permit for each question that may be under way.
    questions: Semaphore,
    introspection: Option<Introspection>,
    is_ending: AtomicBool,
}

impl Server {
    /// Reads every file, and opens every policy. Needs a tokio runtime.
    ///
    /// # Errors
    /// Every problem of the files, the policies and the secrets.
    pub async fn open(config: Config) -> Result<Self, ConfigError> {
        Self::open_with(config, |_, builder| builder).await
    }

    /// [`Self::open`] for programs that embed the server: `gate` gets the name of each
    /// policy and the builder of its gate, and may give it a clock, a fetcher, or a store of
    /// proofs of its own. It is called again with each reload.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(
        config: Config,
        gate: impl Fn(&str, GateBuilder) -> GateBuilder + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        let config = Arc::new(config);
        let contents = Contents::of(&config.watched());
        let mut problems = Vec::new();
        let tls = config.tls.as_ref().map(TlsFiles::open).transpose();
        let tls = tls.unwrap_or_else(|error| {
            problems.extend(error.0);
            None
        });
        let journal = config.decision_log.as_ref().map(Journal::open).transpose();
        let journal = journal.unwrap_or_else(|error| {
            problems.extend(error.0);
            None
        });
        let metrics = config
            .operations
            .map(|_| Metrics::new())
            .transpose()?
            .map(Arc::new);
        if let (Some(metrics), Some(journal)) = (&metrics, &journal) {
            metrics.watch(&journal.log);
        }
        let hooks = Hooks {
            journal: journal.clone(),
            metrics: metrics.clone(),
            embedding: Some(Arc::new(gate)),
        };
        let policies = Policies::open(config.clone(), hooks).await;
        let mut introspection = None;
        if let (Some(callers), Ok(policies)) = (&config.introspection, &policies) {
            match Introspection::open(callers, policies).await {
                Ok(opened) => introspection = Some(opened),
                Err(error) => problems.extend(error.0),
            }
        }
        match policies {
            Ok(policies) if problems.is_empty() => Ok(Self {
                shared: Arc::new(Shared {
                    questions: Semaphore::new(config.limits.questions),
                    config,
                    contents,
                    policies,
                    tls,
                    metrics,
                    journal,
                    introspection,
                    is_ending: AtomicBool::new(false),
                }),
            }),
            Ok(_) => Err(ConfigError(problems)),
            Err(error) => {
                problems.extend(error.0);
                Err(ConfigError(problems))
            }
        }
    }

    /// Reads all files again and puts in force what has changed and is good; what is not
    /// good leaves the old one in force. Settings of the configuration itself change with
    /// the next start only.
    pub async fn reload(&self) -> Reloaded {
        let mut reloaded = self.shared.policies.reload().await;
        reloaded.tls = self.tls().map(|tls| match tls.reload() {
            Ok(false) => policies::Outcome::Unchanged,
            Ok(true) => policies::Outcome::InForce,
            Err(ConfigError(problems)) => {
                reloaded.problems.extend(problems);
                policies::Outcome::Refused
            }
        });
        if let Some(introspection) = &self.shared.introspection {
            let clients = introspection.reload(&self.shared.policies).await;
            reloaded
                .problems
                .extend(clients.err().into_iter().flat_map(|error| error.0));
        }
        for problem in &reloaded.problems {
            let problem = ConfigError(vec![problem.clone()]);
            tracing::error!(%problem, "what was in force stays in force");
        }
        if let Some(metrics) = self.metrics() {
            for (policy, outcome) in &reloaded.policies {
                metrics.reloaded(policy, outcome.as_str());
            }
        }
        reloaded
    }

    /// Begins a new file of the decision log, where the old one was moved away.
    pub fn reopen_log(&self) {
        if let Some(journal) = &self.shared.journal {
            journal.reopen();
        }
    }

    /// Whether every gate has had the documents that it cannot do without, and the server
    /// is not at its end.
    pub fn is_ready(&self) -> bool {
        !self.shared.is_ending.load(Ordering::Relaxed) && self.shared.policies.are_ready()
    }

    /// From now on it is not ready.
    pub(crate) fn begin_end(&self) {
        self.shared.is_ending.store(true, Ordering::Relaxed);
    }

    /// Writes what the decision log has not written yet. Blocks.
    pub(crate) fn flush_log(&self) {
        if let Some(journal) = &self.shared.journal {
            journal.log.flush();
        }
    }

    pub(crate) fn config(&self) -> &Config {
        &self.shared.config
    }

    /// What the files contained when the server was opened.
    pub(crate) fn contents(&self) -> Contents {
        self.shared.contents.clone()
    }

    pub(crate) fn policies(&self) -> &Policies {
        &self.shared.policies
    }

    pub(crate) fn tls(&self) -> Option<&TlsFiles> {
        self.shared.tls.as_ref()
    }

    pub(crate) fn metrics(&self) -> Option<&Arc<Metrics>> {
        self.shared.metrics.as_ref()
    }

    /// One request of a proxy. Only gRPC has a body that is read.
    pub(crate) async fn ask<B>(
        &self,
        request: Request<B>,
        peer: Peer,
    ) -> Result<Response<ReplyBody>, Infallible>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
    {
        let path = request.uri().path();
        if path == grpc::CHECK && self.speaks(DialectName::EnvoyGrpc) {
            let server = self.clone();
            let check = move |check| {
                let server = server.clone();
                async move { server.check(check, peer).await }
            };
            let reply = grpc::check(request, check).await;
            return Ok(reply.map(Either::Right));
        }
        if grpc::is_health(path) {
            let server = self.clone();
            let health = Health::new(move || server.is_ready());
            let reply = health.answer(request).await;
            return Ok(reply.map(Either::Right));
        }
        if let Some(introspection) = &self.shared.introspection
            && let Some(policy) = request.uri().path().strip_prefix(introspection::PATH)
            && let Some(policy) = self.shared.policies.policy(policy)
        {
            let began = Instant::now();
            let answered =
                introspection.answer(request, &policy.name, peer, &self.shared.questions);
            let (reply, outcome) = answered.await;
            if let Some(metrics) = &self.shared.metrics {
                metrics.answered("introspection", &policy.name, outcome, began.elapsed());
            }
            return Ok(reply.map(Either::Left));
        }
        Ok(self.question(request, peer).await.map(Either::Left))
    }

    /// One question of Envoy over gRPC; `None` if it cannot be read.
    async fn check(&self, check: Option<CheckRequest>, peer: Peer) -> CheckResponse {
        let Some(check) = check.filter(|_| peer.is_trusted) else {
            return envoy_grpc::reply(None, &dialect::ambiguous(), None);
        };
        let policy = envoy_grpc::policy(&check).and_then(|name| self.policies().policy(name));
        let Some(policy) = policy else {
            tracing::warn!("a proxy names no policy of this server in `context_extensions`");
            let denied = Decision::Deny(dialect::reply::internal_error());
            return envoy_grpc::reply(None, &denied, None);
        };
        let (mut extensions, told) = (Extensions::new(), Told::default());
        let facts = &self.config().dynamic_metadata;
        if !facts.is_empty() {
            extensions.insert(told.clone());
        }
        let dialect = DialectName::EnvoyGrpc.as_str();
        let read = || envoy_grpc::read(&check);
        let decision = self.decide(dialect, policy, read, peer, extensions).await;
        let metadata = envoy_grpc::metadata(facts, &decision, told.take().as_ref());
        envoy_grpc::reply(envoy_grpc::read(&check).ok().as_ref(), &decision, metadata)
    }

    /// One question of a proxy over HTTP.
    async fn question<B>(&self, request: Request<B>, peer: Peer) -> Reply {
        let (parts, _) = request.into_parts();
        // No proxy asks by an absolute target of its own: its client has written it, and Caddy
        // passes `GET x:http://a/b` on as that.
        if parts.version < Version::HTTP_2 && parts.uri.scheme().is_some() {
            return dialect::reply::empty(StatusCode::BAD_REQUEST);
        }
        let target = parts
            .uri
            .path_and_query()
            .map_or("", |target| target.as_str());
        let extensions = Extensions::new();
        if let Some((ANSWER, policy, rest)) = self.place(target) {
            let read = || answer::read(&parts, rest);
            let decision = self.decide(ANSWER, policy, read, peer, extensions);
            return answer::reply(&decision.await);
        }
        let place = self.place(target).and_then(|(dialect, policy, rest)| {
            let dialect = DialectName::parse(dialect).filter(|dialect| self.speaks(*dialect))?;
            Some((dialect, policy, rest))
        });
        let Some((dialect, policy, rest)) = place else {
            return dialect::reply::empty(StatusCode::NOT_FOUND);
        };
        let read = || dialect::read(dialect, &parts, rest);
        let decision = self.decide(dialect.as_str(), policy, read, peer, extensions);
        dialect::reply(dialect, &parts, &decision.await)
    }

    /// Decides about what the peer asks. `read` is called only for a trusted one.
    pub(crate) async fn decide<'a>(
        &self,
        dialect: &'static str,
        policy: &Policy,
        read: impl FnOnce() -> Result<Asked<'a>, Ambiguous>,
        peer: Peer,
        extensions: Extensions,
    ) -> Decision {
        let began = self.shared.metrics.as_ref().map(|_| Instant::now());
        let (decision, outcome) = self.decided(dialect, policy, read, peer, extensions).await;
        if let (Some(metrics), Some(began)) = (&self.shared.metrics, began) {
            metrics.answered(dialect, &policy.name, outcome, began.elapsed());
        }
        decision
    }

    async fn decided<'a>(
        &self,
        dialect: &'static str,
        policy: &Policy,
        read: impl FnOnce() -> Result<Asked<'a>, Ambiguous>,
        peer: Peer,
        mut extensions: Extensions,
    ) -> (Decision, Outcome) {
        if !peer.is_trusted {
            return (dialect::ambiguous(), Outcome::Untrusted);
        }
        // At once, and not after a wait: the proxy's own limit of time would be over.
        let Ok(_permit) = self.shared.questions.try_acquire() else {
            return (dialect::overloaded(), Outcome::Shed);
        };
        let Ok(asked) = read() else {
            return (dialect::ambiguous(), Outcome::Ambiguous);
        };
        if self.shared.journal.is_some() {
            extensions.insert(AskedIn(dialect));
        }
        let gate = policy.gate();
        let decision = gate.check_bytes_with(asked.request(), &extensions).await;
        (decision, Outcome::Decided)
    }

    /// The dialect, the policy and the rest of `/{dialect}/{policy}{rest}`.
    fn place<'t>(&self, target: &'t str) -> Option<(&'t str, &Policy, &'t str)> {
        let (dialect, after) = target.strip_prefix('/')?.split_once('/')?;
        let end = after.find(['/', '?']).unwrap_or(after.len());
        let (policy, rest) = after.split_at(end);
        Some((dialect, self.policies().policy(policy)?, rest))
    }

    fn speaks(&self, dialect: DialectName) -> bool {
        self.shared.config.dialects.contains(&dialect)
    }
}
