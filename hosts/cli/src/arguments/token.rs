//! Where the token comes from.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{failure::Failure, files::read_bytes};

/// Where the token comes from.
#[derive(Args, Debug)]
pub(crate) struct TokenArgs {
    /// File that holds the token, `-` for the standard input, which is also read
    /// when nothing is said and something is piped in
    #[arg(long = "token", value_name = "FILE")]
    file: Option<PathBuf>,
    /// The token itself: for throw-away tokens only, for it stays in the shell's history
    #[arg(value_name = "TOKEN", conflicts_with = "file")]
    literal: Option<String>,
}

impl TokenArgs {
    /// The token, required.
    pub(crate) fn read(&self) -> Result<Vec<u8>, Failure> {
        match self.read_if_given()? {
            Some(token) => Ok(token),
            None if std::io::stdin().is_terminal() => Err(Failure::usage(
                "no token: pipe it in, or say `--token FILE`",
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

/// A token where a file was meant must not be repeated in the error.
fn is_no_file(path: &Path) -> bool {
    path.to_str().is_some_and(looks_like_a_token) && !path.exists()
}

/// Whether this may be one: `ey…` is how the JSON of every header begins.
pub(crate) fn looks_like_a_token(text: &str) -> bool {
    text.contains("ey") && text.contains('.') && text.len() > 20
}

/// Editors and `echo` end a file with a newline that is not the token's.
fn read_trimmed(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = read_bytes(path)?;
    Ok(bytes.trim_ascii().to_vec())
}
