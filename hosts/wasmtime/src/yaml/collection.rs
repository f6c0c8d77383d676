//! A sequence or mapping while it is read.

use std::collections::HashSet;

/// A sequence or mapping that is not complete.
pub(super) struct Collection {
    pub(super) pointer: String,
    pub(super) is_flow: bool,
    /// Of a flow collection: the smallest column of its content.
    pub(super) margin: usize,
    pub(super) items: usize,
    /// Of a mapping.
    pub(super) members: Option<Members>,
}

#[derive(Default)]
pub(super) struct Members {
    pub(super) names: HashSet<String>,
    /// The name whose value comes next, and its column.
    pub(super) next: Option<(String, usize)>,
}

impl Collection {
    /// The first column after that of the key whose value comes next.
    pub(super) fn column_of_next(&self) -> usize {
        let members = self.members.as_ref();
        let next = members.and_then(|members| members.next.as_ref());
        next.map_or(0, |(_, column)| column + 1)
    }
}
