//! JSONTestSuite against the strict reader of headers, claims and documents.

use std::fs;

use countersign::json::{Bounds, parse};
use countersign_conformance::corpora::{self, exceptions::Tally};

const BOUNDS: Bounds = Bounds {
    depth: 16,
    members: 256,
};

#[test]
fn every_text_is_read_in_one_way_or_refused() {
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
            // A number that no double holds: as a date it is refused, as the
            // vectors of `exp` prove. Here it only must not trap, and did not.
            (Some("i_"), Some(text)) if !text.starts_with("reject (") => {
                tally.pass_over(&name, "the profile leaves it open");
            }
            (Some("i_" | "y_"), Some(_)) | (Some("n_"), None) => {
                tally.judge(&name, false, ours, "refused");
            }
            (Some("y_"), None) => tally.judge(&name, true, ours, "read"),
            other => panic!("{name}: {other:?}"),
        }
    }
    tally.conclude();
}

#[test]
fn transformations_end_in_one_value_or_none() {
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
        // One name twice, or half of a surrogate pair: refused.
        let refused = name.starts_with("object_same_key") || name.contains("invalid_codepoint");
        tally.judge(&name, !refused, ours, "by its name");
    }
    tally.conclude();
}
