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
    /// Host and path of each, as [`Self::address`] writes them.
    pub(crate) addresses: Set,
    bodies: Vec<Box<[u8]>>,
}

impl Metadata {
    /// The first segment of the path of every document (RFC 9728 §3.1).
    pub(crate) const WELL_KNOWN: &[u8] = b".well-known";

    /// Adds a document. Returns whether it is the one that the address has.
    pub(crate) fn add(&mut self, address: &[u8], body: &[u8]) -> bool {
        if self.addresses.insert(address) {
            self.bodies.push(body.into());
        }
        let index = self.addresses.find(address);
        index.is_some_and(|index| self.body(index) == body)
    }

    /// Returns the index of the document with this address.
    pub(crate) fn find(&self, host: &[u8], path: &[Cow<'_, [u8]>]) -> Option<usize> {
        // Most requests end here, without the cost of a look-up.
        if self.bodies.is_empty() || path.first().is_none_or(|p| **p != *Self::WELL_KNOWN) {
            return None;
        }
        let path = path.iter().map(|segment| &**segment);
        self.addresses.find(&Self::address(host, path))
    }

    pub(crate) fn body(&self, index: usize) -> &[u8] {
        self.bodies.get(index).map_or(&[], |body| body)
    }

    /// The host, and a zero byte before each segment. Neither contains one.
    pub(crate) fn address<'s>(host: &[u8], path: impl Iterator<Item = &'s [u8]>) -> Vec<u8> {
        let mut address = Vec::from(host);
        for segment in path {
            address.push(0);
            address.extend_from_slice(segment);
        }
        address
    }
}
