//! The tokens at a gate, by the policy that the bridge prints.

use std::sync::Arc;

use countersign_bridge::{Clock, gate_policy};
use countersign_host::{Decision, Gate};
use http::Request;

use crate::common::{Database, Stage, databases};

/// A gate with the printed policy, which fetches the keys from the bridge itself.
async fn gate(stage: &Stage) -> Gate {
    let clock = stage.clock.clone();
    let builder = Gate::builder()
        .policy_yaml(&gate_policy(&stage.config))
        .unwrap();
    let gate = builder
        .clock(move || clock.now_ms().try_into().unwrap())
        .build()
        .await;
    gate.unwrap()
}

async fn code(gate: &Gate, path: &str, token: &str) -> String {
    let request = Request::post(path)
        .header("authorization", format!("Bearer {token}"))
        .body(())
        .unwrap();
    match gate.check(&request).await {
        Decision::Allow(_) => "allow".to_owned(),
        Decision::Deny(denial) => denial.code,
        Decision::Answer(_) => "answer".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_s_token_is_a_pat_for_a_gate_and_nothing_else() {
    for database in databases() {
        for algorithm in ["ES256", "RS256"] {
            let stage = Stage::with(database, |config| {
                config["keys"] = serde_json::json!({ "algorithm": algorithm });
            })
            .await;
            let gate = gate(&stage).await;
            let token = stage.token().await;
            let requirement = gate.prepare(br#"{ "types": ["pat"] }"#).await.unwrap();
            let decision = gate.check_token(&token, &requirement).await;
            let grant = decision.grant().unwrap_or_else(|| panic!("{decision:?}"));
            let principal = Arc::clone(grant.principal.as_ref().unwrap());
            assert_eq!(principal.subject.as_deref(), Some("orders"));
            assert_eq!(principal.tenant.as_deref(), Some("acme"));
            assert_eq!(principal.roles, ["service"]);
            assert_eq!(principal.scopes, ["orders:read", "orders:write"]);
            assert_eq!(code(&gate, "/api/orders", &token).await, "allow");
            assert_eq!(code(&gate, "/ingest/x", &token).await, "type_denied");
            stage.clock.forward_s(1800 + 30);
            assert_eq!(code(&gate, "/api/orders", &token).await, "token_expired");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_never_fails_while_keys_change() {
    let stage = Stage::with(Database::Sqlite, |_| {}).await;
    let gate = gate(&stage).await;
    let old = stage.token().await;
    assert_eq!(code(&gate, "/api/x", &old).await, "allow");
    stage.bridge.rotate_keys().await.unwrap();
    stage.clock.forward_s(340);
    let new = stage.token().await;
    assert_eq!(code(&gate, "/api/x", &new).await, "allow");
    assert_eq!(code(&gate, "/api/x", &old).await, "allow");
}

#[tokio::test]
async fn the_printed_policy_has_no_problem() {
    let stage = Stage::open().await;
    let yaml = gate_policy(&stage.config);
    let source = countersign_policy_source::Source::from_yaml("policy.yaml", &yaml).unwrap();
    let problems = source.lint();
    // It says that plain http is for development, and nothing else.
    let codes: Vec<_> = problems
        .iter()
        .map(|problem| problem.code.as_str())
        .collect();
    assert_eq!(codes, ["insecure_http", "insecure_http"], "{problems:?}");
}
