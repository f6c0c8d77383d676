//! jws

/// A token.
#[derive(Debug)]
pub struct Jws {}
