//! What the host does when the module dies or asks too much: with a
//! module made for it, as the sealed one is not known to do so.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::{
    Decision, DocumentKind, Fetch, FetchError, Fetcher, Fetching, Gate, GateBuilder, Outcome,
    Response, fetch, module::Module,
};

/// Answers everything with zeros, which is a gate that allows everything,
/// except: a target that starts with `/t` traps, with `/w`
/// waits for document 7. Being supplied with a document traps too, but one of
/// three bytes is accepted after 50 slices, and then `/w` waits no more.
const FAULTY: &str = r#"
(module
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 65536))
  (global $slices (mut i32) (i32.const -1))
  ;; At 2048: wait([fetch { 7, "x", jwks, "x", 1000 ms, 1000 bytes }]).
  (data (i32.const 2048) "\02")
  (data (i32.const 2056) "\80\08\00\00\01\00\00\00")
  (data (i32.const 2176)
    "\07\00\00\00" "\00\09\00\00\01\00\00\00" "\01\00\00\00" "\00\09\00\00\01\00\00\00"
    "\e8\03\00\00" "\e8\03\00\00")
  (data (i32.const 2304) "x")
  ;; At 3072: some grant, of nothing.
  (data (i32.const 3072) "\01")
  ;; At 3328: unfinished.
  (data (i32.const 3328) "\02")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (if (i32.gt_u (global.get $free) (i32.const 120000))
      (then (global.set $free (i32.const 65536)) (local.set $at (i32.const 65536))))
    (local.get $at))
  (func (export "countersign:gate/gate@0.1.0#open") (param i32 i32 i64) (result i32)
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#lint") (param i32 i32) (result i32)
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#reads") (param i32) (result i32)
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#due") (param i32 i64) (result i32)
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#next-due") (param i32 i64) (result i32)
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#supply")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32)
    (if (i32.eq (local.get 10) (i32.const 3)) (then
      (global.set $slices (i32.const 50))
      (return (i32.const 3328))))
    (if (i32.eqz (local.get 4)) (then (unreachable)))
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#resume") (param i32 i32 i32 i32 i64) (result i32)
    (global.set $slices (i32.sub (global.get $slices) (i32.const 1)))
    (if (result i32) (global.get $slices) (then (i32.const 3328)) (else (i32.const 1024))))
  (func (export "countersign:gate/gate@0.1.0#status") (param i32 i64) (result i32)
    (i32.const 1024))
  (func (export "countersign:gate/gate@0.1.0#check")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32)
    (local $letter i32)
    (local.set $letter (i32.load8_u offset=1 (local.get 5)))
    (if (i32.eq (local.get $letter) (i32.const 116)) (then (unreachable)))
    (if (i32.and (i32.eq (local.get $letter) (i32.const 119)) (global.get $slices))
      (then (return (i32.const 2048))))
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
        timeout_ms: 1000,
        max_bytes: 1000,
    }
}

#[tokio::test]
async fn between_the_slices_of_a_document_the_one_instance_decides_other_requests() {
    let gate = builder().fetcher(Slices).build().await.unwrap();
    let patient = tokio::spawn({
        let gate = gate.clone();
        async move { check(&gate, "/wait").await }
    });
    let journal = &gate.generation().pool.journal;
    let mut decided = 0;
    while journal.latest() == 0 {
        assert!(check(&gate, "/").await.grant().is_some());
        decided += 1;
        tokio::task::yield_now().await;
    }
    assert!(decided >= 20, "{decided}");
    assert!(patient.await.unwrap().grant().is_some());
}

#[tokio::test]
async fn every_instance_reads_a_large_document_off_the_requests_path() {
    let gate = builder()
        .instances(3)
        .fetcher(Slices)
        .build()
        .await
        .unwrap();
    assert!(check(&gate, "/wait").await.grant().is_some());
    let generation = gate.generation();
    let pool = &generation.pool;
    let mut places = Vec::new();
    for _ in 0..3 {
        let mut place = pool.take().await;
        let read = place.call(|reader| Ok(reader.read)).unwrap();
        assert_eq!(
            read,
            pool.journal.latest(),
            "it was behind when it was free"
        );
        places.push(place);
    }
}

#[tokio::test]
async fn a_document_that_finds_no_free_instance_waits_and_is_no_failure() {
    let gate = builder().fetcher(Slices).build().await.unwrap();
    let generation = gate.generation();
    let place = generation.pool.take().await;
    let outcome = Outcome::Response(Slices.fetch(&wanted()).await.unwrap());
    let supplying = tokio::spawn({
        let generation = generation.clone();
        async move { generation.supply(&wanted(), Arc::new(outcome), 0).await }
    });
    // Longer than a check would wait.
    tokio::time::sleep(Duration::from_millis(2300)).await;
    assert!(!supplying.is_finished());
    assert!(is_internal_error(&check(&gate, "/").await));
    drop(place);
    supplying.await.unwrap();
    assert!(
        generation
            .pool
            .journal
            .accepted(DocumentKind::Jwks, "x")
            .is_some()
    );
    assert!(!generation.pool.journal.is_failing(7, "x"));
}

#[tokio::test]
async fn an_instance_that_dies_between_two_slices_is_no_fault_of_the_document() {
    let gate = builder().fetcher(Slices).build().await.unwrap();
    let patient = tokio::spawn({
        let gate = gate.clone();
        async move { check(&gate, "/wait").await }
    });
    tokio::task::yield_now().await;
    let journal = &gate.generation().pool.journal;
    for _ in 0..2 {
        assert_eq!(journal.latest(), 0);
        assert!(is_internal_error(&check(&gate, "/trap").await));
    }
    assert!(patient.await.unwrap().grant().is_some());
    assert!(!journal.is_failing(7, "x"));
}

#[tokio::test]
async fn a_request_that_is_given_up_leaves_its_instance_to_others() {
    let gate = builder().fetcher(Slices).build().await.unwrap();
    for _ in 0..20 {
        let mut given_up = Box::pin(check(&gate, "/wait"));
        // Once asked, it waits for the fetch.
        let _ = tokio::time::timeout(Duration::ZERO, &mut given_up).await;
        drop(given_up);
        let waits = tokio::time::timeout(Duration::from_secs(5), check(&gate, "/"));
        assert!(waits.await.unwrap().grant().is_some());
    }
    // Those who queue, too.
    let place = gate.generation().pool.take().await;
    for _ in 0..20 {
        let queues = tokio::time::timeout(Duration::from_millis(1), check(&gate, "/"));
        assert!(queues.await.is_err());
    }
    drop(place);
    assert!(check(&gate, "/").await.grant().is_some());
}

#[test]
fn a_gate_may_be_dropped_after_its_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let gate = runtime.block_on(builder().fetcher(Slices).build()).unwrap();
    let generation = gate.generation();
    let place = runtime.block_on(generation.pool.take());
    generation.pool.journal.fail(&wanted(), 0);
    drop(runtime);
    // It is behind, and nobody is left to have it catch up.
    drop(place);
    drop((gate, generation));
}

/// Panics where others would fail.
struct Panics;

impl Fetcher for Panics {
    fn fetch<'a>(&'a self, _: &'a Fetch) -> Fetching<'a> {
        Box::pin(async { panic!("a fetcher with a fault") })
    }
}

#[tokio::test]
async fn a_fetcher_that_panics_has_failed() {
    let outcome = fetch::fetch(Arc::new(Panics), &wanted()).await;
    assert_eq!(outcome, Outcome::Failed);
    let gate = builder().fetcher(Panics).build().await.unwrap();
    let decision = check(&gate, "/wait").await;
    assert_eq!(decision.denial().unwrap().code, "keys_unavailable");
}

#[tokio::test]
async fn a_clock_that_panics_denies_until_it_tells_the_time() {
    let broken = Arc::new(AtomicBool::new(true));
    let clock = broken.clone();
    let gate = builder().clock(move || {
        assert!(!clock.load(Ordering::Relaxed), "no time is to be had");
        0
    });
    let gate = gate.build().await.unwrap();
    assert!(is_internal_error(&check(&gate, "/").await));
    let token = gate.check_token("token", &crate::Requirement::NONE).await;
    assert!(is_internal_error(&token));
    broken.store(false, Ordering::Relaxed);
    assert!(check(&gate, "/").await.grant().is_some());
}

#[tokio::test]
async fn an_error_of_a_fetcher_is_a_failed_fetch() {
    struct Fails;
    impl Fetcher for Fails {
        fn fetch<'a>(&'a self, _: &'a Fetch) -> Fetching<'a> {
            Box::pin(async { Err(FetchError::new("refused")) })
        }
    }
    assert_eq!(
        fetch::fetch(Arc::new(Fails), &wanted()).await,
        Outcome::Failed
    );
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
        max_bytes: 8,
        ..wanted()
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
