//! Random requests, over sockets, to real routers behind a gate: whatever
//! handler runs, the gate has judged by that handler's rule, or has denied.
//!
//! Each handler has a rule of its own ([`routes`]), which needs a scope that
//! has the handler's name. A token with that scope alone then reaches this
//! handler and public ones: if another one answers it, gate and router have
//! read the request in two ways ([`run`]).

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
