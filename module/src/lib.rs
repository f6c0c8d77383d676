//! The one file: joins the three faces of the gate, and nothing else.

extern crate countersign_envoy as _;
extern crate countersign_npm as _;
extern crate countersign_wit as _;
