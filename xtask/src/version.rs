//! The version of all packages: `[workspace.package]` in `Cargo.toml` says it,
//! the other files that name it are compared with that.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::project;

/// The version that `Cargo.toml` says.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Files that name the version, and the texts that stand right before it.
const PLACES: [(&str, &[&str]); 7] = [
    (
        "Cargo.toml",
        &["[workspace.package]\nversion = \"", "version = \"="],
    ),
    (
        "npm/package/package.json",
        &["\"name\": \"countersign\",\n  \"version\": \""],
    ),
    (
        "npm/package/package-lock.json",
        &[
            "\"name\": \"countersign\",\n  \"version\": \"",
            "\"name\": \"countersign\",\n      \"version\": \"",
        ],
    ),
    ("hosts/wasmtime/README.md", &["countersign-host = \""]),
    ("deploy/README.md", &["countersign:", "dist/oci:"]),
    ("deploy/server/server.yaml", &["countersign-server:"]),
    ("deploy/server/sidecar.yaml", &["countersign-server:"]),
];

/// Returns an error that lists every place that names another version.
pub fn check() -> Result<()> {
    let mut problems = Vec::new();
    for (file, texts) in PLACES {
        let content = read(file)?;
        for text in texts {
            let said: Vec<_> = versions(&content, text).collect();
            if said.is_empty() {
                problems.push(format!("{file}: no version after `{text}`"));
            }
            let others = said.iter().filter(|(_, said)| *said != VERSION);
            problems.extend(others.map(|(at, said)| {
                let line = content[..*at].lines().count();
                format!("{file}:{line} says {said}")
            }));
        }
    }
    let changelog = read("CHANGELOG.md")?;
    let first = changelog.lines().find_map(|line| line.strip_prefix("## "));
    if first.and_then(|first| first.split(' ').next()) != Some(VERSION) {
        problems.push(format!(
            "CHANGELOG.md has no section `## {VERSION}` at the top"
        ));
    }
    ensure!(
        problems.is_empty(),
        "the version is {VERSION}, but\n  {}\n`cargo xtask version {VERSION}` writes it into the other files",
        problems.join("\n  ")
    );
    Ok(())
}

/// Writes a version into all places.
pub fn set(version: &str) -> Result<()> {
    ensure!(
        is_semver(version),
        "`{version}` is not a version like 1.2.3 or 1.2.3-rc.1"
    );
    for (file, texts) in PLACES {
        let mut content = read(file)?;
        for text in texts {
            let places: Vec<_> = versions(&content, text)
                .map(|(at, said)| at..at + said.len())
                .collect();
            for place in places.into_iter().rev() {
                content.replace_range(place, version);
            }
        }
        fs::write(project::root().join(file), content)?;
    }
    println!(
        "next: its section in CHANGELOG.md, `cargo xtask build --renew` (a crate's version is part of the names in the file), \
         the tests, a commit"
    );
    Ok(())
}

/// Returns the position and the text of each version that follows `before`.
fn versions<'a>(content: &'a str, before: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    content.match_indices(before).filter_map(move |(at, _)| {
        let start = at + before.len();
        let rest = &content[start..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".-+".contains(c)));
        let said = &rest[..end.unwrap_or(rest.len())];
        is_semver(said).then_some((start, said))
    })
}

/// Whether a text is `1.2.3`, or `1.2.3-rc.1`: what every registry accepts.
fn is_semver(text: &str) -> bool {
    let (numbers, pre) = text.split_once('-').unwrap_or((text, "x"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = numbers.split('.');
    parts
        .by_ref()
        .take(3)
        .filter(|part| is_number(part))
        .count()
        == 3
        && parts.next().is_none()
        && pre
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn read(file: &str) -> Result<String> {
    fs::read_to_string(project::root().join(file)).with_context(|| format!("cannot read {file}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_after_its_text_and_nowhere_else() {
        let text = "oci:1.2.3 oci:latest x:9.9.9 oci:1.2.4-rc.1\n";
        let found: Vec<_> = versions(text, "oci:").map(|(_, said)| said).collect();
        assert_eq!(found, ["1.2.3", "1.2.4-rc.1"]);
    }

    #[test]
    fn a_version_has_three_numbers() {
        for good in ["0.1.0", "10.20.30", "1.0.0-rc.1"] {
            assert!(is_semver(good), "{good}");
        }
        for bad in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "v1.2.3",
            "1.2.x",
            "1.2.3-",
            "1.2.3-rc..1",
        ] {
            assert!(!is_semver(bad), "{bad}");
        }
    }
}
