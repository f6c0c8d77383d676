//! Measures how many answers in one callback Envoy survives. The test module
//! holds requests until their number equals the bytes of its configuration, and
//! answers all of them in one tick.

use std::fs;

use countersign_artefact_tests::dist;
use countersign_envoy::ANSWERED_AT_ONCE;
use serde_json::json;

use crate::stage::{self, client::Sent, envoy::Envoy, setup::Setup, upstream};

const HOLDER: &str = r#"(module
  (import "env" "proxy_set_tick_period_milliseconds" (func $period (param i32) (result i32)))
  (import "env" "proxy_set_effective_context" (func $speak_for (param i32) (result i32)))
  (import "env" "proxy_get_current_time_nanoseconds" (func $time (param i32) (result i32)))
  (import "env" "proxy_send_local_response"
    (func $respond (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 16)
  (data (i32.const 0) "held")
  (global $most (mut i32) (i32.const 0))
  (global $held (mut i32) (i32.const 0))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "_initialize"))
  (func (export "malloc") (param i32) (result i32) (i32.const 65536))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_configure") (param $plugin i32) (param $size i32) (result i32)
    (global.set $most (local.get $size))
    (drop (call $period (i32.const 20)))
    (i32.const 1))
  (func (export "proxy_on_request_headers") (param $request i32) (param i32 i32) (result i32)
    (i32.store offset=1024
      (i32.shl (global.get $held) (i32.const 2)) (local.get $request))
    (global.set $held (i32.add (global.get $held) (i32.const 1)))
    (i32.const 1))
  (func (export "proxy_on_tick") (param i32)
    (if (i32.ge_u (global.get $held) (global.get $most)) (then
      (loop $next
        (global.set $held (i32.sub (global.get $held) (i32.const 1)))
        (drop (call $speak_for
          (i32.load offset=1024 (i32.shl (global.get $held) (i32.const 2)))))
        (drop (call $respond (i32.const 401) (i32.const 0) (i32.const 4)
          (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1)))
        (br_if $next (global.get $held))))))
  ;; V8 looks at the stack only in functions that call others.
  (func (export "proxy_on_delete") (param i32) (drop (call $time (i32.const 8)))))"#;

/// This size always crashes the filter.
const LARGEST: usize = 2_048;

#[test]
fn the_filter_answers_less_than_half_of_envoys_limit() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let file = dist::root().join("target/envoy-tests/holder.wasm");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, wat::parse_str(HOLDER).unwrap()).unwrap();
    let survives = |count: usize| {
        let text = json!({
            "@type": "type.googleapis.com/google.protobuf.StringValue", "value": "x".repeat(count),
        });
        let setup = Setup::with_any(&text, upstream::echo()).plugin(|plugin| {
            plugin["vm_config"]["code"]["local"]["filename"] = json!(file);
            plugin["failure_policy"] = json!("FAIL_CLOSED");
        });
        let envoy = Envoy::start(&binary, &setup);
        let crowd: Vec<Sent> = (0..count)
            .map(|_| envoy.begin("GET", "/", &[]).unwrap())
            .collect();
        let answered = |sent: Sent| sent.reply().is_some_and(|reply| reply.status == 401);
        let all = crowd.into_iter().map(answered).filter(|all| *all).count() == count;
        let died = envoy.log().contains("Maximum call stack size exceeded");
        assert_eq!(all, !died, "{count}: {}", envoy.log());
        all
    };
    // The limit is between these two.
    let (mut good, mut bad) = (2 * ANSWERED_AT_ONCE, LARGEST);
    assert!(
        survives(good),
        "{ANSWERED_AT_ONCE} answers in one callback are too many"
    );
    assert!(
        !survives(bad),
        "Envoy has no limit any more: remove ANSWERED_AT_ONCE"
    );
    while bad - good > 64 {
        let middle = usize::midpoint(good, bad);
        if survives(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    println!("Envoy survives {good} answers in one callback, but not {bad}");
    assert!(2 * ANSWERED_AT_ONCE < good);
}
