//! The one digest: whether bytes are the module of the release, or contain it.

use base64::{Engine, engine::general_purpose::STANDARD};
use memchr::memmem;

use super::{archive::Entries, path::file_name, statement::Facts};
use crate::sealed::{core_module, interface, sha256};

/// `\0asm\x01\0\0` in base64: how every core module begins.
const BASE64_OF_A_MODULE: &str = "AGFzbQEA";

/// The module itself: its bytes have the digest, its exports name the interface.
pub(super) fn module(bytes: &[u8], facts: &Facts) -> Result<(), String> {
    has_digest(bytes, facts)?;
    has_interface(bytes, facts)
}

/// A component whose core module is the module.
pub(super) fn component(bytes: &[u8], facts: &Facts) -> Result<(), String> {
    let core = core_module(bytes).ok_or("is not a component with a core module")?;
    has_digest(core, facts)?;
    has_interface(bytes, facts)
}

fn has_digest(module: &[u8], facts: &Facts) -> Result<(), String> {
    let found = sha256(module);
    if found != facts.module_sha256 {
        return Err(format!("contains another module: {found}"));
    }
    Ok(())
}

fn has_interface(bytes: &[u8], facts: &Facts) -> Result<(), String> {
    let wanted = &facts.interface;
    match interface(bytes) {
        Some(found) if found == *wanted => Ok(()),
        Some(found) => Err(format!("has interface {found}, not {wanted}")),
        None => Err("has not one interface of Countersign".to_owned()),
    }
}

/// `countersign.wasm.sha256`, as `sha256sum` writes it.
pub(super) fn sum(bytes: &[u8], facts: &Facts) -> Result<(), String> {
    let wanted = format!("{}  countersign.wasm\n", facts.module_sha256);
    if bytes != wanted.as_bytes() {
        return Err("is not the digest of the module and its name".to_owned());
    }
    Ok(())
}

/// Text with the module in base64, and with no other module.
pub(super) fn inlined(text: &[u8], facts: &Facts) -> Result<(), String> {
    let mut found = None;
    for at in memmem::find_iter(text, BASE64_OF_A_MODULE) {
        let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        if at > 0 && is_base64(&text[at - 1]) {
            continue;
        }
        let rest = &text[at..];
        let end = rest.iter().position(|byte| !is_base64(byte));
        let bytes = STANDARD.decode(&rest[..end.unwrap_or(rest.len())]);
        let bytes = bytes.map_err(|_| "contains a module in damaged base64")?;
        has_digest(&bytes, facts)?;
        found = Some(());
    }
    found.ok_or_else(|| "does not contain the module in base64".to_owned())
}

/// The inspector's page, which says the digest and contains the module.
pub(super) fn page(text: &[u8], facts: &Facts) -> Result<(), String> {
    let sha256 = &facts.module_sha256;
    let said = format!("<meta name=\"countersign-sha256\" content=\"{sha256}\">");
    if memmem::find(text, said.as_bytes()).is_none() {
        return Err("does not say the digest of the module".to_owned());
    }
    inlined(text, facts)
}

/// Files that contain the module, by their names, in any archive: each of them is
/// checked, so that there is no second one.
pub(super) fn archive(entries: &Entries, facts: &Facts) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, bytes) in entries {
        let checked = match file_name(path) {
            "countersign.wasm" | "plugin.wasm" => module(bytes, facts),
            "countersign.wasm.sha256" => sum(bytes, facts),
            "countersign.component.wasm" => component(bytes, facts),
            "inlined.js" => inlined(bytes, facts),
            "inspector.html" => page(bytes, facts),
            _ => Ok(()),
        };
        problems.extend(checked.err().map(|problem| format!("`{path}` {problem}")));
    }
    problems
}

/// Files that must be in an archive.
pub(super) fn require(entries: &Entries, paths: &[String]) -> Vec<String> {
    let missing = paths.iter().filter(|path| !entries.contains_key(*path));
    missing
        .map(|path| format!("does not contain `{path}`"))
        .collect()
}

/// Every file of an archive is in one folder.
pub(super) fn require_folder(entries: &Entries, folder: &str) -> Vec<String> {
    let outside = entries.keys().find(|path| !path.starts_with(folder));
    let problem = outside.map(|path| format!("has `{path}`, which is not in `{folder}`"));
    problem.into_iter().collect()
}
