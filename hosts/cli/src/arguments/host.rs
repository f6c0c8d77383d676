//! What a host brings to a gate: its secrets, and its cryptography.

use std::{env, path::Path};

use clap::{Args, ValueEnum};
use countersign_host::Signatures;

use crate::{failure::Failure, files::read_bytes};

#[derive(Args, Debug)]
pub(crate) struct HostArgs {
    /// A secret that the policy names by `secret_from`: from a file, or from a variable
    /// of the environment as `NAME=env:VARIABLE`; repeatable
    #[arg(long, value_name = "NAME=FILE", value_parser = named)]
    secret: Vec<(String, String)>,
    /// Who verifies signatures: the module, or this command's own cryptography (AWS-LC)
    #[arg(long, value_name = "WHO", value_enum, default_value = "module")]
    signatures: Who,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Who {
    Module,
    Native,
}

/// What a gate is opened with.
#[derive(Default)]
pub(crate) struct Host {
    pub(crate) signatures: Signatures,
    /// Names and bytes.
    pub(crate) secrets: Vec<(String, Vec<u8>)>,
}

impl HostArgs {
    /// Reads the secrets. The newline at the end of a file is no part of its secret.
    pub(crate) fn read(&self) -> Result<Host, Failure> {
        let read = |(name, from): &(String, String)| {
            let secret = match from.strip_prefix("env:") {
                Some(variable) => env::var(variable)
                    .map_err(|_| Failure::Usage(format!("there is no variable `{variable}`")))?
                    .into_bytes(),
                None => read_bytes(Path::new(from))?,
            };
            let end = secret.strip_suffix(b"\n").unwrap_or(&secret);
            let end = end.strip_suffix(b"\r").unwrap_or(end);
            Ok((name.clone(), end.to_vec()))
        };
        let secrets = self.secret.iter().map(read);
        Ok(Host {
            signatures: match self.signatures {
                Who::Module => Signatures::Module,
                Who::Native => Signatures::Native,
            },
            secrets: secrets.collect::<Result<_, Failure>>()?,
        })
    }
}

fn named(text: &str) -> Result<(String, String), String> {
    let (name, from) = text
        .split_once('=')
        .ok_or("expected NAME=FILE or NAME=env:VARIABLE")?;
    Ok((name.to_owned(), from.to_owned()))
}
