//! The module: links the three interfaces of the gate (proxy-wasm, npm and WIT)
//! into one file.

extern crate countersign_envoy as _;
extern crate countersign_npm as _;
extern crate countersign_wit as _;

#[cfg(target_arch = "wasm32")]
mod allocator;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator::new();
