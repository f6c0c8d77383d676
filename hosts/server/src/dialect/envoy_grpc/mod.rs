//! Envoy's `ext_authz` over gRPC, version 3: a `CheckRequest` is the question, a
//! `CheckResponse` the reply. The configuration of the proxy names the policy, in
//! `context_extensions`.
//!
//! A denial is always a `denied_response`: Envoy takes an RPC error, and an
//! `error_response`, for a failure of this server, and lets the request pass where
//! `failure_mode_allow` is set.

mod metadata;
mod read;
mod reply;

pub(crate) use metadata::metadata;
pub(crate) use read::{policy, read};
pub(crate) use reply::reply;

#[cfg(test)]
mod tests;
