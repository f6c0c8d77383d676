//! Checks that the modules of a crate depend on each other in one direction. A
//! list has the modules in order. Each module may use only those before it.

use std::{collections::BTreeSet, fs, path::Path};

/// Returns every use of a module that is not before its user in `rooms`, and
/// every module that is missing in the list or in the folder `src`. `lib.rs` and
/// `main.rs` may use all modules. The first name after `crate::` must be a
/// module, and not an item that `lib.rs` exports.
///
/// # Panics
/// Panics if the folder cannot be read.
pub fn violations(src: &Path, rooms: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(src).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if stem == "lib" || stem == "main" {
            continue;
        }
        match rooms.iter().position(|room| *room == stem) {
            Some(room) => check(&path, "super::", &rooms[..=room], rooms, &mut found),
            None => found.push(format!("{stem} is not in the list")),
        }
        seen.insert(stem);
    }
    let missing = rooms.iter().filter(|room| !seen.contains(**room));
    found.extend(missing.map(|room| format!("{room} is not in the folder")));
    found
}

/// `root` is the path with `super::` from the file at `path` to the crate root.
fn check(path: &Path, root: &str, above: &[&str], rooms: &[&str], found: &mut Vec<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            let is_door = path.file_stem().is_some_and(|stem| stem == "mod");
            let inner = format!("{root}super::");
            check(
                &path,
                if is_door { root } else { &inner },
                above,
                rooms,
                found,
            );
        }
        return;
    }
    let source = fs::read_to_string(path).unwrap();
    let mut names = used(&source, "crate::");
    let by_root = used(&source, root);
    names.extend(by_root.into_iter().filter(|name| rooms.contains(&&**name)));
    let wrong = names.iter().filter(|name| !above.contains(&&***name));
    found.extend(wrong.map(|name| format!("{}: crate::{name}", path.display())));
}

/// Returns the names after `prefix` in a source, also in groups:
/// `crate::{a::X, b}`.
fn used(source: &str, prefix: &str) -> BTreeSet<String> {
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
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
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

#[cfg(test)]
mod tests {
    use super::used;

    #[test]
    fn names_in_groups_are_seen() {
        let source = "use crate::{\n    gate::{A, B},\n    json,\n};\nlet x = crate::policy::y(); // crate::z\n";
        let names: Vec<_> = used(source, "crate::").into_iter().collect();
        assert_eq!(names, ["gate", "json", "policy", "z"]);
        let names: Vec<_> = used("use super::{a, b};", "super::").into_iter().collect();
        assert_eq!(names, ["a", "b"]);
    }
}
