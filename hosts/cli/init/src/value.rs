//! What a provider's policy needs to know.

use crate::kind::Kind;

/// One value that the user says. Its name is that of the option, without `--`.
#[derive(Clone, Copy, Debug)]
pub struct Value {
    /// Such as `client-id`.
    pub name: &'static str,
    /// What it is, and where the provider shows it: one line, without a full stop.
    pub about: &'static str,
    /// A value that looks right.
    pub example: &'static str,
    /// What is taken where nothing is given; it may name values before it, as
    /// in `{{client-id}}`.
    pub(crate) default: Option<&'static str>,
    /// Whether the policy also works without it.
    pub(crate) optional: bool,
    pub(crate) kind: Kind,
}

impl Value {
    pub(crate) const fn new(
        name: &'static str,
        kind: Kind,
        about: &'static str,
        example: &'static str,
    ) -> Self {
        Self {
            name,
            about,
            example,
            default: None,
            optional: false,
            kind,
        }
    }

    pub(crate) const fn or(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    pub(crate) const fn optional(self) -> Self {
        Self {
            optional: true,
            ..self
        }
    }

    /// Whether a policy can be made without it.
    pub fn can_be_left_out(&self) -> bool {
        self.optional || self.default.is_some()
    }

    /// Whether it is a secret: the value is what a file contains.
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }

    /// Whether this can be the value.
    ///
    /// # Errors
    /// Why not: a part of a sentence, without a full stop.
    pub fn check(&self, text: &str) -> Result<(), &'static str> {
        self.kind.check(text)
    }
}
