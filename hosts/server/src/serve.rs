//! The server: from a question to its reply.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use countersign_host::Decision;
use http::{Request, StatusCode};

use crate::{
    config::{Config, ConfigError, DialectName},
    dialect::{self, reply::Reply},
    introspection::Introspection,
    listen::{self, Listener},
    peer::Peer,
    policies::Policies,
};

/// A decision server, ready to listen.
#[derive(Clone, Debug)]
pub struct Server {
    config: Arc<Config>,
    policies: Policies,
    introspection: Option<Arc<Introspection>>,
}

impl Server {
    /// Opens every policy.
    ///
    /// # Errors
    /// Every problem of the configuration and of the policies.
    pub async fn open(config: Config) -> Result<Self, ConfigError> {
        let policies = Policies::open(&config).await?;
        let introspection = match &config.introspection {
            Some(introspection) => {
                let opened = Introspection::open(introspection, &config.listen, &policies).await;
                Some(Arc::new(opened.map_err(ConfigError)?))
            }
            None => None,
        };
        Ok(Self { config: Arc::new(config), policies, introspection })
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

    /// One question of a proxy.
    pub(crate) async fn ask<B>(&self, request: Request<B>, peer: Peer) -> Result<Reply, Infallible>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if let Some(introspection) = &self.introspection
            && let Some(policy) = request.uri().path().strip_prefix("/introspect/")
        {
            let Some(gate) = self.policies.gate(policy).cloned() else {
                return Ok(dialect::reply::empty(StatusCode::NOT_FOUND));
            };
            let policy = policy.to_owned();
            return Ok(introspection.answer(request, &policy, &gate, peer).await);
        }
        let (parts, _) = request.into_parts();
        let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
        let Some((dialect, policy, rest)) = self.place(target) else {
            return Ok(dialect::reply::empty(StatusCode::NOT_FOUND));
        };
        let Some(gate) = self.policies.gate(policy) else {
            return Ok(dialect::reply::empty(StatusCode::NOT_FOUND));
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
        Ok(dialect::reply(dialect, &parts, &decision))
    }

    /// The dialect, the policy's name and the rest of `/{dialect}/{policy}{rest}`.
    fn place<'t>(&self, target: &'t str) -> Option<(DialectName, &'t str, &'t str)> {
        let (dialect, after) = target.strip_prefix('/')?.split_once('/')?;
        let end = after.find(['/', '?']).unwrap_or(after.len());
        let (policy, rest) = after.split_at(end);
        let dialect = DialectName::parse(dialect)?;
        self.config.dialects.contains(&dialect).then_some((dialect, policy, rest))
    }
}
