//! The memory of a server with many issuers.

use std::{fs, path::Path};

use anyhow::{Result, ensure};

use super::{
    load,
    ours::{self, Ours},
};
use crate::{
    arguments::Scale,
    figure::{Figure, Race, Unit},
    policy,
    progress::say,
    token::Signer,
};

const SIZES: [(usize, &str); 2] = [(1, "with 1 issuer"), (10_000, "with 10,000 issuers")];

/// The resident memory of a process with one instance, after it has answered.
pub(super) fn run(_: &Scale, folder: &Path) -> Result<Race> {
    let signer = Signer::new("HS256")?;
    let mut figures = Vec::new();
    for (issuers, name) in SIZES {
        say(&format!("server: memory {name}"));
        let folder = folder.join(format!("memory-{issuers}"));
        fs::create_dir(&folder)?;
        let server = Ours::start(
            &folder,
            "127.0.0.1:0",
            &policy::grown(&signer, issuers, 1),
            "nginx",
        )?;
        let token = signer.token(&policy::nth_issuer(issuers - 1), 0)?;
        let question = ours::question(&policy::nth_target(0), Some(&token));
        ensure!(
            load::once(&server.to, &question, ours::allows)?,
            "a good token is denied"
        );
        let bytes = server.process.resident_bytes()?;
        figures.push(Figure::of(name.into(), Unit::Bytes, vec![bytes]));
    }
    figures.reverse();
    Ok(Race::new("server", "memory".into(), figures, 1))
}
