//! Documents that are given as files.

use std::{collections::HashMap, path::PathBuf};

use clap::Args;
use countersign_policy_source::Source;

use crate::{
    documents::{Documents, Given},
    failure::Failure,
    files::read_bytes,
};

/// Documents that are given as files.
#[derive(Args, Debug)]
pub(crate) struct DocumentArgs {
    /// Use this JWK Set instead of the one that the issuer of that name publishes, repeatable
    #[arg(long, value_name = "ISSUER=FILE", value_parser = named_file)]
    keys: Vec<(String, PathBuf)>,
    /// Use this revocation document in the same way, repeatable
    #[arg(long, value_name = "ISSUER=FILE", value_parser = named_file)]
    revocations: Vec<(String, PathBuf)>,
    /// Use this document of API keys in the same way, repeatable
    #[arg(long, value_name = "ISSUER=FILE", value_parser = named_file)]
    api_keys: Vec<(String, PathBuf)>,
    /// Fetch nothing: what is not given here counts as unreachable
    #[arg(long)]
    offline: bool,
}

impl DocumentArgs {
    /// Reads the files. Each must be for an issuer of the policy.
    pub(crate) fn read(&self, policy: &Source) -> Result<Documents, Failure> {
        let read = |files: &[(String, PathBuf)]| {
            let read = |(name, path): &(String, PathBuf)| Ok((name.clone(), read_bytes(path)?));
            files
                .iter()
                .map(read)
                .collect::<Result<HashMap<_, _>, Failure>>()
        };
        let given = Given {
            keys: read(&self.keys)?,
            revocations: read(&self.revocations)?,
            api_keys: read(&self.api_keys)?,
        };
        let mut documents = Documents::new(policy, given)?;
        documents.offline = self.offline;
        Ok(documents)
    }
}

fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("expected ISSUER=FILE")?;
    Ok((name.to_owned(), file.into()))
}
