//! The module: links the three interfaces of the gate (proxy-wasm, npm and WIT)
//! into one file.

extern crate countersign_envoy as _;
extern crate countersign_npm as _;
extern crate countersign_wit as _;

/// This allocator is smaller and faster than that of the standard library.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
