//! Which issuer a credential that is no JWT belongs to: by how it begins, or
//! because it has not the form of a JWT.

use alloc::{boxed::Box, vec::Vec};

#[derive(Debug, Default)]
pub(crate) struct ByPrefix {
    /// None is the beginning of another.
    prefixes: Vec<(Box<str>, usize)>,
    /// The issuer of everything else that has not three parts.
    opaque: Option<usize>,
}

impl ByPrefix {
    /// Adds a prefix of an issuer's credentials. Returns the one with which it
    /// is in conflict.
    pub(crate) fn add(&mut self, prefix: &str, issuer: usize) -> Result<(), &str> {
        let in_conflict = |known: &str| known.starts_with(prefix) || prefix.starts_with(known);
        let found = self
            .prefixes
            .iter()
            .position(|(known, _)| in_conflict(known));
        match found {
            None => {
                self.prefixes.push((prefix.into(), issuer));
                Ok(())
            }
            Some(at) => Err(self.prefixes.get(at).map_or("", |(known, _)| known)),
        }
    }

    /// Makes an issuer that of all opaque tokens. Returns whether it is the first.
    pub(crate) fn add_opaque(&mut self, issuer: usize) -> bool {
        self.opaque.replace(issuer).is_none()
    }

    pub(crate) fn find(&self, token: &[u8]) -> Option<usize> {
        for (prefix, issuer) in &self.prefixes {
            if token.starts_with(prefix.as_bytes()) {
                return Some(*issuer);
            }
        }
        self.opaque
            .filter(|_| token.iter().filter(|byte| **byte == b'.').count() != 2)
    }
}
