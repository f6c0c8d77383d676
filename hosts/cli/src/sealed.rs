//! What a WebAssembly file says of itself, read and never run.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use wasmparser::{Parser, Payload, Result};

/// The package whose interface is ours; `@` and a version follow.
const PACKAGE: &str = "countersign:gate";

/// Lower-case hexadecimal SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    let hex = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    hex.collect()
}

/// A component, not a core module.
pub(crate) fn is_component(bytes: &[u8]) -> bool {
    Parser::is_component(bytes)
}

/// `countersign:gate@0.1.0`: the interface of a core module or a component. `None`
/// if the file is no WebAssembly, has no interface of ours, or has two.
pub(crate) fn interface(bytes: &[u8]) -> Option<String> {
    let mut found = exports(bytes).ok()?;
    let one = found.pop_first();
    one.filter(|_| found.is_empty())
}

fn exports(bytes: &[u8]) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            // `countersign:gate/gate@0.1.0#check`
            Payload::ExportSection(section) => {
                for export in section {
                    found.extend(package_of(export?.name));
                }
            }
            // `countersign:gate/gate@0.1.0`
            Payload::ComponentExportSection(section) => {
                for export in section {
                    found.extend(package_of(&export?.name.full_name()));
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

fn package_of(export: &str) -> Option<String> {
    let (_, interface) = export.strip_prefix(PACKAGE)?.split_once('/')?;
    let (_, version) = interface.split('#').next()?.split_once('@')?;
    Some(format!("{PACKAGE}@{version}"))
}

/// The core module in a component: the first. The small ones behind it connect its
/// exports to those of the component.
pub(crate) fn core_module(component: &[u8]) -> Option<&[u8]> {
    let mut payloads = Parser::new(0).parse_all(component);
    let range = payloads.find_map(|payload| match payload {
        Ok(Payload::ModuleSection {
            unchecked_range, ..
        }) => Some(unchecked_range),
        _ => None,
    })?;
    let (start, end) = (range.start.try_into().ok()?, range.end.try_into().ok()?);
    component.get::<std::ops::Range<usize>>(start..end)
}
