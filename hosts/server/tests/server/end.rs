//! How a server ends.

use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::stage::{Folder, Stage, closes, connect, reply, until};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_is_answered_and_idle_connections_are_closed() {
    // Keys that do not come: a question waits.
    let folder = Folder::new();
    let issuer = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut policy = folder.policy(json!({}));
    let uri = format!("http://{}/jwks.json", issuer.local_addr().unwrap());
    policy["issuers"][0]["keys"] = json!({ "jwks_uri": uri, "insecure_http": true });
    folder.write("policy.json", &policy.to_string());
    let mut stage = Stage::start_in(folder, json!({})).await;

    let mut idle = connect(&stage.address).await;
    let question = stage.question("/public/a", None);
    idle.write_all(question.as_bytes()).await.unwrap();
    assert_eq!(reply(&mut *idle).await.unwrap().status, 204);
    let mut waiting = connect(&stage.address).await;
    let question = stage.question("/orders", Some(&stage.folder.token()));
    waiting.write_all(question.as_bytes()).await.unwrap();
    // It is under way when the issuer is asked for the second time, or waits for the first.
    let fetches = issuer.accept().await.unwrap();
    let _ = stage.stop.take().unwrap().send(());
    until("it is not ready", || async { !stage.server.is_ready() }).await;
    assert!(closes(&mut *idle).await);
    // Now the fetch fails, and the question is answered.
    drop((fetches, issuer));
    let answered = reply(&mut *waiting).await.expect("an answer");
    assert_eq!(
        (answered.status, answered.code()),
        (403, "keys_unavailable")
    );
    stage.ended.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_is_bounded_also_with_a_client_that_does_not_read() {
    let mut stage = Stage::start(json!({ "limits": { "drain_s": 1 } })).await;
    let mut slow = connect(&stage.address).await;
    // The half of a question: its connection is not idle.
    let question = stage.question("/public/a", None);
    slow.write_all(&question.as_bytes()[..question.len() / 2])
        .await
        .unwrap();
    stage.end().await;
    assert!(closes(&mut *slow).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_listens_after_the_end() {
    let mut stage = Stage::start(json!({})).await;
    let countersign_server::Address::Tcp(address) = stage.address.clone() else {
        panic!("TCP");
    };
    stage.end().await;
    let refused = tokio::net::TcpStream::connect(address).await;
    assert_eq!(
        refused.unwrap_err().kind(),
        std::io::ErrorKind::ConnectionRefused
    );
}
