//! Runs JSONTestSuite against the strict JSON parser of headers, claims and
//! documents.

use std::fs;

use countersign::json::{Bounds, parse};
use countersign_conformance::corpora::{self, exceptions::Tally};

const BOUNDS: Bounds = Bounds {
    depth: 16,
    members: 256,
};

#[test]
fn every_text_has_one_meaning_or_is_refused() {
    let Some(folder) = corpora::folder("JSONTestSuite") else {
        return;
    };
    let profile = corpora::json(&folder.join("STRICT_PROFILE.json"));
    let mut tally = Tally::new("JSONTestSuite");
    let entries = fs::read_dir(folder.join("test_parsing")).expect("a folder");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let ours = parse(&fs::read(&path).expect("a text"), BOUNDS).is_ok();
        let decided = profile["decisions"][&name]["jwt"].as_str();
        match (name.get(..2), decided) {
            // A number beyond a double: as a date it is refused, as the vectors
            // of `exp` test. Here it only must not trap.
            (Some("i_"), Some(text)) if !text.starts_with("reject (") => {
                tally.not_applicable(&name, "the profile leaves it open");
            }
            (Some("i_" | "y_"), Some(_)) | (Some("n_"), None) => {
                tally.add(&name, false, ours, "refused");
            }
            (Some("y_"), None) => tally.add(&name, true, ours, "read"),
            other => panic!("{name}: {other:?}"),
        }
    }
    tally.finish();
}

#[test]
fn transformations_have_one_meaning_or_are_refused() {
    let Some(folder) = corpora::folder("JSONTestSuite") else {
        return;
    };
    let mut tally = Tally::new("JSONTestSuite/transform");
    for entry in fs::read_dir(folder.join("test_transform")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let ours = parse(&fs::read(&path).expect("a text"), BOUNDS).is_ok();
        // A duplicate name, or half of a surrogate pair, is refused.
        let refused = name.starts_with("object_same_key") || name.contains("invalid_codepoint");
        tally.add(&name, !refused, ours, "by its name");
    }
    tally.finish();
}
