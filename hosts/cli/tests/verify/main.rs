//! `countersign proxy-config --verify`, with real proxies: with the generated configuration
//! nothing comes through, and every hole that is made in it is found.
#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod caddy;
mod nginx;
mod scene;
mod words;
