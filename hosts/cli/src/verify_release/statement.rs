//! `statement.json`, an in-toto Statement v1: what was built, and from which commit.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    report::Report,
    signature::Signed,
    sums::{Sums, is_hex},
};

/// The file itself.
pub(super) const STATEMENT: &str = "statement.json";

const TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "https://github.com/countersign/countersign/release/v1";

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Facts,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: Digest,
}

#[derive(Deserialize)]
struct Digest {
    sha256: String,
}

/// What the statement says of the release. Members that are not here may follow.
#[derive(Deserialize, Debug)]
pub(super) struct Facts {
    pub(super) version: String,
    pub(super) commit: String,
    /// SHA-256 of the module, in hexadecimal.
    pub(super) module_sha256: String,
    /// `countersign:gate@0.1.0`
    pub(super) interface: String,
}

/// Reads it and compares its subjects with the sums. `None` if it says nothing that
/// can be used.
pub(super) fn read(bytes: &[u8], sums: &Sums, report: &mut Report) -> Option<Facts> {
    let statement: Statement = match serde_json::from_slice(bytes) {
        Ok(statement) => statement,
        Err(error) => {
            report.problem(STATEMENT, format!("is not the expected JSON: {error}"));
            return None;
        }
    };
    for (what, found, wanted) in [
        ("_type", &statement.kind, TYPE),
        ("predicateType", &statement.predicate_type, PREDICATE_TYPE),
    ] {
        if found != wanted {
            report.problem(STATEMENT, format!("{what} is `{found}`, not `{wanted}`"));
        }
    }
    compare(&statement.subject, sums, report);
    let facts = statement.predicate;
    let mut is_usable = true;
    for (what, is_good) in [
        (
            "version",
            super::path::check(&facts.version).is_ok() && !facts.version.contains('/'),
        ),
        ("commit", is_hex(&facts.commit, 40)),
        ("module_sha256", is_hex(&facts.module_sha256, 64)),
    ] {
        if !is_good {
            report.problem(STATEMENT, format!("its {what} has another form"));
            is_usable = false;
        }
    }
    is_usable.then_some(facts)
}

/// The subjects are the files of the sums, but for the statement itself.
fn compare(subjects: &[Subject], sums: &Sums, report: &mut Report) {
    let mut said = BTreeMap::new();
    for Subject { name, digest } in subjects {
        if said.insert(&**name, &*digest.sha256).is_some() {
            report.problem(STATEMENT, format!("`{name}` is a subject twice"));
        }
        if sums.get(name).is_none_or(|_| name == STATEMENT) {
            report.problem(
                STATEMENT,
                format!("`{name}` is a subject, but no file of the sums"),
            );
        }
    }
    for (path, sha256) in sums.iter().filter(|(path, _)| *path != STATEMENT) {
        match said.get(&**path) {
            Some(said) if said == sha256 => {}
            Some(_) => {
                report.problem(STATEMENT, format!("says another digest of `{path}`"));
            }
            None => report.problem(STATEMENT, format!("does not name `{path}`")),
        }
    }
}

/// The signature, the statement and whoever asks speak of the same release.
pub(super) fn agree(
    facts: Option<&Facts>,
    signed: Option<&Signed>,
    expected_version: Option<&str>,
    report: &mut Report,
) {
    let mut compare = |file, what, found: &str, wanted: &str, of| {
        if found != wanted {
            report.problem(file, format!("its {what} is {found}, not {wanted} of {of}"));
        }
    };
    if let (Some(facts), Some(signed)) = (facts, signed) {
        compare(
            STATEMENT,
            "version",
            &facts.version,
            &signed.version,
            "the signature",
        );
        compare(
            STATEMENT,
            "commit",
            &facts.commit,
            &signed.commit,
            "the signature",
        );
    }
    if let (Some(facts), Some(expected)) = (facts, expected_version) {
        compare(STATEMENT, "version", &facts.version, expected, "--version");
    }
    if let (Some(signed), Some(expected)) = (signed, expected_version) {
        compare(
            super::sums::SIGNATURE,
            "version",
            &signed.version,
            expected,
            "--version",
        );
    }
}
