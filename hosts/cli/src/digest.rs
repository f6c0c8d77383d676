//! `digest`: the SHA-256 of the embedded module, and whether a file is the same.

use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use clap::Args;
use serde_json::json;

use crate::{
    failure::Failure,
    files::read_bytes,
    output::{Exit, Output},
    style::{BAD, FAINT, GOOD},
};

#[derive(Args, Debug)]
pub(crate) struct DigestArgs {
    /// A `countersign.wasm` to compare with, out of a package, an image or a wheel
    file: Option<PathBuf>,
}

/// The first bytes of a WebAssembly component; a core module has others.
const COMPONENT: &[u8] = b"\0asm\x0d\x00\x01\x00";

pub(crate) fn run(args: DigestArgs, output: Output) -> Result<Exit, Failure> {
    let embedded = countersign_host::SHA256;
    let Some(path) = args.file else {
        if output.json {
            anstream::println!("{}", json!({ "sha256": embedded }));
        } else {
            anstream::println!("{embedded}  countersign.wasm");
        }
        return Ok(Exit::Good);
    };
    let bytes = read_bytes(&path)?;
    if bytes.starts_with(COMPONENT) {
        return Err(Failure::Usage(format!(
            "`{}` is a component: compare the core module in it, `countersign.wasm`",
            path.display()
        )));
    }
    let found = digest(&SHA256, &bytes);
    let found = found
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    let same = found == embedded;
    if output.json {
        anstream::println!(
            "{}",
            json!({ "sha256": embedded, "file": found, "same": same })
        );
    } else {
        let (style, word) = if same {
            (GOOD, "same")
        } else {
            (BAD, "different")
        };
        anstream::println!("{style}{word}{style:#}");
        anstream::println!("{FAINT}this command{FAINT:#}  {embedded}");
        anstream::println!("{FAINT}that file{FAINT:#}     {found}");
    }
    Ok(if same { Exit::Good } else { Exit::Bad })
}
