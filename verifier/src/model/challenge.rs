//! What a challenge adds for clients that look for the authorization server, and
//! the metadata documents of protected resources (RFC 9728).

use alloc::{borrow::Cow, boxed::Box, vec::Vec};

use crate::base::Set;

#[derive(Debug, Default)]
pub(crate) struct Challenge {
    /// Whether it names the scopes that the rule requires.
    pub(crate) scope: bool,
    /// The address of a metadata document. It contains neither `"` nor `\`.
    pub(crate) resource_metadata: Option<Box<str>>,
}

/// The metadata documents that the gate answers itself.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    addresses: Set,
    /// The body of each address.
    bodies: Vec<Box<[u8]>>,
}

impl Metadata {
    /// The first segment of the path of every document (RFC 9728 §3.1).
    pub(crate) const WELL_KNOWN: &[u8] = b".well-known";

    /// Adds a document. Returns the body that the address has.
    pub(crate) fn add(&mut self, host: &str, path: &[Cow<'_, [u8]>], body: &[u8]) -> &[u8] {
        let address = address(host, path);
        if self.addresses.insert(&address) {
            self.bodies.push(body.into());
        }
        let index = self.addresses.find(&address);
        index.map_or(&[], |index| self.body(index))
    }

    /// Returns the index of the document with this address.
    pub(crate) fn find(&self, host: &str, path: &[Cow<'_, [u8]>]) -> Option<usize> {
        // Most requests end here, without the cost of a look-up.
        if self.bodies.is_empty() || path.first().is_none_or(|p| **p != *Self::WELL_KNOWN) {
            return None;
        }
        self.addresses.find(&address(host, path))
    }

    pub(crate) fn body(&self, index: usize) -> &[u8] {
        self.bodies.get(index).map_or(&[], |body| body)
    }
}

/// No host and no segment contains a control byte.
fn address(host: &str, path: &[Cow<'_, [u8]>]) -> Vec<u8> {
    let mut address = Vec::from(host);
    for segment in path {
        address.push(0);
        address.extend_from_slice(segment);
    }
    address
}
