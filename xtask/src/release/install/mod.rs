//! Installs a release as a user would.

pub(crate) mod go;
