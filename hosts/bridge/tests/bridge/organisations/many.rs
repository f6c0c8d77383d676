//! Thousands of providers.

use axum::body::Body;
use http::Request;
use serde_json::json;
use sqlx::Connection;
use tower::ServiceExt;

use super::Scene;
use crate::common::{Browser, Database};

/// Rows beside the one that is connected.
const ROWS: u32 = 2000;

/// More than are open at a time.
const USED: u32 = 300;

#[tokio::test(flavor = "multi_thread")]
async fn a_login_finds_its_one_of_thousands_and_a_bounded_number_is_open() {
    let scene = Scene::with(Database::Sqlite, |config| {
        config["login"]["attempts"] = json!(10_000);
    })
    .await;
    let mut admin = scene.admin().await;
    let id = scene.active(&mut admin, &json!({})).await;
    // Without a secret: that is sealed for one provider.
    let database = scene.stage.folder.path().join("bridge.db");
    let url = format!("sqlite://{}", database.display());
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let sql = "WITH RECURSIVE numbers (n) AS \
               (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1) \
               INSERT INTO providers (id, tenant, name, issuer, client_id, settings, state, \
               created_by, created_at, updated_at, tested_at) \
               SELECT 'o_' || n, 'tenant-' || n, name, issuer, client_id, settings, state, \
               created_by, created_at, updated_at, tested_at FROM providers, numbers";
    sqlx::query(sql)
        .bind(i64::from(ROWS))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    for number in 1..=USED {
        let path = format!("/auth/login?tenant=tenant-{number}");
        let reply = Browser::default().get(&scene.at(&path)).await;
        assert_eq!(reply.status, 303, "{reply:?}");
        let back = form_urlencoded::byte_serialize(
            scene.at(&format!("/auth/callback/o_{number}")).as_bytes(),
        )
        .collect::<String>();
        assert!(reply.header("location").contains(&back), "{reply:?}");
    }
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let operations = scene.stage.bridge.operations();
    let metrics = operations.oneshot(request).await.unwrap();
    let metrics = axum::body::to_bytes(metrics.into_body(), 1 << 20).await;
    let metrics = String::from_utf8(metrics.unwrap().to_vec()).unwrap();
    let line = "countersign_bridge_providers_opened 256";
    assert!(metrics.lines().any(|found| found == line), "{metrics}");
    // The one that was left to the others is opened again.
    let mut browser = Browser::default();
    assert_eq!(scene.sign_in(&mut browser, &id).await.status, 303);
}
