//! What hostile peers send, and what becomes of it.

use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::stage::{Folder, Stage, closes, connect, question_of, reply, until};

/// Sends it, and returns the first status; 0 if there is none.
async fn status(stage: &Stage, bytes: &[u8]) -> u16 {
    let mut stream = connect(&stage.address).await;
    // The server may close it before all is sent.
    let _ = stream.write_all(bytes).await;
    if !bytes.ends_with(b"\r\n\r\n") {
        // The server would wait for the rest. After a whole question it would take the end
        // for a client that is gone, and not answer.
        let _ = stream.shutdown().await;
    }
    reply(&mut *stream).await.map_or(0, |reply| reply.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_http_is_refused_and_the_next_question_is_answered() {
    let stage = Stage::start(json!({})).await;
    let question = stage.question("/public/a", None);
    let with =
        |field: &str| question.replacen("host: gate\r\n", &format!("host: gate\r\n{field}\r\n"), 1);
    let table: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("noise", vec![0xff; 4096]),
        (
            "a TLS hello",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        ),
        (
            "two lengths",
            with("content-length: 0\r\ncontent-length: 5").into_bytes(),
        ),
        (
            "a length that is no number",
            with("content-length: +5").into_bytes(),
        ),
        (
            "an unknown coding",
            with("transfer-encoding: gzip").into_bytes(),
        ),
        ("a name with a space", with("x-a : b").into_bytes()),
        ("a folded line", with("x-a: b\r\n c").into_bytes()),
        ("a name that is none", with("x(a): b").into_bytes()),
        ("a zero byte", with("x-a: b\0c").into_bytes()),
        ("no version", question.replace(" HTTP/1.1", "").into_bytes()),
        (
            "a version of tomorrow",
            question.replace("HTTP/1.1", "HTTP/3.0").into_bytes(),
        ),
        (
            "a preface without its rest",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0".to_vec(),
        ),
        (
            "a preface, and another protocol",
            [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", question.as_bytes()].concat(),
        ),
    ];
    for (what, bytes) in table {
        let status = status(&stage, &bytes).await;
        assert!(
            matches!(status, 0 | 400 | 431 | 501 | 505),
            "{what}: {status}"
        );
        assert_eq!(
            stage.ask("/public/a", None).await.status,
            204,
            "after {what}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_headers_are_refused() {
    let stage = Stage::start(json!({ "limits": { "header_bytes": 8192 } })).await;
    let question = stage.question("/public/a", None);
    let with =
        |more: String| question.replacen("host: gate\r\n", &format!("host: gate\r\n{more}"), 1);
    assert_eq!(
        status(
            &stage,
            with(format!("x-a: {}\r\n", "a".repeat(4000))).as_bytes()
        )
        .await,
        204
    );
    assert_eq!(
        status(
            &stage,
            with(format!("x-a: {}\r\n", "a".repeat(9000))).as_bytes()
        )
        .await,
        431
    );
    let many: String = (0..200).map(|n| format!("x-{n}: a\r\n")).collect();
    assert_eq!(status(&stage, with(many).as_bytes()).await, 431);
    let long = question.replacen(
        "/nginx/app",
        &format!("/nginx/app?{}", "a".repeat(70_000)),
        1,
    );
    assert!(matches!(status(&stage, long.as_bytes()).await, 414 | 431));
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_questions_are_answered_each_with_its_own_decision() {
    let stage = Stage::start(json!({})).await;
    let token = stage.folder.token();
    let questions = [
        stage.question("/public/a", None),
        stage.question("/orders", None),
        stage.question("/orders", Some(&token)),
        stage.question("/admin/a", Some(&token)),
        question_of("other", "/public/a", None),
    ];
    let mut stream = connect(&stage.address).await;
    stream
        .write_all(questions.concat().as_bytes())
        .await
        .unwrap();
    let mut statuses = Vec::new();
    for _ in &questions {
        statuses.push(reply(&mut *stream).await.unwrap().status);
    }
    assert_eq!(statuses, [204, 401, 204, 403, 404]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_never_read_as_another_question() {
    let stage = Stage::start(json!({})).await;
    let inner = stage.question("/public/a", None);
    let field = format!("host: gate\r\ncontent-length: {}\r\n", inner.len());
    let outer = stage
        .question("/orders", None)
        .replacen("host: gate\r\n", &field, 1);
    let mut stream = connect(&stage.address).await;
    stream.write_all((outer + &inner).as_bytes()).await.unwrap();
    assert_eq!(reply(&mut *stream).await.unwrap().status, 401);
    stream.shutdown().await.unwrap();
    assert!(reply(&mut *stream).await.is_none());
}

/// RFC 9112 §6.3: chunks count, and a length beside them does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_length_beside_chunks_moves_no_question() {
    let stage = Stage::start(json!({})).await;
    let fields = "host: gate\r\ncontent-length: 500\r\ntransfer-encoding: chunked\r\n";
    let first = stage
        .question("/orders", None)
        .replacen("host: gate\r\n", fields, 1);
    let second = stage.question("/public/a", None);
    let mut stream = connect(&stage.address).await;
    let both = format!("{first}0\r\n\r\n{second}");
    stream.write_all(both.as_bytes()).await.unwrap();
    assert_eq!(reply(&mut *stream).await.unwrap().status, 401);
    // Either the second question is answered as itself, or the connection is closed.
    let answered = reply(&mut *stream).await;
    assert!(answered.is_none_or(|reply| reply.status == 204));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_an_end_keeps_no_answer() {
    let stage = Stage::start(json!({})).await;
    let field = "host: gate\r\ntransfer-encoding: chunked\r\n";
    let question = stage
        .question("/public/a", None)
        .replacen("host: gate\r\n", field, 1);
    let mut stream = connect(&stage.address).await;
    stream.write_all(question.as_bytes()).await.unwrap();
    assert_eq!(reply(&mut *stream).await.unwrap().status, 204);
    // What follows is thrown away, within bounds, and the connection is closed.
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 16, "a".repeat(1 << 16));
    let mut sent = 0;
    while stream.write_all(chunk.as_bytes()).await.is_ok() {
        sent += 1;
        assert!(sent < 1000, "the body is read without a bound");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_silent_peers_are_closed_and_hold_no_others_up() {
    let stage = Stage::start(json!({ "limits": { "idle_s": 1 } })).await;
    let question = stage.question("/public/a", None);
    let mut slow = Vec::new();
    for beginning in [0, 1, 30, question.len() - 1] {
        let mut stream = connect(&stage.address).await;
        stream
            .write_all(&question.as_bytes()[..beginning])
            .await
            .unwrap();
        slow.push(stream);
    }
    assert_eq!(stage.ask("/public/a", None).await.status, 204);
    for stream in &mut slow {
        assert!(closes(&mut **stream).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_are_closed_at_once_and_strangers_take_no_place() {
    let stage = Stage::start(json!({ "limits": { "connections": 3 } })).await;
    let question = stage.question("/public/a", None);
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&stage.address).await;
        stream.write_all(question.as_bytes()).await.unwrap();
        assert_eq!(reply(&mut *stream).await.unwrap().status, 204);
        open.push(stream);
    }
    assert!(closes(&mut *connect(&stage.address).await).await);
    let metrics = stage.operate("/metrics").await.body;
    let line = r#"countersign_server_connections_refused_total{countersign_reason="limit"} 1"#;
    assert!(metrics.contains(line), "{metrics}");
    assert!(
        metrics.contains("countersign_server_connections 3"),
        "{metrics}"
    );
    // A place that becomes free is there for the next.
    open.pop();
    until("there is a place", || async {
        let mut stream = connect(&stage.address).await;
        let _ = stream.write_all(question.as_bytes()).await;
        reply(&mut *stream).await.is_some()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_beyond_the_limit_are_denied_at_once() {
    // Keys that never come, and one question that waits for them.
    let folder = Folder::new();
    let issuer = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut policy = folder.policy(json!({}));
    let uri = format!("http://{}/jwks.json", issuer.local_addr().unwrap());
    policy["issuers"][0]["keys"] = json!({ "jwks_uri": uri, "insecure_http": true });
    folder.write("policy.json", &policy.to_string());
    let stage = Stage::start_in(folder, json!({ "limits": { "questions": 1 } })).await;
    let question = stage.question("/orders", Some(&stage.folder.token()));
    let mut waiting = connect(&stage.address).await;
    waiting.write_all(question.as_bytes()).await.unwrap();
    until("the only place is taken", || async {
        let shed = stage.ask("/public/a", None).await;
        let is_shed = (shed.status, shed.code()) == (403, "internal_error");
        assert!(is_shed || shed.status == 204, "{shed:?}");
        is_shed
    })
    .await;
    drop(issuer);
    assert_eq!(
        reply(&mut *waiting).await.unwrap().code(),
        "keys_unavailable"
    );
    assert_eq!(stage.ask("/public/a", None).await.status, 204);
    let metrics = stage.operate("/metrics").await.body;
    assert!(
        metrics.contains(r#"countersign_outcome="shed""#),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_reset_streams_ends_its_connection_only() {
    let stage = Stage::start(json!({})).await;
    let countersign_server::Address::Tcp(address) = stage.address else {
        panic!("TCP");
    };
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let ended = tokio::spawn(connection);
    let mut sent = 0;
    loop {
        match std::future::poll_fn(|cx| client.poll_ready(cx)).await {
            Ok(()) => {}
            Err(_) => break,
        }
        let request = http::Request::get("http://gate/nginx/app")
            .body(())
            .unwrap();
        let Ok((_, mut stream)) = client.send_request(request, false) else {
            break;
        };
        stream.send_reset(h2::Reason::CANCEL);
        sent += 1;
        assert!(sent < 1_000_000, "a flood without an end");
        tokio::task::yield_now().await;
    }
    assert!(ended.await.unwrap().is_err());
    assert_eq!(stage.ask("/public/a", None).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_has_the_same_answers() {
    let stage = Stage::start(json!({})).await;
    let countersign_server::Address::Tcp(address) = stage.address else {
        panic!("TCP");
    };
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut answers = Vec::new();
    for target in ["/public/a", "/orders"] {
        let mut request = http::Request::get("http://gate/nginx/app");
        for (name, value) in [
            ("method", "GET"),
            ("target", target),
            ("authority", "api.example.com"),
            ("host", "api.example.com"),
            ("scheme", "https"),
            ("takes", "authorization"),
        ] {
            request = request.header(format!("x-countersign-{name}"), value);
        }
        let mut client = client.clone().ready().await.unwrap();
        let (response, _) = client
            .send_request(request.body(()).unwrap(), true)
            .unwrap();
        answers.push(response.await.unwrap().status().as_u16());
    }
    assert_eq!(answers, [204, 401]);
}
