//! Tokens of trusted issuers.

use serde_json::{Value, json};

use super::{ACCESS_TOKEN, NOW_S, STAFF, Trust, claims, refused};
use crate::common::{Database, databases};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_trusted_issuer_becomes_a_platform_access_token() {
    for database in databases() {
        let trust = Trust::open(database).await;
        let token = trust.token(&json!({ "auth_time": NOW_S - 7 }));
        let reply = trust.ask(&token, &[]).await;
        let claims = claims(&reply);
        let body = reply.json();
        assert_eq!(body["issued_token_type"], ACCESS_TOKEN);
        assert_eq!(body["token_type"], "Bearer");
        assert!(claims["sub"].as_str().unwrap().starts_with("p_"));
        assert_eq!(claims["aud"], "billing");
        assert_eq!(claims["client_id"], "orders");
        assert_eq!(claims["tenant_id"], "acme");
        assert_eq!(claims["roles"], json!(["clerk"]));
        assert_eq!(claims["scope"], "orders:read");
        assert_eq!(claims["auth_time"], NOW_S - 7);
        for absent in ["act", "cnf", "groups"] {
            assert!(claims.get(absent).is_none(), "{absent}");
        }
        // The same person, each time.
        let again = super::claims(&trust.ask(&token, &[]).await);
        assert_eq!(again["sub"], claims["sub"]);
        assert_ne!(again["jti"], claims["jti"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_audience() {
    let trust = Trust::open(Database::Sqlite).await;
    for aud in [
        json!("elsewhere"),
        json!(["elsewhere"]),
        json!([]),
        Value::Null,
    ] {
        let reply = trust.ask(&trust.token(&json!({ "aud": aud })), &[]).await;
        refused(&reply, "invalid_request");
    }
    let token = trust.token(&json!({}));
    // An audience of the client that is none of this pair.
    for audience in ["platform", "reports", "elsewhere"] {
        for name in ["audience", "resource"] {
            let reply = trust.ask(&token, &[(name, audience)]).await;
            refused(&reply, "invalid_target");
        }
    }
    let two = [("audience", "billing"), ("audience", "platform")];
    refused(&trust.ask(&token, &two).await, "invalid_target");
    let two = [("audience", "billing"), ("resource", "platform")];
    refused(&trust.ask(&token, &two).await, "invalid_target");
    // A client that is in no pair.
    let reply = trust.ask_as("billing", &token, &[], &[]).await;
    refused(&reply, "invalid_request");
    let reply = trust.ask(&token, &[("audience", "billing")]).await;
    assert_eq!(claims(&reply)["aud"], "billing");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_scope() {
    let trust = Trust::open(Database::Sqlite).await;
    let token = trust.token(&json!({ "scope": "orders:write admin" }));
    for scope in [
        // The client may have it, and the role not.
        "orders:write",
        "orders:read people:read",
        // Neither may have it.
        "admin",
        "orders:*",
    ] {
        let reply = trust.ask(&token, &[("scope", scope)]).await;
        refused(&reply, "invalid_scope");
    }
    // A group that `role_map` does not name is no role.
    let token = trust.token(&json!({ "groups": ["admin"], "roles": ["admin"] }));
    let claims = claims(&trust.ask(&token, &[]).await);
    assert_eq!(claims["roles"], json!([]));
    assert_eq!(claims["scope"], "");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_scope_than_the_subject_token_says() {
    let trust = Trust::with(Database::Sqlite, |config| {
        config["exchange"]["issuers"]["idp"]["claims"]["scopes"] = json!(["/scope"]);
        config["exchange"]["issuers"]["staff"]["claims"] = json!({ "scopes": ["/scope"] });
    })
    .await;
    let token = trust.token(&json!({ "scope": "people:read openid" }));
    assert_eq!(
        claims(&trust.ask(&token, &[]).await)["scope"],
        "people:read"
    );
    let reply = trust.ask(&token, &[("scope", "orders:read")]).await;
    refused(&reply, "invalid_scope");
    // Of a member it is what the roles and the token both have.
    trust.member((STAFF, "ada"), Some(&["admin"])).await;
    let token = trust.token(&json!({ "iss": STAFF, "scope": "orders:read people:read" }));
    let reply = trust.ask(&token, &[("tenant", "acme")]).await;
    assert_eq!(claims(&reply)["scope"], "orders:read");
}

#[tokio::test(flavor = "multi_thread")]
async fn longer_life() {
    let trust = Trust::open(Database::Sqlite).await;
    for (life_s, expected) in [(300, 300), (7200, 1800)] {
        let token = trust.token(&json!({ "exp": NOW_S + life_s }));
        let reply = trust.ask(&token, &[]).await;
        assert_eq!(claims(&reply)["exp"], NOW_S + expected);
        assert_eq!(reply.json()["expires_in"], expected);
    }
    let token = trust.token(&json!({ "exp": NOW_S + 60 }));
    // Within the leeway of a gate it still is good, and nothing is left of it.
    for passed_s in [60, 20, 60] {
        trust.stage.clock.forward_s(passed_s);
        refused(&trust.ask(&token, &[]).await, "invalid_request");
    }
    refused(
        &trust.ask(&trust.token(&json!({ "exp": null })), &[]).await,
        "invalid_request",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_organisation() {
    let trust = Trust::with(Database::Sqlite, |config| {
        config["clients"]["orders"]
            .as_object_mut()
            .unwrap()
            .remove("tenant");
        config["clients"]["billing"]["tenant"] = json!("globex");
        config["exchange"]["issuers"]["idp"]["clients"]["billing"] = json!(["billing"]);
    })
    .await;
    let token = trust.token(&json!({}));
    let reply = trust.ask(&token, &[("tenant", "globex")]).await;
    refused(&reply, "invalid_request");
    let reply = trust
        .ask(
            &trust.token(&json!({ "tenant_id": null })),
            &[("tenant", "acme")],
        )
        .await;
    refused(&reply, "invalid_request");
    // A client of one organisation.
    refused(
        &trust.ask_as("billing", &token, &[], &[]).await,
        "invalid_request",
    );
    assert_eq!(trust.ask(&token, &[("tenant", "acme")]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_of_several_organisations_and_one_of_a_single_one() {
    let trust = Trust::with(Database::Sqlite, |config| {
        config["clients"]["orders"]
            .as_object_mut()
            .unwrap()
            .remove("tenant");
        let issuers = &mut config["exchange"]["issuers"];
        issuers["idp"]["claims"] = json!({ "tenants": "/orgs" });
        issuers["staff"]["claims"] = json!({ "tenant": { "fixed": "globex" } });
        issuers["staff"].as_object_mut().unwrap().remove("members");
    })
    .await;
    let token = trust.token(&json!({ "orgs": ["acme", "globex"] }));
    refused(&trust.ask(&token, &[]).await, "invalid_request");
    for (tenant, is_good) in [("acme", true), ("globex", true), ("initech", false)] {
        let reply = trust.ask(&token, &[("tenant", tenant)]).await;
        match is_good {
            true => assert_eq!(claims(&reply)["tenant_id"], tenant),
            false => refused(&reply, "invalid_request"),
        }
    }
    // What the token says itself does not matter.
    let token = trust.token(&json!({ "iss": STAFF, "tenant_id": "acme" }));
    assert_eq!(claims(&trust.ask(&token, &[]).await)["tenant_id"], "globex");
    let reply = trust.ask(&token, &[("tenant", "acme")]).await;
    refused(&reply, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_subject() {
    for database in databases() {
        let trust = Trust::open(database).await;
        let token = trust.token(&json!({}));
        assert_eq!(trust.ask(&token, &[]).await.status, 200);
        // Tokens from before this moment.
        let sql = "INSERT INTO revocations \
                   (kind, value, issued_before_s, reason, created_at, expires_at) \
                   SELECT 'sub', id, 1796083210, 'x', 1796083210000, 1796093210000 FROM people";
        trust.stage.sql(sql).await;
        refused(&trust.ask(&token, &[]).await, "invalid_request");
        trust.stage.clock.forward_s(20);
        let newer = trust.token(&json!({ "iat": NOW_S + 20 }));
        assert_eq!(trust.ask(&newer, &[]).await.status, 200);
        trust
            .stage
            .sql("UPDATE people SET disabled_at = 1796083220000")
            .await;
        refused(&trust.ask(&newer, &[]).await, "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_membership() {
    for database in databases() {
        let trust = Trust::open(database).await;
        let token = trust.token(&json!({ "iss": STAFF, "roles": ["admin"] }));
        let form = [("tenant", "acme")];
        refused(&trust.ask(&token, &form).await, "invalid_request");
        trust.member((STAFF, "ada"), Some(&["clerk"])).await;
        let claims = claims(&trust.ask(&token, &form).await);
        assert_eq!(claims["roles"], json!(["clerk"]));
        refused(&trust.ask(&token, &[]).await, "invalid_request");
        trust.member((STAFF, "ada"), None).await;
        refused(&trust.ask(&token, &form).await, "invalid_request");
        let sql = "SELECT value FROM revocations WHERE kind = 'jti'";
        assert_eq!(
            trust.stage.sql(sql).await,
            [claims["jti"].as_str().unwrap()]
        );
    }
}
