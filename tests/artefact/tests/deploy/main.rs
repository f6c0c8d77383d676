//! Tests of the files for clusters that `cargo xtask build` writes into
//! `dist/`: the image of the module, and the manifests with its digests.

mod gateways;
mod image;
mod manifests;
mod schemas;
mod server;
