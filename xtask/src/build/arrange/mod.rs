//! Step 4: makes the sealed module smaller, as it is and compressed, without a
//! change of what it does: fewer instructions, and other numbers for locals and
//! functions.

mod jumps;
mod locals;
mod order;
mod shorten;

use std::convert::Infallible;

use anyhow::{Context, Result};
use wasm_encoder::{Module, reencode::Reencode};
use wasmparser::Parser;

pub(crate) fn arrange(module: &[u8]) -> Result<Vec<u8>> {
    let module = encode(shorten::Shorten::of(module)?, module)?;
    let module = encode(locals::Locals::of(&module)?, &module)?;
    encode(order::Order::of(&module)?, &module)
}

fn encode(mut numbers: impl Reencode<Error = Infallible>, module: &[u8]) -> Result<Vec<u8>> {
    let mut arranged = Module::new();
    numbers
        .parse_core_module(&mut arranged, Parser::new(0), module)
        .context("the module cannot be arranged")?;
    Ok(arranged.finish())
}
