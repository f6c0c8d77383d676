//! Reads an object field by field, so that each section of the policy reads
//! like the list of its fields.

use alloc::{format, vec::Vec};

use super::{
    codes::*,
    reader::Node,
    report::Read,
    suggest::{quoted, suggestion},
};
use crate::json::Object;

/// An object whose fields are read one by one. What is missing or cannot be
/// read is reported and gives an empty value or the default, which nobody
/// sees: the report gives out no policy that was refused.
pub(super) struct Fields<'n, 'p> {
    node: &'n Node<'n, 'p>,
    object: &'p Object<'p>,
    known: Vec<&'static str>,
}

impl<'n, 'p> Fields<'n, 'p> {
    pub(super) fn new(node: &'n Node<'n, 'p>, object: &'p Object<'p>) -> Self {
        let known = Vec::new();
        Self {
            node,
            object,
            known,
        }
    }

    /// The field as it stands.
    pub(super) fn node(&mut self, name: &'static str) -> Option<Node<'n, 'p>> {
        if !self.known.contains(&name) {
            self.known.push(name);
        }
        let mut members = self.object.iter().enumerate();
        let (index, (name, value)) = members.find(|(_, (n, _))| *n == name)?;
        Some(self.node.child(value, index, Some(name)))
    }

    /// A field that has no default.
    pub(super) fn required<T: Default>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Node<'n, 'p>) -> Read<T>,
    ) -> T {
        match self.node(name) {
            Some(node) => read(node).unwrap_or_default(),
            None => {
                self.node
                    .refuse(FIELD_MISSING, format!("`{name}` is missing here"));
                T::default()
            }
        }
    }

    /// A field that may be absent.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Node<'n, 'p>) -> Read<T>,
    ) -> Option<T> {
        self.node(name).and_then(|node| read(node).ok())
    }

    /// A field that has a default.
    pub(super) fn or<T>(
        &mut self,
        name: &'static str,
        default: T,
        read: impl FnOnce(Node<'n, 'p>) -> Read<T>,
    ) -> T {
        self.optional(name, read).unwrap_or(default)
    }

    /// Reports every member that is not a field, now that all were read.
    pub(super) fn close(self) {
        let unknown = |name: &str| !self.known.contains(&name);
        for (index, (name, value)) in self.object.iter().enumerate() {
            if unknown(name) {
                let hint = suggestion(name, &mut self.known.iter().copied());
                let message = format!("{} is not a field here; {hint}", quoted(name));
                self.node
                    .child(value, index, Some(name))
                    .refuse(FIELD_UNKNOWN, message);
            }
        }
    }
}
