//! The modules at the top level of `src` are called rooms. Each room uses only
//! the rooms above it in `ROOMS`, so that there are no circles.

use std::{collections::BTreeSet, fs, path::Path};

const ROOMS: [&str; 12] = [
    "base",
    "json",
    "refusal",
    "jose",
    "model",
    "documents",
    "token",
    "request",
    "policy",
    "decision",
    "check",
    "gate",
];

/// Returns the names after `crate::` in a source text, also in groups:
/// `crate::{a::X, b}`.
fn used(source: &str) -> BTreeSet<String> {
    let code: String = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut names = BTreeSet::new();
    let name = |text: &str| -> String {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        text[..end.unwrap_or(text.len())].into()
    };
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if !rest.starts_with('{') {
            names.insert(name(rest));
            continue;
        }
        let mut depth = 0;
        for (place, letter) in rest.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            if depth == 1 && matches!(letter, '{' | ',') {
                let next = rest[place + 1..].trim_start();
                names.insert(name(next));
            }
        }
    }
    names.remove("");
    names
}

fn check_path(path: &Path, room: usize, found: &mut Vec<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            check_path(&entry.unwrap().path(), room, found);
        }
        return;
    }
    for name in used(&fs::read_to_string(path).unwrap()) {
        let is_above = ROOMS.iter().position(|other| *other == name);
        if is_above.is_none_or(|other| other > room) {
            found.push(format!("{}: crate::{name}", path.display()));
        }
    }
}

#[test]
fn rooms_use_only_rooms_above_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut seen = 0;
    for entry in fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        if stem == "lib" {
            continue;
        }
        let room = ROOMS.iter().position(|room| *room == stem);
        let room = room.unwrap_or_else(|| panic!("{stem} is not in ROOMS"));
        check_path(&path, room, &mut found);
        seen += 1;
    }
    assert_eq!(seen, ROOMS.len(), "a room of ROOMS does not exist");
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn names_in_groups_are_found() {
    let source =
        "use crate::{\n    gate::{A, B},\n    json,\n};\nlet x = crate::policy::y(); // crate::z\n";
    let names: Vec<_> = used(source).into_iter().collect();
    assert_eq!(names, ["gate", "json", "policy", "z"]);
}

#[test]
fn the_verifier_depends_on_no_host() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    let manifest = manifest.unwrap();
    for host in [
        "wasmtime",
        "wasm-bindgen",
        "proxy-wasm",
        "wit-bindgen",
        "tokio",
    ] {
        assert!(!manifest.contains(host), "{host}");
    }
}
