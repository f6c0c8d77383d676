//! What Caddy and Traefik have in common: both are written in Go, and ask with the same
//! carriers.

use std::{
    io::{Read, Write},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::{Value, json};

use crate::{
    seams::{Seam, TARGETS, request},
    stage::{
        client, eventually,
        server::{DecisionServer, listen},
    },
};

impl Seam<'_> {
    /// A byte that may not stand in a path is escaped, for the gate and for the origin.
    pub(crate) fn the_origin_gets_the_target_as_go_writes_it(&self) {
        let mut passed = 0;
        for target in TARGETS {
            let reply = self.get(target, &[&self.bearer()]);
            let received = self.origin.take();
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let written = path.replace('#', "%23").replace('\\', "%5C");
            let mark = if target.contains('?') { "?" } else { "" };
            match received.as_slice() {
                [] => assert!(reply.status >= 400, "{target}: {reply:?}"),
                [one] => {
                    assert_eq!(one.target(), format!("{written}{mark}{query}"));
                    let is_public = written.starts_with("/public/x%23");
                    assert!(!path.contains("globex") || is_public, "{target}");
                    passed += 1;
                }
                more => panic!("{target}: {more:?}"),
            }
        }
        assert!(passed >= 4, "only {passed} have passed");
    }

    /// A field of one hop takes no header of the gate with it, and the request passes.
    pub(crate) fn connection_takes_no_header_along(&self) {
        for connection in [
            "close, X-Auth-Subject",
            "X-Auth-Subject, X-Auth-Tenant, close",
            "close, x_auth_subject",
            "close, X-Forwarded-Uri, X-Forwarded-Method, X-Forwarded-Host",
            "close, Authorization",
        ] {
            let line = format!("Connection: {connection}");
            let reply = self.get("/orgs/acme/seats", &[&self.bearer(), &line]);
            let received = self.origin.take();
            if reply.status != 200 {
                // Without `Authorization` there is no token.
                assert!(
                    connection.contains("Authorization"),
                    "{connection}: {reply:?}"
                );
                assert!(received.is_empty(), "{connection}: {received:?}");
                continue;
            }
            assert_eq!(received.len(), 1, "{connection}");
            assert_eq!(
                received[0].values_like("x-auth-subject"),
                ["ada"],
                "{connection}"
            );
            assert_eq!(
                received[0].values_like("x-auth-tenant"),
                ["acme"],
                "{connection}"
            );
        }
    }

    /// Go takes the host of an absolute target, whatever `Host` says: gate and origin
    /// both get it.
    pub(crate) fn the_host_is_that_of_an_absolute_target(&self) {
        let bearer = self.bearer();
        let reply = self.send(format!(
            "GET http://b.example/orgs/acme/x HTTP/1.1\r\nHost: a.example\r\n{bearer}\r\nConnection: close\r\n\r\n"
        ));
        assert_eq!(reply.status, 200, "{reply:?}");
        let received = self.origin.one();
        assert_eq!(received.target(), "/orgs/acme/x");
        assert_eq!(received.values("host"), [b"b.example"]);
    }

    /// A target without a path, which Go passes on as it is: it must not become the address
    /// of the question.
    pub(crate) fn a_target_without_a_path_is_refused(&self) {
        let server = "http://127.0.0.1/answer/app/.well-known/oauth-protected-resource/mcp";
        for target in ["x:orgs/acme", "http:public/x", &format!("x:{server}"), "*"] {
            let bytes = request("GET", target, &[&self.bearer()]);
            let reply = client::write(self.proxy, bytes.as_bytes()).and_then(client::Sent::reply);
            let status = reply.as_ref().map_or(0, |reply| reply.status);
            assert!(status == 0 || status >= 400, "{target}: {reply:?}");
            assert!(self.origin.take().is_empty(), "{target}");
        }
    }

    /// What comes behind the body is no header.
    pub(crate) fn trailers_end_here(&self) {
        let bearer = self.bearer();
        let reply = self.send(format!(
            "POST /orgs/acme/seats HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n{bearer}\r\n\
             Transfer-Encoding: chunked\r\nTrailer: X-Auth-Subject\r\n\r\n\
             2\r\nhi\r\n0\r\nX-Auth-Subject: root\r\nX_Auth_Tenant: root\r\n\r\n"
        ));
        assert_eq!(reply.status, 200, "{reply:?}");
        let received = self.origin.one();
        assert_eq!(received.values_like("x-auth-subject"), ["ada"]);
        let body = String::from_utf8_lossy(received.body()).into_owned();
        assert!(body.contains("hi") && !body.contains("root"), "{body}");
    }

    /// Headers that backends believe reach none.
    pub(crate) fn no_header_says_another_request(&self) {
        for name in [
            "X-Original-URL",
            "X-Rewrite-URL",
            "X-Forwarded-Uri",
            "X-Forwarded-Method",
            "X-HTTP-Method-Override",
            "X-Forwarded-Client-Cert",
            "X_Original_Url",
            "X.Original.Url",
        ] {
            let line = format!("{name}: /root");
            let reply = self.get("/orgs/acme/seats", &[&self.bearer(), &line]);
            assert_eq!(reply.status, 200, "{name}: {reply:?}");
            let received = self.origin.one().text();
            assert!(!received.contains("/root"), "{name}: {received}");
        }
        for name in [
            "X-Forwarded-Host",
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "Forwarded",
        ] {
            let line = format!("{name}: host=root.example");
            let reply = self.get("/orgs/acme/seats", &[&self.bearer(), &line]);
            assert_eq!(reply.status, 200, "{name}: {reply:?}");
            let received = self.origin.one().text();
            assert!(!received.contains("root.example"), "{name}: {received}");
        }
    }
}

/// A policy with a cookie that does not go on, and is good from the same origin only.
pub(crate) fn cookie() -> Value {
    json!({
        "credentials": [{ "cookie": "session", "same_origin": true }],
        "strip_credential": true,
        "rules": [{ "path": "/**", "require": {} }],
    })
}

/// The cookie with the token stays here, and all others go on.
pub(crate) fn a_cookie_does_not_go_on(seam: &Seam<'_>) {
    let token = seam.tokens.good();
    let cookie = format!("Cookie: a=1; session={token}; b=2");
    let reply = seam.get("/x", &[&cookie]);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(seam.origin.one().values("cookie"), [b"a=1; b=2"]);
    let only = format!("Cookie: session={token}");
    assert_eq!(seam.get("/x", &[&only]).status, 200);
    assert!(seam.origin.one().values("cookie").is_empty());
    // A WebSocket that another site opens has the cookie too.
    let foreign = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-Fetch-Site: cross-site",
        &cookie,
    ];
    let reply = seam.get("/x", &foreign);
    assert_eq!(reply.code(), "origin_denied", "{reply:?}");
    assert!(seam.origin.take().is_empty());
}

/// A policy with a metadata document.
pub(crate) fn document() -> Value {
    json!({ "challenge": { "resource_metadata": {
        "resource": "https://a.example/mcp", "authorization_servers": ["https://id.example.com"],
    } } })
}

/// The gate answers it, and nothing else comes from there.
pub(crate) fn a_metadata_document_comes_from_the_gate(seam: &Seam<'_>) {
    let path = "/.well-known/oauth-protected-resource/mcp";
    let reply = seam.get(path, &[]);
    assert_eq!(reply.status, 200, "{reply:?}");
    let served: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(served, document()["challenge"]["resource_metadata"]);
    let dotted =
        format!("GET {path}?a=b HTTP/1.1\r\nHost: a.example.\r\nConnection: close\r\n\r\n");
    assert_eq!(seam.send(dotted).body, reply.body);
    let denied = seam.get("/mcp", &[]);
    let challenge = denied.header("www-authenticate").unwrap();
    assert!(
        challenge.contains(&format!("resource_metadata=\"https://a.example{path}\"")),
        "{challenge}"
    );
    for other in [
        "/.well-known/oauth-protected-resource/mcp/",
        "/.well-known/oauth-protected-resource/%6dcp",
        "/.well-known/oauth-protected-resource/",
        "/.well-known/oauth-protected-resource/mcp/x?/mcp",
        "/xwell-known/oauth-protected-resource/mcp",
        "/x?/.well-known/oauth-protected-resource/mcp",
    ] {
        let reply = seam.get(other, &[]);
        assert!(
            reply.status >= 400 || reply.body.contains("authorization_servers"),
            "{other}: {reply:?}"
        );
    }
    assert!(seam.origin.take().is_empty());
    // Its 200 is no allow: the same path of another host has no route of its own.
    let other = format!("GET {path} HTTP/1.1\r\nHost: b.example\r\nConnection: close\r\n\r\n");
    let reply = seam.send(other);
    assert!(reply.status >= 400, "{reply:?}");
    assert!(seam.origin.take().is_empty());
}

/// In place of the server somebody takes connections and says something that is no 2xx, or
/// no HTTP. What is a reply goes to the client, and nothing to the origin.
pub(crate) fn a_server_that_is_none_lets_nobody_pass(seam: &Seam<'_>, server: &mut DecisionServer) {
    server.stop();
    let replies: [&[u8]; 8] = [
        b"",
        b"allow\nend\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 302 Found\r\nlocation: /public/x\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 503 Service Unavailable\r\nx-auth-subject: root\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
    ];
    for reply in replies {
        let listener = listen(server.address);
        let over = AtomicBool::new(false);
        let answered = thread::scope(|scope| {
            scope.spawn(|| {
                for mut stream in listener.incoming().map_while(Result::ok) {
                    if over.load(Ordering::SeqCst) {
                        return;
                    }
                    let _ = stream.read(&mut [0; 8192]);
                    let _ = stream.write_all(reply);
                }
            });
            let answered = seam.get("/public/x", &[&seam.bearer()]);
            over.store(true, Ordering::SeqCst);
            drop(std::net::TcpStream::connect(server.address));
            answered
        });
        let said = String::from_utf8_lossy(reply);
        // Whatever the proxy makes of it, the origin has not been asked.
        assert!(
            !answered.body.contains("GET /public/x"),
            "{said}: {answered:?}"
        );
        assert!(seam.origin.take().is_empty(), "{said}");
    }
    back(seam, server);
}

/// It takes the question and never answers: the proxy's limit of time ends that.
pub(crate) fn a_server_that_hangs_lets_nobody_pass(seam: &Seam<'_>, server: &mut DecisionServer) {
    server.stop();
    let listener = listen(server.address);
    let answered = seam.get("/public/x", &[&seam.bearer()]);
    assert!(answered.status >= 500, "{answered:?}");
    assert!(seam.origin.take().is_empty());
    drop(listener);
    back(seam, server);
}

fn back(seam: &Seam<'_>, server: &mut DecisionServer) {
    server.restart();
    eventually("a good token passes again", || {
        seam.get("/orgs/acme/seats", &[&seam.bearer()]).status == 200
    });
    seam.origin.take();
}
