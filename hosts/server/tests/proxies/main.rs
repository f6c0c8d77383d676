//! Real proxies that ask the decision server, with the configuration that
//! `countersign proxy-config` prints: nobody passes who should not, and the origin sees
//! exactly the request that was decided about.
//!
//! One file for each proxy. `stage/` has what they share: the server, an origin that records
//! what it receives, tokens, and clients that send raw bytes.

mod caddy;
mod corpus;
mod envoy;
mod forwarded;
mod haproxy;
mod life;
mod nginx;
mod seams;
mod stage;
mod traefik;
