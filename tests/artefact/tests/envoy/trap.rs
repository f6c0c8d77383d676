//! Tests that a trap of the filter denies the request, and that a new filter
//! handles the next one.

use std::{fs, path::PathBuf};

use countersign_artefact_tests::{dist, token::Key};
use serde_json::json;
use walrus::{ExportItem, FunctionBuilder, ModuleConfig, ValType, ir::BinaryOp};

use crate::stage::{self, envoy::Envoy, eventually, policy, setup::Setup, upstream};

/// A request with more headers than this traps the test module.
const HEADERS: i32 = 50;

#[test]
fn a_trap_denies_and_a_new_filter_handles_the_next_request() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let policy = policy::of(json!({ "jwks": { "keys": [key.public()] } }));
    let module = trapping();
    let setup = Setup::new(&policy, upstream::echo()).plugin(|plugin| {
        plugin["vm_config"]["code"]["local"]["filename"] = json!(module);
        plugin["failure_policy"] = json!("FAIL_RELOAD");
        plugin["reload_config"] = json!({ "backoff": { "base_interval": "0.1s" } });
    });
    let envoy = Envoy::start(&binary, &setup);
    let good = || {
        (
            "authorization",
            format!("Bearer {}", policy::token(&key)).into_bytes(),
        )
    };
    let mut many = vec![("x-note", b"1".to_vec()); 60];
    many.push(good());
    for round in 0..3 {
        let passes = || envoy.send("GET", "/", &[good()]).unwrap().status == 200;
        eventually("the filter is back", passes);
        assert_eq!(envoy.get("/", None).code(), "token_missing", "{round}");
        // The path is public, so that the trap is the only reason to deny.
        let reply = envoy.send("GET", "/public/", &many).unwrap();
        assert_eq!((reply.status, &*reply.body), (503, ""), "{round}");
    }
    assert!(envoy.log().contains("unreachable"), "{}", envoy.log());
    eventually("metrics show that filters have died", || {
        let reloaded = envoy.metric("wasm.countersign.vm_reload_success");
        // One for the worker, one for the main thread, one for testing the
        // configuration, and one after each trap.
        let started = envoy.metric("wasmcustom.countersign.started");
        envoy.get("/", None).status == 401 && (reloaded, started) == (Some(3), Some(6))
    });
}

/// Makes a copy of the module with a trap in `proxy_on_request_headers`, for
/// requests with more than [`HEADERS`] headers.
fn trapping() -> PathBuf {
    let mut module = ModuleConfig::new()
        .parse(&dist::read("countersign.wasm"))
        .unwrap();
    let export = module
        .exports
        .iter()
        .find(|export| export.name == "proxy_on_request_headers")
        .unwrap();
    let (export, ExportItem::Function(real)) = (export.id(), export.item) else {
        panic!("a function is exported");
    };
    let mut trapping = FunctionBuilder::new(&mut module.types, &[ValType::I32; 3], &[ValType::I32]);
    let [request, count, end] = [(); 3].map(|()| module.locals.add(ValType::I32));
    trapping
        .func_body()
        .local_get(count)
        .i32_const(HEADERS)
        .binop(BinaryOp::I32GtU)
        .if_else(
            None,
            |then| {
                then.unreachable();
            },
            |_| {},
        )
        .local_get(request)
        .local_get(count)
        .local_get(end)
        .call(real);
    let trapping = trapping.finish(vec![request, count, end], &mut module.funcs);
    module.exports.get_mut(export).item = ExportItem::Function(trapping);
    let path = dist::root().join("target/envoy-tests/trapping.wasm");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, module.emit_wasm()).unwrap();
    path
}
