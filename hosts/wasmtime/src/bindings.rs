//! The module's interface, from its WIT.
#![allow(missing_docs, unreachable_pub, clippy::all)]

wasmtime::component::bindgen!({
    path: "../../wit/countersign.wit",
    world: "countersign",
    ownership: Borrowing { duplicate_if_necessary: false },
});
