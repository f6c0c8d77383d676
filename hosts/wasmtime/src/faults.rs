//! What the host does when the module dies or asks too much: with a
//! module made for it, as the sealed one is not known to do so.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::{
    Decision, Fetch, Fetcher, Fetching, Gate, GateBuilder, Outcome, Response, fetch, module::Module,
};

/// Answers everything with zeros, which is a gate that allows everything,
/// except: a target that starts with `/t` traps, with `/w`
/// waits for document 7. Being supplied with a document traps too.
const FAULTY: &str = r#"
(module
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 65536))
  ;; At 2048: wait([fetch { 7, "x", jwks, "x", 1000 ms, 1000 bytes }]).
  (data (i32.const 2048) "\02")
  (data (i32.const 2056) "\80\08\00\00\01\00\00\00")
  (data (i32.const 2176)
    "\07\00\00\00" "\00\09\00\00\01\00\00\00" "\01\00\00\00" "\00\09\00\00\01\00\00\00"
    "\e8\03\00\00" "\e8\03\00\00")
  (data (i32.const 2304) "x")
  ;; At 3072: some grant, of nothing.
  (data (i32.const 3072) "\01")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (if (i32.gt_u (global.get $free) (i32.const 120000)) (then (unreachable)))
    (local.get $at))
  (func (export "countersign:gate/gate@0.1.0#open") (param i32 i32 i64) (result i32)
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#lint") (param i32 i32) (result i32)
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#reads") (param i32) (result i32)
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#due") (param i32 i64) (result i32)
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#next-due") (param i32) (result i32)
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#supply")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32)
    (if (i32.eqz (local.get 2)) (then (unreachable)))
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#status") (param i32 i64) (result i32)
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#check")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32)
    (local $letter i32)
    (local.set $letter (i32.load8_u offset=1 (local.get 5)))
    (if (i32.eq (local.get $letter) (i32.const 116)) (then (unreachable)))
    (if (i32.eq (local.get $letter) (i32.const 119)) (then (return (i32.const 2048))))
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#granted") (param i32 i64) (result i32)
    (i32.const 3072))
  (func (export "countersign:gate/gate@0.1.0#prepare") (param i32 i32 i32) (result i32)
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#check-token")
    (param i32 i32 i32 i32 i64) (result i32)
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#inspect") (param i32 i32) (result i32)
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#explain")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32)
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#close") (param i32)))
"#;

fn faulty() -> Arc<Module> {
    let mut core = wat::parse_str(FAULTY).unwrap();
    let mut resolve = Resolve::default();
    let package = resolve.push_path("../../wit/countersign.wit").unwrap().0;
    let world = resolve
        .select_world(&[package], Some("countersign"))
        .unwrap();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8, true).unwrap();
    let component = ComponentEncoder::default()
        .module(&core)
        .unwrap()
        .encode()
        .unwrap();
    Arc::new(Module::compile(&component).unwrap())
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

/// Answers every fetch with the same text, and counts.
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

#[tokio::test]
async fn a_trap_denies_the_request_and_the_next_one_is_decided() {
    let gate = builder().build().await.unwrap();
    for _ in 0..3 {
        assert!(is_internal_error(&check(&gate, "/trap").await));
        assert!(check(&gate, "/").await.grant().is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn traps_of_many_requests_at_once_leave_a_whole_pool() {
    let gate = builder().instances(3).build().await.unwrap();
    let requests = (0..30).map(|number| {
        let gate = gate.clone();
        tokio::spawn(async move {
            let trap = number % 2 == 0;
            (trap, check(&gate, if trap { "/trap" } else { "/" }).await)
        })
    });
    for request in requests.collect::<Vec<_>>() {
        let (trap, decision) = request.await.unwrap();
        assert_eq!(is_internal_error(&decision), trap);
    }
    assert!(check(&gate, "/").await.grant().is_some());
}

#[tokio::test]
async fn a_document_on_which_the_module_dies_is_a_failed_fetch() {
    let gate = builder().fetcher(Answers::default()).build().await.unwrap();
    let decision = check(&gate, "/wait").await;
    assert_eq!(decision.denial().unwrap().code, "keys_unavailable");
    assert!(check(&gate, "/").await.grant().is_some());
}

#[tokio::test]
async fn a_gate_that_never_stops_to_wait_is_asked_a_few_times_only() {
    let answers = Answers::default();
    let fetches = answers.0.clone();
    let gate = builder().fetcher(answers).build().await.unwrap();
    let decision = check(&gate, "/wait").await;
    assert_eq!(decision.denial().unwrap().status, 503);
    assert!((2..=4).contains(&fetches.load(Ordering::Relaxed)));
}

#[tokio::test]
async fn a_body_that_a_fetcher_should_have_cut_is_thrown_away() {
    let wanted = Fetch {
        source: 0,
        issuer: "x".into(),
        kind: crate::DocumentKind::Jwks,
        uri: "http://x".into(),
        timeout_ms: 1000,
        max_bytes: 8,
    };
    assert_eq!(
        fetch::fetch(Arc::new(Answers::default()), &wanted).await,
        Outcome::Failed
    );
    let larger = Fetch {
        max_bytes: 9,
        ..wanted
    };
    assert!(matches!(
        fetch::fetch(Arc::new(Answers::default()), &larger).await,
        Outcome::Response(_)
    ));
}

#[tokio::test]
async fn a_module_with_an_import_is_not_run() {
    let component = wat::parse_str(r#"(component (import "clock" (func)))"#).unwrap();
    assert!(Module::compile(&component).is_err());
}
