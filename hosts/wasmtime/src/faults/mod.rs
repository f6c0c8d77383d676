//! What the host does when the module traps or never stops to wait: with a module
//! made for these tests, as the sealed one does neither. And when its own
//! cryptography fails, which AWS-LC does not.

mod documents;
mod interface;
mod requests;
mod signatures;
mod traps;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::{
    decision::Decision,
    document::{DocumentKind, Fetch, Response},
    fetch::{Fetcher, Fetching},
    gate::{Gate, GateBuilder},
    module::Module,
};

/// Its first lines describe what it does.
const FAULTY: &str = include_str!("module.wat");

fn faulty() -> Arc<Module> {
    Arc::new(Module::compile(&component(FAULTY)).unwrap())
}

/// A component with our interface around a core module, which is text.
fn component(core: &str) -> Vec<u8> {
    let mut core = wat::parse_str(core).unwrap();
    let mut resolve = Resolve::default();
    let package = resolve.push_path("module/countersign.wit").unwrap().0;
    let world = resolve
        .select_world(&[package], Some("countersign"))
        .unwrap();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8, true).unwrap();
    ComponentEncoder::default()
        .module(&core)
        .unwrap()
        .encode()
        .unwrap()
}

fn builder() -> GateBuilder {
    Gate::builder().policy("{}").module(faulty()).instances(1)
}

async fn check(gate: &Gate, target: &str) -> Decision {
    gate.check(&http::Request::get(target).body(()).unwrap())
        .await
}

fn is_internal_error(decision: &Decision) -> bool {
    decision.denial().is_some_and(|denial| {
        (denial.status, &*denial.code) == (503, "internal_error") && denial.retry_after_s.is_some()
    })
}

/// Answers every fetch with the same text, and counts them.
#[derive(Default)]
struct Answers(Arc<AtomicUsize>);

impl Fetcher for Answers {
    fn fetch<'a>(&'a self, _: &'a Fetch) -> Fetching<'a> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let response = Response {
            status: 200,
            cache_control: String::new(),
            body: vec![b'x'; 9],
        };
        Box::pin(async { Ok(response) })
    }
}

/// Answers with the document that takes 50 slices.
struct Slices;

impl Fetcher for Slices {
    fn fetch<'a>(&'a self, _: &'a Fetch) -> Fetching<'a> {
        let response = Response {
            status: 200,
            cache_control: String::new(),
            body: vec![b'x'; 3],
        };
        Box::pin(async { Ok(response) })
    }
}

fn wanted() -> Fetch {
    Fetch {
        source: 7,
        issuer: "x".into(),
        kind: DocumentKind::Jwks,
        uri: "x".into(),
        headers: Vec::new(),
        timeout_ms: 1000,
        max_bytes: 1000,
    }
}
