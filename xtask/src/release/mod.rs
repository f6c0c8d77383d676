//! What is published.

pub(crate) mod go;
pub(crate) mod install;
