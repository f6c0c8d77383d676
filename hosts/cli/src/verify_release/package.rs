//! Packages: crates, the npm tarball, Go modules, programs.

use memchr::memmem;
use serde_json::Value;

use super::{
    archive::{self, Entries},
    content,
    path::file_name,
    statement::Facts,
};

type Problems = Vec<String>;

/// A `.crate`; the host's contains the component.
pub(super) fn krate(name: &str, bytes: &[u8], facts: &Facts) -> Result<Problems, String> {
    let entries = archive::tar_gz(bytes)?;
    let folder = format!("{name}-{}/", facts.version);
    let mut required = vec![format!("{folder}Cargo.toml")];
    if name == "countersign-host" {
        required.push(format!("{folder}module/countersign.component.wasm"));
        required.push(format!("{folder}module/countersign.wasm.sha256"));
    }
    Ok([
        content::require_folder(&entries, &folder),
        content::require(&entries, &required),
        content::archive(&entries, facts),
    ]
    .concat())
}

/// The tarball of npm: the module as a file, and in base64 for bundlers.
pub(super) fn npm(bytes: &[u8], facts: &Facts) -> Result<Problems, String> {
    let entries = archive::tar_gz(bytes)?;
    let files = [
        "countersign.wasm",
        "countersign.wasm.sha256",
        "esm/inlined.js",
        "package.json",
    ];
    let mut problems = [
        content::require_folder(&entries, "package/"),
        content::require(&entries, &files.map(|file| format!("package/{file}"))),
        content::archive(&entries, facts),
    ]
    .concat();
    if let Some(manifest) = entries.get("package/package.json") {
        let manifest: Value = serde_json::from_slice(manifest).unwrap_or_default();
        for (member, wanted) in [("name", "countersign"), ("version", &facts.version)] {
            if manifest[member] != *wanted {
                problems.push(format!(
                    "`package/package.json`: {member} is not `{wanted}`"
                ));
            }
        }
    }
    Ok(problems)
}

/// The zip of a Go module; that of the host contains the module. `go_mod` is the
/// file beside it.
pub(super) fn go(
    module: &str,
    bytes: &[u8],
    go_mod: Option<&[u8]>,
    facts: &Facts,
) -> Result<Problems, String> {
    let entries = archive::zip(bytes)?;
    let folder = format!("{module}@v{}/", facts.version);
    let mut required = vec![format!("{folder}go.mod"), format!("{folder}LICENSE-MIT")];
    if module == super::artefact::GO_HOST {
        for file in ["countersign.wasm", "countersign.wasm.sha256"] {
            required.push(format!("{folder}countersign/{file}"));
        }
    }
    let mut problems = [
        content::require_folder(&entries, &folder),
        content::require(&entries, &required),
        content::archive(&entries, facts),
    ]
    .concat();
    if let Some(inside) = entries.get(&format!("{folder}go.mod")) {
        problems.extend(go_mod_is(module, inside));
        if go_mod.is_some_and(|beside| beside != inside) {
            problems.push("its go.mod is not the .mod file".to_owned());
        }
    }
    Ok(problems)
}

/// It names its module, and replaces none: others would not see what replaces it.
fn go_mod_is(module: &str, bytes: &[u8]) -> Problems {
    let text = String::from_utf8_lossy(bytes);
    let mut problems = Problems::new();
    if text.lines().next() != Some(&format!("module {module}")) {
        problems.push(format!("its go.mod is not that of `{module}`"));
    }
    let first_word = |line: &str| line.split([' ', '\t', '(']).next() == Some("replace");
    if text.lines().any(first_word) {
        problems.push("its go.mod has `replace`".to_owned());
    }
    problems
}

/// What a Go proxy answers beside the zip: `list` and `.info`.
pub(super) fn go_list(bytes: &[u8], facts: &Facts) -> Result<(), String> {
    let wanted = format!("v{}", facts.version);
    let text = String::from_utf8_lossy(bytes);
    if text.lines().any(|line| line == wanted) {
        Ok(())
    } else {
        Err(format!("does not name {wanted}"))
    }
}

pub(super) fn go_info(bytes: &[u8], facts: &Facts) -> Result<(), String> {
    let wanted = format!("v{}", facts.version);
    let info: Value = serde_json::from_slice(bytes).map_err(|_| "is not JSON")?;
    if info["Version"] == *wanted {
        Ok(())
    } else {
        Err(format!("its Version is not {wanted}"))
    }
}

/// A wheel, whose native part contains the whole component.
pub(super) fn wheel(
    bytes: &[u8],
    component: Option<&[u8]>,
    facts: &Facts,
) -> Result<Problems, String> {
    let entries = archive::zip(bytes)?;
    let mut problems = content::archive(&entries, facts);
    let name = format!("countersign_gate-{}.dist-info/METADATA", facts.version);
    problems.extend(content::require(&entries, &[name]));
    let is_native = |path: &str| file_name(path).starts_with("_native.");
    let is_library = |path: &str| [".so", ".pyd"].iter().any(|end| path.ends_with(end));
    let natives: Vec<_> = entries
        .iter()
        .filter(|(path, _)| is_native(path) && is_library(path))
        .collect();
    match (&*natives, component) {
        ([(path, native)], Some(component)) => {
            if component.is_empty() || memmem::find(native, component).is_none() {
                problems.push(format!(
                    "`{path}` does not contain countersign.component.wasm"
                ));
            }
        }
        // The component is missing, which is reported where it should be.
        ([_], None) => problems.push("cannot be compared with the component".to_owned()),
        _ => problems.push(format!("has {} native parts, not one", natives.len())),
    }
    Ok(problems)
}

/// A tarball with the command, whose program contains the whole component.
pub(super) fn program(
    bytes: &[u8],
    component: Option<&[u8]>,
    facts: &Facts,
) -> Result<Problems, String> {
    let entries: Entries = archive::tar_gz(bytes)?;
    let mut problems = content::archive(&entries, facts);
    let is_program = |path: &str| ["countersign", "countersign.exe"].contains(&file_name(path));
    let programs: Vec<_> = entries
        .iter()
        .filter(|(path, _)| is_program(path))
        .collect();
    match (&*programs, component) {
        ([(path, program)], Some(component)) => {
            if component.is_empty() || memmem::find(program, component).is_none() {
                problems.push(format!(
                    "`{path}` does not contain countersign.component.wasm"
                ));
            }
        }
        // The component is missing, which is reported where it should be.
        ([_], None) => problems.push("cannot be compared with the component".to_owned()),
        _ => problems.push(format!("has {} programs, not one", programs.len())),
    }
    Ok(problems)
}
