//! The public items of the crates whose interface is promised. A change of one
//! shows in a list that is committed.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use public_api::Builder;
use xtask::{project, tools};

/// The crates, and their folders with `api.txt`.
const CRATES: [(&str, &str); 9] = [
    ("countersign", "verifier"),
    ("countersign-host", "hosts/wasmtime"),
    ("countersign-policy-source", "hosts/cli/policy-source"),
    ("countersign-regions", "hosts/cli/regions"),
    ("countersign-importer", "hosts/cli/importer"),
    ("countersign-dev-issuer", "hosts/cli/dev-issuer"),
    ("countersign-init", "hosts/cli/init"),
    ("countersign-proxy-config", "hosts/cli/proxy-config"),
    ("countersign-server", "hosts/server"),
];

/// Compares the lists, or writes them anew.
pub(crate) fn run(renew: bool) -> Result<()> {
    document()?;
    let mut different = Vec::new();
    for (name, folder) in CRATES {
        let items = items(name)?;
        let path = project::root().join(folder).join("api.txt");
        if renew {
            fs::write(&path, items)?;
        } else if fs::read_to_string(&path).unwrap_or_default() != items {
            different.push(format!("{folder}/api.txt"));
        }
    }
    if different.is_empty() {
        return Ok(());
    }
    bail!(
        "the public items are not those in {}. `cargo xtask api --renew` writes them; \
         COMPATIBILITY.md says which changes need which version",
        different.join(" and ")
    )
}

/// Lets rustdoc describe the libraries of the workspace, so that cargo uses
/// what `cargo clippy` has compiled. Its JSON is not stable yet, so `rustdoc`
/// alone gets the switch for unstable options: for cargo, the switch would
/// compile everything again.
fn document() -> Result<()> {
    let script = target().join("rustdoc-json");
    tools::script(&script, "RUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n")?;
    let mut cargo = project::cargo();
    cargo
        .current_dir(project::root())
        .args([
            "doc",
            "--quiet",
            "--locked",
            "--workspace",
            "--lib",
            // There are none; with them the libraries have the features that the tests
            // have, with which their dependencies are compiled already.
            "--examples",
            "--no-deps",
        ])
        .env("RUSTDOC", &script)
        .env("RUSTDOCFLAGS", "-Zunstable-options --output-format json");
    tools::run(&mut cargo)
}

/// Returns one line for each item. Implementations of marker traits are left
/// out: they follow from the fields.
fn items(name: &str) -> Result<String> {
    let json = target()
        .join("doc")
        .join(format!("{}.json", name.replace('-', "_")));
    let items = Builder::from_rustdoc_json(&json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .with_context(|| format!("cannot read {}", json.display()))?;
    Ok(items.to_string())
}

fn target() -> PathBuf {
    project::target(project::root())
}
