//! Steps 5 and 6: make the component from the module, and extract the module
//! from it. wit-component extends the section `producers`, so only a module
//! extracted from a component stays unchanged in a new component.

use anyhow::{Context, Result, ensure};
use walrus::{FunctionBuilder, ImportKind, Module};
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const WIT: &str = include_str!("../../../wit/countersign.wit");

pub(crate) fn componentise(core: &[u8]) -> Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("countersign.wit", WIT)?;
    let world = resolve.select_world(&[package], Some("countersign"))?;
    let mut module = core.to_vec();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)?;
    ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .adapter("env", &trapping_stubs(core)?)?
        .encode()
}

/// Makes stubs that trap, for the functions that only Envoy offers.
fn trapping_stubs(core: &[u8]) -> Result<Vec<u8>> {
    let core = Module::from_buffer(core)?;
    let mut stubs = Module::default();
    for import in core.imports.iter() {
        let ImportKind::Function(function) = import.kind else {
            continue;
        };
        let ty = core.types.get(core.funcs.get(function).ty());
        let mut body = FunctionBuilder::new(&mut stubs.types, ty.params(), ty.results());
        body.func_body().unreachable();
        let parameters = ty.params().iter().map(|ty| stubs.locals.add(*ty)).collect();
        let stub = body.finish(parameters, &mut stubs.funcs);
        stubs.exports.add(&import.name, stub);
    }
    Ok(stubs.emit_wasm())
}

/// Returns the first core module of a component: the module from which it was
/// made.
pub(crate) fn core_module(component: &[u8]) -> Result<Vec<u8>> {
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::ModuleSection {
            unchecked_range, ..
        } = payload?
        {
            let range = unchecked_range.start as usize..unchecked_range.end as usize;
            return Ok(component
                .get(range)
                .context("the component is cut off")?
                .to_vec());
        }
    }
    anyhow::bail!("the component holds no core module")
}

pub(crate) fn assert_fixed_point(file: &[u8], component: &[u8]) -> Result<()> {
    let again = componentise(file)?;
    ensure!(
        again == component,
        "componentising the extracted file makes another component"
    );
    Ok(())
}
