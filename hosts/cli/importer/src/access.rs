//! Who may make a request, and with which token.

use crate::formula::Asked;

/// Which token is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Authn {
    /// None is looked at.
    Ignored,
    /// A token that comes must be what is asked; it may be missing.
    Verified { missing: bool, asked: Asked },
}

/// Who may make a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Access {
    Public,
    Token { optional: bool, asked: Asked },
}

impl Access {
    pub(crate) const NOBODY: Self = Self::Token {
        optional: false,
        asked: Asked::Never,
    };

    /// Who may by both.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Public, access) | (access, Self::Public) => access,
            (
                Self::Token { optional, asked },
                Self::Token {
                    optional: too,
                    asked: more,
                },
            ) => Self::Token {
                optional: optional && too,
                asked: Asked::all(vec![asked, more]),
            },
        }
    }
}
