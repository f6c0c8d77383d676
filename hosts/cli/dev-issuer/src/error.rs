//! Errors of the issuer.

use std::{error, fmt, io, path::PathBuf};

/// An error of the issuer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The issuer's private file cannot be read.
    Read(PathBuf, io::Error),
    /// The directory cannot be written to.
    Write(PathBuf, io::Error),
    /// The private file is not what [`Issuer::write`](crate::Issuer::write) wrote,
    /// and why.
    Damaged(PathBuf, String),
    /// A key cannot be made or used: one sentence.
    Key(String),
}

impl Error {
    pub(crate) fn key(message: impl Into<String>) -> Self {
        Self::Key(message.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, error) => write!(f, "cannot read `{}`: {error}", path.display()),
            Self::Write(path, error) => write!(f, "cannot write to `{}`: {error}", path.display()),
            Self::Damaged(path, reason) => write!(f, "`{}`: {reason}", path.display()),
            Self::Key(message) => f.write_str(message),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Read(_, error) | Self::Write(_, error) => Some(error),
            Self::Damaged(..) | Self::Key(_) => None,
        }
    }
}
