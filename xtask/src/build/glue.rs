//! Step 2: runs wasm-bindgen, which generates the JavaScript glue and completes
//! the exports that the glue calls.

use anyhow::{Context, Result, ensure};
use walrus::Module;
use wasm_bindgen_cli_support::Bindgen;

pub(crate) struct Glue {
    pub(crate) js: String,
    pub(crate) ts: String,
}

/// Whether the module keeps the names of its functions, for a profiler.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Names {
    Kept,
    Dropped,
}

pub(crate) fn bind(module: Vec<u8>, names: Names) -> Result<(Module, Glue)> {
    let mut output = Bindgen::new()
        .input_bytes("countersign", module)
        .web(true)?
        .typescript(true)
        .reset_state_function(true)
        .demangle(false)
        .remove_name_section(names == Names::Dropped)
        .remove_producers_section(true)
        .generate_output()?;
    let glue = Glue {
        js: stub_envoy(output.js())?,
        ts: output
            .ts()
            .context("wasm-bindgen made no types")?
            .to_owned(),
    };
    Ok((std::mem::take(output.wasm_mut()), glue))
}

/// wasm-bindgen imports each function of Envoy from an ES module named `env`.
/// The glue uses functions that throw instead.
fn stub_envoy(js: &str) -> Result<String> {
    let mut stubbed = String::with_capacity(js.len());
    let mut stubs = 0;
    for line in js.lines() {
        if line.starts_with("import ") {
            ensure!(
                line.ends_with("from \"env\""),
                "the glue has an import: `{line}`"
            );
        } else if line.trim_start().starts_with("\"env\": import") {
            stubs += 1;
            if stubs == 1 {
                stubbed.push_str("\"env\": envoy,\n");
            }
        } else {
            stubbed.push_str(line);
            stubbed.push('\n');
        }
    }
    ensure!(
        stubs > 0,
        "the glue names no `env`: wasm-bindgen writes it in another way now"
    );

    stubbed.push_str("\nconst envoy = Object.fromEntries([\n");
    for name in super::seal::IMPORTS.lines() {
        stubbed.push_str(&format!("  '{name}',\n"));
    }
    stubbed.push_str(
        "].map((name) => [name, () => { throw new Error(`${name} is for Envoy`); }]));\n",
    );
    Ok(stubbed)
}
