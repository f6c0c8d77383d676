//! gRPC on the listener: Envoy's `ext_authz`, and `grpc.health.v1`.

mod codec;
mod health;

use std::{convert::Infallible, future::Future, pin::Pin};

use bytes::Bytes;
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use prost::Message;
use tonic::{
    Status,
    server::{Grpc, UnaryService},
};

pub(crate) use health::{Health, is_health};

/// The path of the only call of `ext_authz`.
pub(crate) const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// Headers of all fields, and what Envoy adds to them. A larger message is denied.
const MESSAGE_BYTES: usize = 2 << 20;

/// Answers a call of `ext_authz`. `None` stands for a message that cannot be read.
pub(crate) async fn check<B, F, R>(request: Request<B>, reply: F) -> Response<tonic::body::Body>
where
    B: Body + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
    F: Fn(Option<CheckRequest>) -> R + Clone + Send + 'static,
    R: Future<Output = CheckResponse> + Send + 'static,
{
    let decode = {
        let reply = reply.clone();
        move |message: Bytes| reply(CheckRequest::decode(message).ok())
    };
    let mut grpc = Grpc::new(codec::Whole).max_decoding_message_size(MESSAGE_BYTES);
    let response = grpc.unary(Call(decode), request).await;
    // The service never fails: this is a call that tonic could not read, one that is too
    // large or compressed. Envoy may take an RPC error for an allow.
    match response.headers().contains_key(Status::GRPC_STATUS) {
        true => {
            let empty: &[u8] = &[0; 5];
            let nothing = Request::new(Full::<Bytes>::from(empty));
            let unreadable = move |_| reply(None);
            Grpc::new(codec::Whole)
                .unary(Call(unreadable), nothing)
                .await
        }
        false => response,
    }
}

/// A function as the service of one call.
struct Call<F>(F);

impl<F, R> UnaryService<Bytes> for Call<F>
where
    F: Fn(Bytes) -> R,
    R: Future<Output = CheckResponse> + Send + 'static,
{
    type Response = CheckResponse;
    type Future =
        Pin<Box<dyn Future<Output = Result<tonic::Response<CheckResponse>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let reply = (self.0)(request.into_inner());
        Box::pin(async move { Ok(tonic::Response::new(reply.await)) })
    }
}

/// The result of a service that cannot fail.
pub(crate) fn infallible<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}
