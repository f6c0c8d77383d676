//! The token of a decision.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{failure::Failure, files::read_bytes};

/// Where the token comes from.
#[derive(Args, Debug)]
pub(crate) struct TokenArgs {
    /// File with the token, `-` for the standard input, which is also the default
    /// when something is piped in
    #[arg(long = "token", value_name = "FILE")]
    file: Option<PathBuf>,
    /// The token itself: only for test tokens, as it stays in the shell's history
    #[arg(value_name = "TOKEN", conflicts_with = "file")]
    literal: Option<String>,
}

impl TokenArgs {
    /// The token; without an argument it is read from the standard input.
    pub(crate) fn read(&self) -> Result<Vec<u8>, Failure> {
        match self.read_if_given()? {
            Some(token) => Ok(token),
            None if std::io::stdin().is_terminal() => Err(Failure::usage(
                "no token: pipe it in, or use `--token FILE`",
            )),
            None => read_trimmed(Path::new("-")),
        }
    }

    /// The token, where the arguments name one.
    pub(crate) fn read_if_given(&self) -> Result<Option<Vec<u8>>, Failure> {
        match (&self.literal, &self.file) {
            (Some(literal), _) => Ok(Some(literal.clone().into_bytes())),
            (None, Some(file)) if is_no_file(file) => Err(Failure::usage(
                "`--token` takes the name of a file, not a token: pipe it in, or leave out `--token`",
            )),
            (None, Some(file)) => read_trimmed(file).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// A token in place of a file name must not be printed in the error.
fn is_no_file(path: &Path) -> bool {
    path.to_str().is_some_and(looks_like_a_token) && !path.exists()
}

/// Whether this may be a token: every JOSE header begins with `ey` in base64url.
pub(crate) fn looks_like_a_token(text: &str) -> bool {
    text.contains("ey") && text.contains('.') && text.len() > 20
}

/// Editors and `echo` add a newline that is not part of the token.
fn read_trimmed(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = read_bytes(path)?;
    Ok(bytes.trim_ascii().to_vec())
}
