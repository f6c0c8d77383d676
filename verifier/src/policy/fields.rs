//! Reads the fields of an object, so that the code for each section of the
//! policy looks like the list of its fields.

use alloc::{format, vec::Vec};

use super::{
    codes::Code::*,
    reader::Node,
    report::Read,
    suggest::{quoted, suggestion},
};
use crate::json::{Object, Value};

/// Reads an object field by field. A missing or invalid field is reported and
/// replaced by an empty value or the default. No caller sees that value: the
/// report never returns a policy with errors.
pub(super) struct Fields<'n, 'p> {
    node: Node<'n, 'p>,
    object: &'p Object<'p>,
    known: Vec<&'static str>,
}

impl<'n, 'p> Fields<'n, 'p> {
    pub(super) fn new(node: Node<'n, 'p>, object: &'p Object<'p>) -> Self {
        let known = Vec::new();
        Self {
            node,
            object,
            known,
        }
    }

    /// Returns the field without parsing it.
    #[inline(always)]
    pub(super) fn node(&mut self, name: &'static str) -> Option<Node<'n, 'p>> {
        self.member(name).map(|value| self.node.below(value))
    }

    #[inline(never)]
    fn member(&mut self, name: &'static str) -> Option<&'p Value<'p>> {
        if !self.known.contains(&name) {
            self.known.push(name);
        }
        self.object.get(name)
    }

    /// Reads a required field.
    pub(super) fn required<T: Default>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Node<'n, 'p>) -> Read<T>,
    ) -> T {
        match self.node(name) {
            Some(node) => read(node).unwrap_or_default(),
            None => {
                self.missing(name);
                T::default()
            }
        }
    }

    #[inline(never)]
    fn missing(&self, name: &str) {
        let message = format!("`{name}` is missing here");
        self.node.refuse(FieldMissing, message);
    }

    /// Reads an optional field.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Node<'n, 'p>) -> Read<T>,
    ) -> Option<T> {
        self.node(name).and_then(|node| read(node).ok())
    }

    /// Reads a field with a default.
    pub(super) fn or<T>(
        &mut self,
        name: &'static str,
        default: T,
        read: impl FnOnce(Node<'n, 'p>) -> Read<T>,
    ) -> T {
        self.optional(name, read).unwrap_or(default)
    }

    /// Reports every unknown member. Call it after all fields are read.
    pub(super) fn close(self) {
        let unknown = |name: &str| !self.known.contains(&name);
        for (name, value) in self.object.iter() {
            if unknown(name) {
                let hint = suggestion(name, &self.known);
                let message = format!("{} is not a field here; {hint}", quoted(name));
                self.node.below(value).refuse(FieldUnknown, message);
            }
        }
    }
}
