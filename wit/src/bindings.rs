//! The bindings that `wit-bindgen` generates from `countersign.wit`.
#![allow(missing_docs, unreachable_pub, reason = "generated")]

wit_bindgen::generate!({
    world: "countersign",
    path: "countersign.wit",
});
