//! Rolling changes: an old policy keeps its meaning in a new file. The hosts' own
//! tests of reloads show the reverse: a policy with words of a newer file is refused,
//! and the one in force stays.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::Path,
};

use countersign_conformance::files;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The vectors of the repository's first corpus whose policies and results have not
/// changed since. `rolling.txt` has their ids, each with a hash of its content. All
/// hosts play them with all others: so each file decides by these policies as the
/// first one did.
///
/// A vector leaves the list only with a ★ in CHANGELOG.md.
#[test]
fn the_first_policies_are_still_played_and_decide_as_they_did() {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("rolling.txt");
    let list = fs::read_to_string(list).expect("rolling.txt");
    let listed: BTreeMap<&str, &str> = list
        .lines()
        .map(|line| line.split_once(' ').expect("an id and a hash"))
        .collect();
    assert!(listed.len() > 800, "{} vectors", listed.len());
    let mut played = BTreeMap::new();
    for file in fs::read_dir(files::vectors()).expect("vectors") {
        let text = fs::read_to_string(file.expect("a file").path()).expect("a text");
        let topic: Value = serde_json::from_str(&text).expect("JSON");
        for vector in topic["vectors"].as_array().expect("vectors") {
            let id = vector["id"].as_str().expect("an id");
            played.insert(id.to_owned(), hash(vector));
        }
    }
    let is_changed = |(id, hash): &(&&str, &&str)| played.get(**id).is_none_or(|now| now != **hash);
    let changed: BTreeSet<_> = listed.iter().filter(is_changed).collect();
    assert!(
        changed.is_empty(),
        "changed since the first corpus: {changed:?}"
    );
}

/// Of what the vector asks and expects, whatever its title is.
fn hash(vector: &Value) -> String {
    let asked = ["policy", "problems", "steps"].map(|name| (name, vector.get(name)));
    let mut text = String::new();
    write_sorted(&mut text, &json!(BTreeMap::from(asked)));
    let digest = Sha256::digest(text);
    digest[..8].iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// JSON with sorted members.
fn write_sorted(text: &mut String, value: &Value) {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<_, _> = members.iter().collect();
            text.push('{');
            for (name, value) in sorted {
                let _ = write!(text, "{}:", json!(name));
                write_sorted(text, value);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write_sorted(text, item);
                text.push(',');
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}
