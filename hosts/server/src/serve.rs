//! The server: from a question to its reply.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use countersign_host::Decision;
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use http::{Extensions, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{Either, Full};

use crate::{
    config::{Config, ConfigError, DialectName},
    dialect::{
        self,
        envoy_grpc::{self, Told},
        reply::{self, Reply},
    },
    grpc::{self, Health},
    listen::{self, Listener},
    peer::Peer,
    policies::Policies,
};

/// The body of a reply: that of gRPC has trailers.
pub(crate) type ReplyBody = Either<Full<Bytes>, tonic::body::Body>;

/// A decision server, ready to listen.
#[derive(Clone, Debug)]
pub struct Server {
    config: Arc<Config>,
    policies: Policies,
}

impl Server {
    /// Opens every policy.
    ///
    /// # Errors
    /// Every problem of the configuration and of the policies.
    pub async fn open(config: Config) -> Result<Self, ConfigError> {
        Ok(Self {
            policies: Policies::open(&config).await?,
            config: Arc::new(config),
        })
    }

    /// Answers until `stop` is done, and then the requests that are under way.
    ///
    /// # Errors
    /// A listener that fails.
    pub async fn run(
        self,
        listener: Listener,
        stop: impl Future<Output = ()>,
    ) -> std::io::Result<()> {
        listen::run(listener, self, stop).await
    }

    /// One request of a proxy.
    pub(crate) async fn ask<B>(
        &self,
        request: Request<B>,
        peer: Peer,
    ) -> Result<Response<ReplyBody>, Infallible>
    where
        B: Body + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
    {
        let path = request.uri().path();
        let reply = if path == grpc::CHECK && self.speaks(DialectName::EnvoyGrpc) {
            let server = self.clone();
            let check = move |check| {
                let server = server.clone();
                async move { server.check(check, peer).await }
            };
            grpc::check(request, check).await.map(Either::Right)
        } else if grpc::is_health(path) {
            let policies = self.policies.clone();
            let health = Health::new(move || policies.are_ready());
            health.answer(request).await.map(Either::Right)
        } else {
            self.question(request, peer).await.map(Either::Left)
        };
        Ok(reply)
    }

    /// One question of Envoy over gRPC; `None` if it cannot be read.
    async fn check(&self, check: Option<CheckRequest>, peer: Peer) -> CheckResponse {
        let is_trusted = peer.is_trusted(&self.config.trusted_proxies);
        let Some(check) = check.filter(|_| is_trusted) else {
            return envoy_grpc::reply(None, &dialect::ambiguous(), None);
        };
        let Some(gate) = envoy_grpc::policy(&check).and_then(|name| self.policies.gate(name))
        else {
            tracing::warn!("a proxy names no policy that this server has in `context_extensions`");
            let denied = Decision::Deny(reply::internal_error());
            return envoy_grpc::reply(None, &denied, None);
        };
        let asked = envoy_grpc::read(&check).ok();
        let (mut extensions, told) = (Extensions::new(), Told::default());
        extensions.insert(told.clone());
        let decision = match &asked {
            Some(asked) => gate.check_bytes_with(asked.request(), &extensions).await,
            None => dialect::ambiguous(),
        };
        let facts = &self.config.dynamic_metadata;
        let metadata = envoy_grpc::metadata(facts, &decision, told.take().as_ref());
        envoy_grpc::reply(asked.as_ref(), &decision, metadata)
    }

    /// One question of a proxy over HTTP.
    async fn question<B>(&self, request: Request<B>, peer: Peer) -> Reply {
        let (parts, _) = request.into_parts();
        let target = parts
            .uri
            .path_and_query()
            .map_or("", |target| target.as_str());
        let Some((dialect, policy, rest)) = self.place(target) else {
            return reply::empty(StatusCode::NOT_FOUND);
        };
        let Some(gate) = self.policies.gate(policy) else {
            return reply::empty(StatusCode::NOT_FOUND);
        };
        let decision = match peer.is_trusted(&self.config.trusted_proxies) {
            true => match dialect::read(dialect, &parts, rest) {
                Ok(asked) => gate.check_bytes(asked.request()).await,
                Err(dialect::Ambiguous) => dialect::ambiguous(),
            },
            false => dialect::ambiguous(),
        };
        if let Decision::Deny(denial) = &decision {
            tracing::debug!(code = denial.code, "denied");
        }
        dialect::reply(dialect, &parts, &decision)
    }

    /// The dialect, the policy's name and the rest of `/{dialect}/{policy}{rest}`.
    fn place<'t>(&self, target: &'t str) -> Option<(DialectName, &'t str, &'t str)> {
        let (dialect, after) = target.strip_prefix('/')?.split_once('/')?;
        let end = after.find(['/', '?']).unwrap_or(after.len());
        let (policy, rest) = after.split_at(end);
        let dialect = DialectName::parse(dialect)?;
        self.speaks(dialect).then_some((dialect, policy, rest))
    }

    fn speaks(&self, dialect: DialectName) -> bool {
        self.config.dialects.contains(&dialect)
    }
}
