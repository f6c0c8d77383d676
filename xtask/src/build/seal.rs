//! Step 3: removes everything from the module that no host needs.

use anyhow::{Context, Result, bail, ensure};
use walrus::Module;

/// The functions of Envoy that the module can import.
pub(crate) const IMPORTS: &str = include_str!("../../../module/imports.txt");
/// All exports of the module.
pub(crate) const EXPORTS: &str = include_str!("../../../module/exports.txt");

pub(crate) fn seal(mut module: Module) -> Result<Vec<u8>> {
    keep_exports(&mut module)?;
    drop_customs(&mut module);
    walrus::passes::gc::run(&mut module);
    close_imports(&mut module)?;
    Ok(module.emit_wasm())
}

/// Removes the imports of wasm-bindgen from JavaScript. They are not needed:
/// the module has no `externref`s and throws nothing.
fn close_imports(module: &mut Module) -> Result<()> {
    let unwanted: Vec<_> = module
        .imports
        .iter()
        .filter(|import| import.module != "env")
        .map(|import| (import.name.clone(), import.kind.clone()))
        .collect();
    for (name, kind) in unwanted {
        let walrus::ImportKind::Function(function) = kind else {
            bail!("`{name}` is imported and no function");
        };
        if name.contains("__wbindgen_init_externref_table") {
            module.replace_imported_func(function, |_| {})?;
        } else if name.contains("__wbindgen_throw") {
            module.replace_imported_func(function, |(body, _)| {
                body.unreachable();
            })?;
        } else {
            bail!("`{name}` is imported: only functions that Envoy offers may be");
        }
    }
    for import in module.imports.iter() {
        let allowed = import.module == "env" && IMPORTS.lines().any(|line| line == import.name);
        ensure!(
            allowed,
            "`{}.{}` is not in module/imports.txt",
            import.module,
            import.name
        );
    }
    Ok(())
}

fn keep_exports(module: &mut Module) -> Result<()> {
    let ids: Vec<_> = module
        .exports
        .iter()
        .filter(|export| !EXPORTS.lines().any(|line| line == export.name))
        .map(walrus::Export::id)
        .collect();
    for id in ids {
        module.exports.delete(id);
    }
    for name in EXPORTS.lines() {
        let export = module.exports.iter().find(|export| export.name == name);
        export.with_context(|| format!("`{name}` is in module/exports.txt and not exported"))?;
    }
    Ok(())
}

fn drop_customs(module: &mut Module) {
    let ids: Vec<_> = module.customs.iter().map(|(id, _)| id).collect();
    for id in ids {
        module.customs.delete(id);
    }
}
