//! A file with another version of the interface, or with an import, is refused.

use super::{FAULTY, component};
use crate::{
    module::{INTERFACE, Module},
    problem::OpenError,
};

/// Our component with each mention of the version replaced, which keeps every
/// length: what a file of that version looks like at its surface.
fn with_version(version: &str) -> Vec<u8> {
    let (_, ours) = INTERFACE.split_once('@').unwrap();
    assert_eq!(version.len(), ours.len());
    let mut bytes = component(FAULTY);
    let mut replaced = 0;
    for at in 0..bytes.len() - ours.len() {
        if bytes[at..].starts_with(format!("@{ours}").as_bytes()) {
            bytes[at + 1..][..version.len()].copy_from_slice(version.as_bytes());
            replaced += 1;
        }
    }
    assert!(replaced > 0, "the file does not say its version");
    bytes
}

fn refusal(component: &[u8]) -> String {
    match Module::compile(component) {
        Err(OpenError::Module(reason)) => reason,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it is accepted"),
    }
}

#[test]
fn another_version_is_refused_and_both_are_named() {
    // 0.1.1 is one that wasmtime itself would link.
    for version in ["0.2.0", "0.1.1", "1.0.0"] {
        assert_eq!(
            refusal(&with_version(version)),
            format!(
                "the file has interface countersign:gate@{version}, this host needs {INTERFACE}"
            )
        );
    }
    assert!(Module::compile(&component(FAULTY)).is_ok());
}

#[test]
fn a_component_without_the_interface_is_refused() {
    let other = wat::parse_str(
        r#"(component (instance $i) (export "other:package/gate@0.1.0" (instance $i)))"#,
    );
    assert_eq!(
        refusal(&other.unwrap()),
        format!("the file has no interface of Countersign, this host needs {INTERFACE}")
    );
}

#[test]
fn a_module_with_an_import_is_not_run() {
    let text = format!(
        r#"(component (import "clock" (func)) (instance $i) (export "{}" (instance $i)))"#,
        INTERFACE.replace('@', "/gate@")
    );
    let reason = refusal(&wat::parse_str(text).unwrap());
    // Wasmtime says so of the import.
    assert!(reason.contains("implementation is missing"), "{reason}");
}

#[test]
fn the_needed_version_is_that_of_the_sealed_module() {
    assert!(Module::sealed().is_ok());
    assert!(INTERFACE.starts_with("countersign:gate@"), "{INTERFACE}");
}
