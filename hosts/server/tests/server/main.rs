//! The server over real sockets: who may ask, what changes while it runs, how it ends,
//! and what hostile peers cannot do.
#![allow(missing_docs)]

mod config;
mod deploy;
mod end;
mod hostile;
mod operations;
mod reload;
mod stage;
mod tls;
mod trust;
