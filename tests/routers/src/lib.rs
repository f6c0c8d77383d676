//! Random requests, over sockets, to real routers behind a gate. If a handler
//! runs, the gate must have checked the request with the rule of this handler.
//!
//! Each handler has its own rule ([`routes`]), which requires a scope with the
//! name of the handler. A token has one scope, and may reach only this handler
//! and the public one. If another handler answers, the gate and the router have
//! interpreted the request differently ([`run`]).

pub mod axum;
pub mod backend;
mod front;
pub mod http1;
pub mod http2;
mod nginx;
pub mod own;
mod process;
pub mod request;
pub mod routes;
pub mod run;
