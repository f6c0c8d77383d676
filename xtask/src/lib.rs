//! What `cargo xtask` and `xtask/release` share.

pub mod archive;
pub mod build;
pub mod package;
pub mod packages;
pub mod project;
pub mod tools;
pub mod version;
pub mod wheel;
