//! Documents that people write (YAML, TOML, JSON), as the JSON that the gate
//! reads, and the position of every value, so that a problem at a JSON Pointer
//! is shown at its line and column.
//!
//! This library works on bytes: it reads no file, prints nothing and decides
//! nothing. It uses `countersign-host`, whose strict YAML reader and lint are
//! those of every host.
//!
//! ```
//! use countersign_policy_source::{Position, Source};
//!
//! let yaml = b"contract: \"1\"\nleeway_s: 3000\n".to_vec();
//! let policy = Source::parse("api.yaml", yaml)?;
//! assert_eq!(policy.json, br#"{"contract":"1","leeway_s":3000}"#);
//! let problems = policy.lint();
//! let leeway = problems.iter().find(|problem| problem.pointer == "/leeway_s").unwrap();
//! assert_eq!(leeway.position, Some(Position { line: 2, column: 1 }));
//! # Ok::<(), countersign_policy_source::Error>(())
//! ```
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
