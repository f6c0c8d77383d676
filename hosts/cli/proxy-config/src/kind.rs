//! The proxies, by name.

use std::{fmt, str::FromStr};

/// A proxy, or a resource that configures one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// nginx with `auth_request`.
    Nginx,
}

impl Kind {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Nginx];

    /// Its name in the command.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kind = Self::ALL.iter().find(|kind| kind.as_str() == text);
        kind.copied()
            .ok_or_else(|| format!("there is no proxy `{text}` here"))
    }
}
