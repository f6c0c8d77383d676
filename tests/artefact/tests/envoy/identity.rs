//! Tests of the filter state, which the real RBAC filter and the real access
//! log read.

use std::{fs, path::Path};

use countersign_artefact_tests::{dist, token::Key};
use serde_json::{Value, json};

use crate::stage::{
    self,
    client::{self, Sent},
    envoy::Envoy,
    eventually, policy,
    setup::Setup,
    upstream,
};

#[test]
fn rbac_decides_by_the_verified_tenant() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let matcher = json!({ "filter_state": {
        "key": "wasm.countersign.tenant", "string_match": { "exact": "acme" },
    } });
    for rbac in [
        rbac(&matcher, None),
        rbac(&json!({ "any": true }), Some(&tenant_is_acme())),
    ] {
        let envoy = Envoy::start(&binary, &setup(&key).then(rbac.clone()));
        let of = |tenant: &str| {
            let mut claims = policy::claims();
            claims["tenant_id"] = json!(tenant);
            envoy.get("/", Some(&key.sign(&claims))).status
        };
        assert_eq!(of("acme"), 200, "{rbac}");
        assert_eq!(of("globex"), 403, "{rbac}");
        assert_eq!(
            envoy.get("/public/", None).status,
            403,
            "a request without a principal has no tenant: {rbac}"
        );
    }
}

#[test]
fn the_access_log_has_the_subject_or_the_code() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let path = dist::root().join(format!(
        "target/envoy-tests/access-{}.log",
        std::process::id()
    ));
    let _ = fs::remove_file(&path);
    let format = "%RESPONSE_CODE% %FILTER_STATE(wasm.countersign.subject:PLAIN)% \
                  %FILTER_STATE(wasm.countersign.tenant:PLAIN)% \
                  %CEL(filter_state['wasm.countersign.tenant'])% \
                  %FILTER_STATE(wasm.countersign.scopes:PLAIN)% \
                  %FILTER_STATE(wasm.countersign.code:PLAIN)% %RESPONSE_CODE_DETAILS% \
                  %FILTER_STATE(wasm.countersign.rule:PLAIN)% \
                  %FILTER_STATE(wasm.countersign.rule_index:PLAIN)% \
                  %FILTER_STATE(wasm.countersign.policy_digest:PLAIN)%\n";
    let setup = setup(&key).manage(|manager| {
        manager["access_log"] = json!([{
            "name": "envoy.access_loggers.file",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3\
                          .FileAccessLog",
                "path": path,
                "log_format": { "text_format_source": { "inline_string": format } },
            },
        }]);
    });
    let envoy = Envoy::start(&binary, &setup);
    let mut claims = policy::claims();
    claims["sub"] = json!("a\nb c");
    assert_eq!(envoy.get("/", Some(&key.sign(&claims))).status, 200);
    assert_eq!(envoy.get("/", None).status, 401);
    let log = flushed(&envoy, &path);
    let policy = policy::inline(&key).to_string();
    let digest = countersign::policy_digest(policy.as_bytes()).unwrap();
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let log = log.replace(&digest, "digest");
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(
        lines,
        [
            "200 a%0Ab%20c acme acme assets:read assets:write - via_upstream /rules/1 1 digest",
            "401 - - - - token_missing token_missing /rules/1 1 digest",
        ]
    );
}

#[test]
fn only_configured_properties_are_set() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let policy = policy::of(json!({ "jwks": { "keys": [key.public()] } }));
    let some = json!({ "filter_state": {
        "key": "wasm.countersign.tenant", "string_match": { "prefix": "a" },
    } });
    let setup = Setup::new(&policy, upstream::echo()).then(rbac(&some, None));
    let envoy = Envoy::start(&binary, &setup);
    assert_eq!(envoy.get("/", Some(&policy::token(&key))).status, 403);
}

/// Envoy writes its access log every ten seconds, or on request.
fn flushed(envoy: &Envoy, path: &Path) -> String {
    let mut log = String::new();
    eventually("the access log is written", || {
        client::send(envoy.admin, "POST", "/reopen_logs", &[]).and_then(Sent::reply);
        log = fs::read_to_string(path).unwrap_or_default();
        log.lines().count() == 2
    });
    log
}

fn setup(key: &Key) -> Setup {
    let policy = policy::inline(key);
    let state = json!({ "filter_state": ["subject", "tenant", "scopes", "code", "rule", "rule_index", "policy_digest"] });
    Setup::new(&policy::with(&policy, state), upstream::echo())
}

fn rbac(principal: &Value, condition: Option<&Value>) -> Value {
    let mut rule = json!({ "permissions": [{ "any": true }], "principals": [principal] });
    if let Some(condition) = condition {
        rule["condition"] = condition.clone();
    }
    json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": { "policies": { "only": rule } },
        },
    })
}

/// Returns `filter_state['wasm.countersign.tenant'] == b'acme'`. In CEL the
/// value is bytes.
fn tenant_is_acme() -> Value {
    let call = |id: u32, function: &str, args: Value| json!({ "id": id, "call_expr": { "function": function, "args": args } });
    let state = json!({ "id": 3, "ident_expr": { "name": "filter_state" } });
    let name = json!({ "id": 4, "const_expr": { "string_value": "wasm.countersign.tenant" } });
    let acme = json!({ "id": 5, "const_expr": { "bytes_value": "YWNtZQ==" } });
    call(
        1,
        "_==_",
        json!([call(2, "_[_]", json!([state, name])), acme]),
    )
}
