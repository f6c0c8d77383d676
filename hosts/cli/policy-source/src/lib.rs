//! Documents that people write (YAML, TOML, JSON), as the JSON that the gate
//! reads, and the position of every value, so that a problem at a JSON Pointer
//! is shown at its line and column.
//!
//! This library works on bytes: it reads no file, prints nothing and decides
//! nothing. It uses `countersign-host`, whose strict YAML reader and lint are
//! those of every host.
#![forbid(unsafe_code)]

mod foreign;
mod parsed;
mod problem;
mod source;
mod toml;
mod write;

pub use countersign_host::yaml::Position;
pub use parsed::child_pointer;
pub use problem::{Error, Problem};
pub use source::Source;
pub use write::{pretty, to_yaml};
