//! The notices that the licences of third-party packages ask for.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};

use crate::packages::Source;

/// How a file with the text of a licence, or a notice, is named.
const NAMES: [&str; 6] = [
    "LICENSE",
    "LICENCE",
    "COPYING",
    "COPYRIGHT",
    "NOTICE",
    "UNLICENSE",
];

/// Returns the notices of the packages in `what`. The same text is there once.
pub fn notices(what: &str, sources: &[Source]) -> Result<String> {
    let mut by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut without = Vec::new();
    for source in sources {
        let package = format!("{} ({})", source.name(), source.package.licence);
        let texts = texts(source)?;
        if texts.is_empty() {
            without.push(package.clone());
        }
        for text in texts {
            by_text.entry(text).or_default().push(package.clone());
        }
    }
    let mut all = format!(
        "Third-party packages in {what}, and the texts of their licences.\n\n\
         The standard library of Rust (MIT OR Apache-2.0), copyright (c) The Rust Project contributors, \
         is in it too: both texts are below.\n"
    );
    if !without.is_empty() {
        all += "\nThese packages contain no text of their licence:\n";
        all.extend(without.iter().map(|package| format!("  {package}\n")));
    }
    let mut texts: Vec<_> = by_text.into_iter().collect();
    texts.sort_by(|(_, one), (_, other)| one.cmp(other));
    for (text, packages) in texts {
        all += &format!("\n{}\n", "-".repeat(78));
        all.extend(packages.iter().map(|package| format!("{package}\n")));
        all += &format!("\n{text}\n");
    }
    Ok(all)
}

/// Returns the texts of the licence that is used: of `MIT OR Apache-2.0` it is
/// MIT.
fn texts(source: &Source) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(&source.folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.context("a name in UTF-8")?.to_uppercase();
        if path.is_file() && NAMES.iter().any(|start| name.starts_with(start)) {
            files.push((name, path));
        }
    }
    files.sort();
    let has_mit = files.iter().any(|(name, _)| name.contains("MIT"));
    let alternatives = &source.package.licence.replace('/', " OR ");
    if has_mit && alternatives.contains(" OR ") && !alternatives.contains(" AND ") {
        files.retain(|(name, _)| {
            !["APACHE", "UNLICENSE", "BSD", "ZLIB"]
                .iter()
                .any(|other| name.contains(other))
        });
    }
    files.iter().map(|(_, path)| read(path)).collect()
}

/// Reads a text without the differences that do not matter.
fn read(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    Ok(lines.join("\n").trim_matches('\n').to_owned())
}
