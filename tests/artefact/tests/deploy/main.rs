//! What `cargo xtask build` puts into `dist/` for clusters: the image of the
//! file, and manifests that name it.

mod image;
mod manifests;
mod schemas;
