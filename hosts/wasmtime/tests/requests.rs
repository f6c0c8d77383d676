//! Requests over a socket: what is sent, and which responses count.

use std::time::Duration;

use countersign_host::{Fetcher, HttpsFetcher, Outgoing, Response};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::oneshot,
    time,
};

/// Responds to one request, and hands over the bytes of it.
async fn respond(response: String) -> (String, oneshot::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!(
        "http://{}/introspect?tenant=acme",
        listener.local_addr().unwrap()
    );
    let (seen, sees) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"token=secret") {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
        }
        stream.write_all(response.as_bytes()).await.unwrap();
        let _ = stream.shutdown().await;
        let _ = seen.send(String::from_utf8(request).unwrap());
        // A second request would come on a connection of its own.
        let again = time::timeout(Duration::from_millis(300), listener.accept()).await;
        assert!(again.is_err(), "a second request");
    });
    (uri, sees)
}

fn outgoing(uri: String) -> Outgoing {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Outgoing {
        ticket: 1,
        issuer: "platform".into(),
        method: "POST".into(),
        uri,
        headers: vec![
            header("authorization", "Basic c2VjcmV0"),
            header("content-type", "application/x-www-form-urlencoded"),
            header("accept", "application/json"),
        ],
        body: b"token=secret".to_vec(),
        timeout_ms: 1000,
        max_bytes: 20,
    }
}

fn with_body(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn method_headers_and_body_are_sent_as_they_are() {
    let response = with_body("200 OK", "cache-control: no-store\r\n", "{\"active\":true}");
    let (uri, sees) = respond(response).await;
    let response = HttpsFetcher::default().send(&outgoing(uri)).await.unwrap();
    let expected = Response {
        status: 200,
        cache_control: "no-store".into(),
        body: b"{\"active\":true}".to_vec(),
    };
    assert_eq!(response, expected);
    let seen = sees.await.unwrap();
    assert!(
        seen.starts_with("POST /introspect?tenant=acme HTTP/1.1\r\n"),
        "{seen}"
    );
    for line in [
        "authorization: Basic c2VjcmV0",
        "content-type: application/x-www-form-urlencoded",
        "accept: application/json",
        "accept-encoding: identity",
        "content-length: 12",
    ] {
        assert_eq!(
            seen.matches(&format!("\r\n{line}\r\n")).count(),
            1,
            "{line} in {seen}"
        );
    }
    assert!(seen.ends_with("\r\n\r\ntoken=secret"), "{seen}");
}

#[tokio::test]
async fn a_redirect_is_a_response_and_nobody_follows_it() {
    let response = with_body("302 Found", "location: /elsewhere\r\n", "moved");
    let (uri, sees) = respond(response).await;
    let response = HttpsFetcher::default().send(&outgoing(uri)).await.unwrap();
    assert_eq!((response.status, response.body.len()), (302, 0));
    sees.await.unwrap();
    // The server waits for a second request that long.
    time::sleep(Duration::from_millis(350)).await;
}

#[tokio::test]
async fn a_response_that_is_too_large_or_compressed_is_none() {
    let zipped = "content-encoding: gzip\r\n";
    for response in [
        with_body("200 OK", "", &"x".repeat(21)),
        with_body("200 OK", zipped, "x"),
        "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\ncut off".to_owned(),
    ] {
        let (uri, _sees) = respond(response).await;
        let error = HttpsFetcher::default()
            .send(&outgoing(uri))
            .await
            .unwrap_err();
        assert!(!error.to_string().contains("c2VjcmV0"), "{error}");
    }
}

#[tokio::test]
async fn a_request_that_is_none_is_not_sent_and_its_error_shows_no_value() {
    let mut request = outgoing("http://127.0.0.1:9/".into());
    request.headers[0].1 = "Basic c2VjcmV0\r\nx: y".into();
    let error = HttpsFetcher::default().send(&request).await.unwrap_err();
    let shown = format!("{error} {error:?} {request:?}");
    assert!(
        !shown.contains("c2VjcmV0") && !shown.contains("secret"),
        "{shown}"
    );
}
