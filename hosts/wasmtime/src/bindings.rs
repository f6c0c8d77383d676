//! The module's interface, from its WIT.
#![allow(missing_docs, unreachable_pub, clippy::all)]

wasmtime::component::bindgen!({
    path: "module/countersign.wit",
    world: "countersign",
    ownership: Borrowing { duplicate_if_necessary: false },
});

/// A list of the module's values as values of this crate.
pub(crate) fn convert<A, B: From<A>>(items: Vec<A>) -> Vec<B> {
    items.into_iter().map(B::from).collect()
}
