//! JSON objects whose members are in the order of the documentation.

use std::fmt::Display;

pub(super) struct Line(String);

impl Line {
    pub(super) fn new() -> Self {
        Self("{".into())
    }

    pub(super) fn text(&mut self, name: &str, value: Option<&str>) {
        self.plain(name, value.map(serde_json::Value::from));
    }

    /// A number, `true` or `false`, or an object that is JSON already.
    pub(super) fn plain(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            let comma = if self.0.len() > 1 { "," } else { "" };
            let name = serde_json::Value::from(name);
            self.0.push_str(&format!("{comma}{name}:{value}"));
        }
    }

    pub(super) fn end(self) -> String {
        self.0 + "}"
    }
}
