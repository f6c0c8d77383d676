//! Why there is no policy.

use std::{error, fmt};

use crate::value::Value;

/// Why a provider's policy cannot be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// These values are needed and were not given.
    Missing(&'static str, Vec<&'static Value>),
    /// The value cannot be what it was given for, and why.
    Invalid(&'static Value, &'static str),
    /// The provider has no value of this name.
    NotTaken(&'static str, String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(provider, values) => {
                write!(f, "`{provider}` also needs")?;
                for (index, value) in values.iter().enumerate() {
                    let Value {
                        name,
                        about,
                        example,
                        ..
                    } = value;
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma}\n  --{name} {example}   ({about})")?;
                }
                Ok(())
            }
            Self::Invalid(value, why) => write!(
                f,
                "`--{}`: {why}; for example `{}`",
                value.name, value.example
            ),
            Self::NotTaken(provider, name) => write!(f, "`{provider}` does not take `--{name}`"),
        }
    }
}

impl error::Error for Error {}
