//! Requests that are no questions.

use serde_json::json;

use crate::stage::{ORDERS_SECRET, Stage, basic};

const FORM: &str = "content-type: application/x-www-form-urlencoded";

async fn refused(stage: &Stage, headers: &[&str], form: &str) -> String {
    let reply = stage.send("POST", "/introspect/api", headers, form).await;
    assert_eq!(reply.status, 400, "{headers:?} {form:.80}");
    let body = reply.json();
    assert_eq!(body["error"], "invalid_request");
    body["error_description"]
        .as_str()
        .expect("a text")
        .to_owned()
}

#[tokio::test]
async fn a_question_that_can_be_read_in_two_ways_is_refused() {
    let stage = Stage::start().await;
    let orders = basic("orders", ORDERS_SECRET);
    let headers = [FORM, &*orders];
    let token = stage.token(|_| {});
    let twice = [
        format!("token={token}&token={token}"),
        format!("token={token}&token=x"),
        format!("token={token}&%74oken=x"),
        format!("token={token}&token_type_hint=a&token_type_hint=a"),
        format!("token={token}&client_id=orders&client_id=orders"),
        format!("token={token}&other=1&other=2"),
    ];
    for form in &twice {
        assert_eq!(refused(&stage, &headers, form).await, "a field comes twice");
    }
    let two_ways = format!("token={token}&client_id=orders&client_secret={ORDERS_SECRET}");
    assert_eq!(
        refused(&stage, &headers, &two_ways).await,
        "two ways to authenticate"
    );
    let two_names = format!("token={token}&client_id=billing");
    assert_eq!(
        refused(&stage, &headers, &two_names).await,
        "two names of a client"
    );
    let form = format!("token={token}");
    let repeated = [FORM, &*orders, &*orders];
    assert_eq!(
        refused(&stage, &repeated, &form).await,
        "a header comes twice"
    );
    let repeated = [FORM, FORM, &*orders];
    assert_eq!(
        refused(&stage, &repeated, &form).await,
        "a header comes twice"
    );
}

#[tokio::test]
async fn only_a_form_is_read() {
    let stage = Stage::start().await;
    let orders = basic("orders", ORDERS_SECRET);
    let token = stage.token(|_| {});
    let form = format!("token={token}");
    let json = json!({ "token": token }).to_string();
    let wrong = "the body must be application/x-www-form-urlencoded";
    for other in [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencodedx",
        "multipart/form-data",
    ] {
        let other = format!("content-type: {other}");
        assert_eq!(refused(&stage, &[&other, &orders], &json).await, wrong);
    }
    assert_eq!(refused(&stage, &[&orders], &form).await, wrong);
    let gzip = [FORM, &*orders, "content-encoding: gzip"];
    assert_eq!(
        refused(&stage, &gzip, &form).await,
        "an encoded body is not read"
    );
    assert_eq!(
        refused(&stage, &[FORM, &orders], "").await,
        "`token` is missing"
    );
    assert_eq!(
        refused(&stage, &[FORM, &orders], "tokens=x").await,
        "`token` is missing"
    );
    // A charset changes nothing, and neither does the case.
    let charset = "content-type: Application/X-WWW-Form-URLencoded; charset=utf-8";
    let reply = stage
        .send("POST", "/introspect/api", &[charset, &orders], &form)
        .await;
    assert_eq!(reply.json()["active"], true);
}

#[tokio::test]
async fn a_token_in_the_target_is_refused_and_no_other_method_is_answered() {
    let stage = Stage::start().await;
    let orders = basic("orders", ORDERS_SECRET);
    let token = stage.token(|_| {});
    let target = format!("/introspect/api?token={token}");
    let reply = stage
        .post(&target, &[&orders], &format!("token={token}"))
        .await;
    assert_eq!(reply.status, 400);
    for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
        let reply = stage
            .send(
                method,
                "/introspect/api",
                &[FORM, &orders],
                &format!("token={token}"),
            )
            .await;
        assert_eq!(reply.status, 405, "{method}");
        assert!(reply.head.contains("\r\nallow: POST\r\n"), "{}", reply.head);
    }
}

#[tokio::test]
async fn what_is_read_is_bounded() {
    let stage = Stage::start().await;
    let orders = basic("orders", ORDERS_SECRET);
    let large = format!("token={}", "a".repeat(70_000));
    assert_eq!(
        stage
            .post("/introspect/api", &[&orders], &large)
            .await
            .status,
        413
    );
    let many: String = (0..20).map(|number| format!("&field-{number}=")).collect();
    let reason = refused(&stage, &[FORM, &orders], &format!("token=x{many}")).await;
    assert_eq!(reason, "the form has too many fields");
    // The largest token that the gate reads fits, with each byte encoded.
    let encoded = format!("token={}", "%61".repeat(16_384));
    assert_eq!(
        stage
            .post("/introspect/api", &[&orders], &encoded)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_hint_and_unknown_fields_change_nothing() {
    let stage = Stage::start().await;
    let token = stage.token(|_| {});
    for rest in [
        "token_type_hint=access_token",
        "token_type_hint=refresh_token",
        "resource=x",
    ] {
        let form = format!("token={token}&{rest}");
        let reply = stage
            .post("/introspect/api", &[&basic("orders", ORDERS_SECRET)], &form)
            .await;
        assert_eq!(reply.json()["active"], true, "{rest}");
    }
}
