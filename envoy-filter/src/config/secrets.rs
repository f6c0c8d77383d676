//! The secrets that the policy names by `secret_from`.

use std::fmt;

use countersign::{Problem, json::Value};

use super::problem::{below, type_wrong};

/// Names and secrets. `{:?}` shows the names.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Secrets(Vec<(String, String)>);

impl Secrets {
    /// Reads `{ "NAME": "secret" }`, and adds problems to `problems`.
    pub(super) fn read(value: &Value<'_>, pointer: &str, problems: &mut Vec<Problem>) -> Self {
        let mut secrets = Vec::new();
        let Some(members) = value.as_object() else {
            problems.push(type_wrong(pointer, "an object"));
            return Self::default();
        };
        for (name, value) in members.iter() {
            match value.as_str() {
                Some(secret) => secrets.push((name.to_owned(), secret.to_owned())),
                None => problems.push(type_wrong(&below(pointer, name), "a string")),
            }
        }
        Self(secrets)
    }

    pub(super) fn named(&self) -> Vec<(&str, &[u8])> {
        let secrets = self.0.iter();
        secrets
            .map(|(name, secret)| (name.as_str(), secret.as_bytes()))
            .collect()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}
