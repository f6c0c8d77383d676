//! The configuration that is read, and the notes about it.

use std::cell::RefCell;

use countersign_policy_source::{Problem, Source, child_pointer};
use serde_json::Value;

/// The notes so far, in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    notes: RefCell<Vec<Problem>>,
}

/// How the policy differs from its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The policy denies what the input admitted.
    Stricter,
    /// The policy decides in a way that a caller can distinguish.
    Changed,
    /// It takes no part in decisions, or remains a task of Envoy.
    Dropped,
    /// The route serves another path or host than the gate decides about.
    Rewritten,
    /// The input cannot be imported safely: there is no policy.
    Refused,
}

impl Notes {
    /// Adds a note about the value at `pointer`, unless it is there already.
    fn add(&self, source: &Source, pointer: &str, kind: Kind, message: String) {
        let mut notes = self.notes.borrow_mut();
        let code = match kind {
            Kind::Stricter => "stricter",
            Kind::Changed => "changed",
            Kind::Dropped => "dropped",
            Kind::Rewritten => "rewritten",
            Kind::Refused => "refused",
        };
        let is_known = notes.iter().any(|problem| {
            problem.file == source.name && problem.pointer == pointer && problem.message == message
        });
        if is_known {
            return;
        }
        notes.push(Problem {
            file: source.name.clone(),
            pointer: pointer.to_owned(),
            position: source.position(pointer),
            code: code.to_owned(),
            message,
            is_error: kind == Kind::Refused,
        });
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.notes.into_inner()
    }
}

/// One document of the input.
#[derive(Debug)]
pub(crate) struct Document {
    source: Source,
    json: Value,
}

impl Document {
    /// `None` where it is not JSON; what was made of YAML always is.
    pub(crate) fn new(source: Source) -> Option<Self> {
        let json = serde_json::from_slice(&source.json).ok()?;
        Some(Self { source, json })
    }

    pub(crate) fn root<'i>(&'i self, notes: &'i Notes) -> Node<'i> {
        Node {
            document: self,
            notes,
            value: &self.json,
            pointer: String::new(),
        }
    }
}

/// A value of the input, and its JSON Pointer.
#[derive(Clone, Debug)]
pub(crate) struct Node<'i> {
    document: &'i Document,
    notes: &'i Notes,
    pub(crate) value: &'i Value,
    pub(crate) pointer: String,
}

impl<'i> Node<'i> {
    /// The member of this name, in snake_case as Envoy's manual writes it or in
    /// the camelCase that its JSON has too. `null` counts as absent.
    pub(crate) fn member(&self, name: &str) -> Option<Self> {
        let object = self.value.as_object()?;
        let camel = camel_case(name);
        let names = [name, camel.as_str()];
        let (name, value) = names.iter().find_map(|name| object.get_key_value(*name))?;
        (!value.is_null()).then(|| self.child(name, value))
    }

    /// The value below `path`.
    pub(crate) fn at(&self, path: &[&str]) -> Option<Self> {
        let mut node = self.clone();
        for name in path {
            node = node.member(name)?;
        }
        Some(node)
    }

    pub(crate) fn members(&self) -> Vec<(&'i str, Self)> {
        let Some(object) = self.value.as_object() else {
            self.refuse("an object is expected here");
            return Vec::new();
        };
        let members = object.iter();
        members
            .map(|(name, value)| (name.as_str(), self.child(name, value)))
            .collect()
    }

    /// The members whose names are not in `known`.
    pub(crate) fn others(&self, known: &[&str]) -> Vec<Self> {
        let is_known = |name: &str| {
            known.contains(&name) || known.iter().any(|known| camel_case(known) == name)
        };
        let members = self.members().into_iter();
        members
            .filter(|(name, node)| !is_known(name) && !node.value.is_null())
            .map(|(_, node)| node)
            .collect()
    }

    pub(crate) fn items(&self) -> Vec<Self> {
        let Some(items) = self.value.as_array() else {
            self.refuse("an array is expected here");
            return Vec::new();
        };
        let items = items.iter().enumerate();
        items
            .map(|(index, value)| self.child(&index.to_string(), value))
            .collect()
    }

    /// The items of the member `name`; none where it is absent.
    pub(crate) fn items_of(&self, name: &str) -> Vec<Self> {
        self.member(name).map_or_else(Vec::new, |node| node.items())
    }

    pub(crate) fn text(&self) -> &'i str {
        self.value.as_str().unwrap_or_else(|| {
            self.refuse("text is expected here");
            ""
        })
    }

    pub(crate) fn text_of(&self, name: &str) -> Option<&'i str> {
        self.member(name).map(|node| node.text())
    }

    pub(crate) fn texts_of(&self, name: &str) -> Vec<String> {
        let items = self.items_of(name).into_iter();
        items.map(|item| item.text().to_owned()).collect()
    }

    /// Whether the member `name` is `true`.
    pub(crate) fn flag_of(&self, name: &str) -> bool {
        self.member(name).is_some_and(|node| {
            node.value.as_bool().unwrap_or_else(|| {
                node.refuse("`true` or `false` is expected here");
                false
            })
        })
    }

    /// The name of the member that this value is, or its index.
    pub(crate) fn name(&self) -> String {
        let name = self.pointer.rsplit('/').next().unwrap_or_default();
        name.replace("~1", "/").replace("~0", "~")
    }

    /// The same name in snake_case.
    pub(crate) fn kind(&self) -> String {
        let mut snake = String::new();
        for char in self.name().chars() {
            if char.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(char.to_ascii_lowercase());
        }
        snake
    }

    pub(crate) fn stricter(&self, message: impl Into<String>) {
        self.note(Kind::Stricter, message);
    }

    pub(crate) fn changed(&self, message: impl Into<String>) {
        self.note(Kind::Changed, message);
    }

    pub(crate) fn dropped(&self, message: impl Into<String>) {
        self.note(Kind::Dropped, message);
    }

    pub(crate) fn rewritten(&self, message: impl Into<String>) {
        self.note(Kind::Rewritten, message);
    }

    pub(crate) fn refuse(&self, message: impl Into<String>) {
        self.note(Kind::Refused, message);
    }

    fn note(&self, kind: Kind, message: impl Into<String>) {
        let Self {
            document, notes, ..
        } = self;
        notes.add(&document.source, &self.pointer, kind, message.into());
    }

    fn child(&self, name: &str, value: &'i Value) -> Self {
        Self {
            value,
            pointer: child_pointer(&self.pointer, name),
            ..self.clone()
        }
    }
}

/// `from_headers` → `fromHeaders`.
fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut after_underscore = false;
    for char in name.chars() {
        match char {
            '_' => after_underscore = true,
            _ if after_underscore => {
                camel.extend(char.to_uppercase());
                after_underscore = false;
            }
            _ => camel.push(char),
        }
    }
    camel
}
