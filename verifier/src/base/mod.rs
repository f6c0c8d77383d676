//! Shared basics: limits, problems, maps and sets, and the grammar of names,
//! hosts and URIs. Uses no other room.

pub(crate) mod hash;
mod http;
pub(crate) mod kinds;
pub(crate) mod limits;
mod map;
mod problem;
pub(crate) mod uri;

pub(crate) use http::{host, is_token};
pub use limits::Limits;
pub(crate) use map::{Map, Set};
pub use problem::{Problem, Severity};
