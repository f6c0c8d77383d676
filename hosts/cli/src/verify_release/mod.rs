//! `verify-release`: whether a folder is a whole release, signed by a key, with one
//! module in every artefact. Nothing is unpacked to the disk, and nothing is run.

mod archive;
mod artefact;
mod content;
mod folder;
mod image;
mod package;
mod path;
mod report;
mod sbom;
mod signature;
mod statement;
mod sums;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use self::{
    report::Report,
    signature::Signed,
    statement::{Facts, STATEMENT},
    sums::{SIGNATURE, SUMS},
};
use crate::{
    failure::Failure,
    output::{Exit, Output},
    style::{BAD, FAINT, GOOD, visible},
};

#[derive(Args, Debug)]
pub(crate) struct VerifyReleaseArgs {
    /// The folder of the release, with SHA256SUMS in it
    dir: PathBuf,
    /// The public key of minisign that must have signed it, or a file with it. Take it
    /// from elsewhere: a key that comes with the release proves nothing
    #[arg(long, value_name = "FILE|KEY")]
    public_key: String,
    /// The version that it must be
    #[arg(long)]
    version: Option<String>,
}

pub(crate) fn run(args: &VerifyReleaseArgs, output: Output) -> Result<Exit, Failure> {
    let key = signature::key(&args.public_key)?;
    let mut report = Report::default();
    let files = folder::read(&args.dir, &mut report)?;
    let mut read = |path: &str| {
        let bytes = files.get(path).map(Option::as_ref);
        if bytes.is_none() {
            report.problem(path, "is missing");
        }
        bytes.flatten()
    };
    let (sums, signed) = (read(SUMS), read(SIGNATURE));
    let statement = read(STATEMENT);

    for file in [SUMS, SIGNATURE, STATEMENT] {
        report.saw(file);
    }
    let signed = signed.zip(sums).and_then(|(signature, sums)| {
        let verified = signature::verify(&key, signature, sums);
        verified
            .map_err(|problem| report.problem(SIGNATURE, problem))
            .ok()
    });
    let sums = sums.map(|sums| sums::parse(sums, &mut report));
    let sums = sums.unwrap_or_default();
    sums::compare(&sums, &files, &mut report);
    let facts = statement.and_then(|bytes| statement::read(bytes, &sums, &mut report));
    let expected = args.version.as_deref();
    statement::agree(facts.as_ref(), signed.as_ref(), expected, &mut report);
    match &facts {
        Some(facts) => artefact::check_all(&files, &sums, facts, &mut report),
        None => report.problem(
            STATEMENT,
            "so nothing is known of what the artefacts must contain",
        ),
    }
    print(&report, facts.as_ref(), signed.as_ref(), output);
    Ok(match report.number_of_problems() {
        0 => Exit::Good,
        _ => Exit::Bad,
    })
}

fn print(report: &Report, facts: Option<&Facts>, signed: Option<&Signed>, output: Output) {
    if output.json {
        let files = report.files().map(|(file, problems)| {
            json!({ "file": file, "good": problems.is_empty(), "problems": problems })
        });
        let value = json!({
            "verified": report.number_of_problems() == 0,
            "signed": signed.is_some(),
            "version": facts.map(|facts| &facts.version),
            "commit": facts.map(|facts| &facts.commit),
            "sha256": facts.map(|facts| &facts.module_sha256),
            "interface": facts.map(|facts| &facts.interface),
            "files": files.collect::<Vec<_>>(),
        });
        anstream::println!("{value}");
        return;
    }
    let mut good_lists = 0;
    for (file, problems) in report.files() {
        let file = visible(file);
        match problems {
            [] if file.starts_with("sbom/") => good_lists += 1,
            [] => anstream::println!("{GOOD}✓{GOOD:#} {file}"),
            problems => {
                for problem in problems {
                    anstream::println!("{BAD}✗{BAD:#} {file}: {}", visible(problem));
                }
            }
        }
    }
    if good_lists > 0 {
        anstream::println!("{GOOD}✓{GOOD:#} sbom/  {good_lists} files");
    }
    if let Some(facts) = facts {
        for (what, value) in [
            ("version", &facts.version),
            ("commit ", &facts.commit),
            ("sha256 ", &facts.module_sha256),
        ] {
            anstream::println!("{FAINT}{what}{FAINT:#}  {}", visible(value));
        }
    }
    match report.number_of_problems() {
        0 => anstream::println!("{GOOD}verified{GOOD:#}"),
        number => anstream::println!("{BAD}not verified{BAD:#}: {number} problems"),
    }
}
