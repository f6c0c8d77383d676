//! Installs each package of a release, as a user would.

pub(crate) mod npm;
