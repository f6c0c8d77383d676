//! Each provider's policy, held to tokens of the shape that the provider
//! documents: those that must pass, and those that people mistake for them. The
//! source of a shape stands above it, by the title of its page and section.
//! Tokens are signed here with keys made for the run; nothing is fetched.

mod bench;
mod token;
#[path = "../../../../wasmtime/src/yaml/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod yaml;

mod all;
mod cases;
mod ci;
mod clusters;
mod google;
mod keycloak;
mod microsoft;
mod proxies;
mod sessions;
mod supabase;
mod users;
