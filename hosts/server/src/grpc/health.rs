//! `grpc.health.v1`: whether every policy had the documents that it cannot do without.

use std::{convert::Infallible, pin::Pin, sync::Arc, time::Duration};

use http::{Request, Response};
use http_body::Body;
use tokio::time;
use tonic::{Status, codegen::tokio_stream::Stream, server::NamedService};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_check_response::ServingStatus,
    health_server::{self, HealthServer},
};
use tower_service::Service;

use super::infallible;

/// The service itself, and the one of which it says the health.
const SERVICES: [&str; 2] = ["", "envoy.service.auth.v3.Authorization"];

/// How long a watch may not notice a change.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether a call is one about health.
pub(crate) fn is_health(path: &str) -> bool {
    let service = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    service.is_some_and(|(service, _)| service == <HealthServer<Health> as NamedService>::NAME)
}

/// Says the health by asking each time.
#[derive(Clone)]
pub(crate) struct Health(Arc<dyn Fn() -> bool + Send + Sync>);

impl Health {
    pub(crate) fn new(is_ready: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_ready))
    }

    /// Answers a call.
    pub(crate) async fn answer<B>(&self, request: Request<B>) -> Response<tonic::body::Body>
    where
        B: Body + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
    {
        let response: Result<_, Infallible> = HealthServer::new(self.clone()).call(request).await;
        infallible(response)
    }

    fn of(&self, service: &str) -> HealthCheckResponse {
        let status = match (SERVICES.contains(&service), (self.0)()) {
            (false, _) => ServingStatus::ServiceUnknown,
            (true, true) => ServingStatus::Serving,
            (true, false) => ServingStatus::NotServing,
        };
        HealthCheckResponse {
            status: status.into(),
        }
    }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    async fn check(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<HealthCheckResponse>, Status> {
        let health = self.of(&request.get_ref().service);
        match health.status() {
            ServingStatus::ServiceUnknown => Err(Status::not_found("unknown service")),
            _ => Ok(tonic::Response::new(health)),
        }
    }

    type WatchStream =
        Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send + 'static>>;

    /// The health now, and then each change.
    async fn watch(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<Self::WatchStream>, Status> {
        let (health, service) = (self.clone(), request.into_inner().service);
        let changes = futures_util::stream::unfold(None, move |last| {
            let (health, service) = (health.clone(), service.clone());
            async move {
                loop {
                    let now = health.of(&service);
                    if last != Some(now) {
                        return Some((Ok(now), Some(now)));
                    }
                    time::sleep(PAUSE).await;
                }
            }
        });
        Ok(tonic::Response::new(Box::pin(changes)))
    }
}
