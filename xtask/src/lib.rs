//! What `cargo xtask` and `xtask/release` share.

pub mod archive;
pub mod build;
pub mod debian;
pub mod package;
pub mod packages;
pub mod project;
pub mod tools;
pub mod traefik;
pub mod version;
pub mod wheel;
