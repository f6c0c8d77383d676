//! `digest`: the SHA-256 and the interface of the embedded module, and whether a
//! file is the same.

use std::path::PathBuf;

use clap::Args;
use countersign_host::{INTERFACE, SHA256};
use serde_json::json;

use crate::{
    failure::Failure,
    files::read_bytes,
    output::{Exit, Output},
    sealed::{interface, is_component, sha256},
    style::{BAD, FAINT, GOOD},
};

#[derive(Args, Debug)]
pub(crate) struct DigestArgs {
    /// A `countersign.wasm` to compare with, out of a package, an image or a wheel
    file: Option<PathBuf>,
}

pub(crate) fn run(args: DigestArgs, output: Output) -> Result<Exit, Failure> {
    let Some(path) = args.file else {
        if output.json {
            anstream::println!("{}", json!({ "sha256": SHA256, "interface": INTERFACE }));
        } else {
            anstream::println!("{SHA256}  countersign.wasm");
        }
        return Ok(Exit::Good);
    };
    let bytes = read_bytes(&path)?;
    if is_component(&bytes) {
        return Err(Failure::Usage(format!(
            "`{}` is a component: compare the core module in it, `countersign.wasm`",
            path.display()
        )));
    }
    let found = sha256(&bytes);
    // A file with another digest can be one of another release.
    let its_interface = interface(&bytes);
    let same = found == SHA256;
    if output.json {
        anstream::println!(
            "{}",
            json!({
                "sha256": SHA256, "interface": INTERFACE,
                "file": found, "same": same, "file_interface": its_interface,
            })
        );
    } else {
        let (style, word) = if same {
            (GOOD, "same")
        } else {
            (BAD, "different")
        };
        anstream::println!("{style}{word}{style:#}");
        let its_interface = its_interface
            .as_deref()
            .unwrap_or("not a file of Countersign");
        anstream::println!("{FAINT}this command{FAINT:#}  {SHA256}  {INTERFACE}");
        anstream::println!("{FAINT}that file{FAINT:#}     {found}  {its_interface}");
    }
    Ok(if same { Exit::Good } else { Exit::Bad })
}
