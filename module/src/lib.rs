//! The one file: joins the three faces of the gate, and nothing else.

extern crate countersign_envoy as _;
extern crate countersign_npm as _;
extern crate countersign_wit as _;

/// Smaller and faster than the standard library's.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
