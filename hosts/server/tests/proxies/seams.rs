//! The attacks on the seam between a proxy and the decision server, for every proxy
//! alike: bytes from a raw socket, and what reaches the origin.

use std::{net::SocketAddr, thread};

use crate::stage::{
    client::{self, Reply},
    issuer::Tokens,
    origin::Origin,
};

/// A running proxy before an origin, with the policy of `Tokens::policy`.
pub(crate) struct Seam<'s> {
    pub(crate) proxy: SocketAddr,
    pub(crate) origin: &'s Origin,
    pub(crate) tokens: &'s Tokens,
}

/// Who a client says it is: every spelling that a backend may read as `x-auth-subject`, or
/// as a header by which the proxy and the server talk.
const FORGED: [&str; 12] = [
    "x-auth-subject: root",
    "X-Auth-Subject: root",
    "x_auth_subject: root",
    "X_AUTH-SUBJECT: root",
    "x-auth_subject: root",
    "x-auth-tenant: root",
    "x_auth_tenant: root",
    "x-countersign-target: /public/x",
    "x_countersign_target: /public/x",
    "x-countersign-set-x-auth-subject: root",
    "x-countersign-method: GET",
    "x-countersign-takes: target",
];

/// Targets that programs read in different ways.
pub(crate) const TARGETS: [&str; 26] = [
    "/orgs/acme/seats",
    "/orgs/acme/seats?a=b%20c&d=%2F&e",
    "/orgs/acme/sea%74s",
    "/orgs/acme/../globex/seats",
    "/orgs/acme/%2e%2e/globex/seats",
    "/orgs/acme/..%2fglobex/seats",
    "/orgs/acme%2fseats",
    "/orgs/acme%5cseats",
    "/orgs/acme/%00",
    "/orgs/acme/%0d%0ax",
    "/orgs/acme//seats",
    "//orgs/acme/seats",
    "/public/../orgs/globex/seats",
    "/public/..;/orgs/globex/seats",
    "/public/%2e%2e/orgs/globex",
    "/public/%252e%252e/orgs/globex",
    "/public/x#/orgs/globex",
    "/public/x%23",
    "/public/./x",
    "/public\\..\\orgs",
    "/PUBLIC/x",
    "/orgs/globex/seats?/public/x",
    "/%6frgs/globex/seats",
    "/orgs/acme/seats?access_token=x",
    "/public/x;a=b",
    "/public/x?",
];

impl Seam<'_> {
    pub(crate) fn send(&self, request: impl AsRef<[u8]>) -> Reply {
        let sent = client::write(self.proxy, request.as_ref()).expect("the proxy listens");
        sent.reply().expect("the proxy answers")
    }

    /// `GET` of this target, with these further lines.
    pub(crate) fn get(&self, target: &str, lines: &[&str]) -> Reply {
        self.send(request("GET", target, lines))
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Authorization: Bearer {}", self.tokens.good())
    }

    /// What reaches the origin is what the gate allowed, with who the caller is.
    pub(crate) fn a_good_token_passes(&self) {
        let reply = self.get("/orgs/acme/seats?a=1", &[&self.bearer()]);
        assert_eq!(reply.status, 200, "{reply:?}");
        let received = self.origin.one();
        assert_eq!(received.target(), "/orgs/acme/seats?a=1");
        assert_eq!(received.values_like("x-auth-subject"), ["ada"]);
        assert_eq!(received.values_like("x-auth-tenant"), ["acme"]);
        assert!(
            !received.text().to_lowercase().contains("x-countersign"),
            "{}",
            received.text()
        );
    }

    pub(crate) fn nobody_passes_without_a_good_token(&self) {
        let (forged, expired) = (self.tokens.forged(), self.tokens.expired());
        let bearer = |token: &str| format!("Authorization: Bearer {token}");
        let cases = [
            (vec![], 401, "token_missing"),
            (vec![bearer(&forged)], 401, "signature_invalid"),
            (vec![bearer(&expired)], 401, "token_expired"),
            (
                vec![format!("{}, Bearer {forged}", self.bearer())],
                400,
                "token_multiple",
            ),
            (
                vec!["Authorization: Basic eDp5".to_owned()],
                401,
                "token_missing",
            ),
        ];
        for (lines, status, code) in cases {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let reply = self.get("/orgs/acme/seats", &lines);
            assert_eq!((reply.status, &*reply.code()), (status, code), "{reply:?}");
            let challenges: Vec<_> = reply.headers("www-authenticate").collect();
            assert_eq!(challenges.len(), 1, "{reply:?}");
        }
        // In two fields it is the same, or the proxy itself refuses them.
        let twice = self.get("/orgs/acme/seats", &[&self.bearer(), &bearer(&forged)]);
        assert_eq!(twice.status, 400, "{twice:?}");
        let reply = self.get("/orgs/globex/seats", &[&self.bearer()]);
        assert_eq!(
            (reply.status, &*reply.code()),
            (403, "tenant_denied"),
            "{reply:?}"
        );
        assert!(reply.header("www-authenticate").is_none());
        assert!(self.origin.take().is_empty());
    }

    /// Not one of the headers that the gate sets survives, on public routes neither.
    pub(crate) fn a_client_cannot_name_itself(&self) {
        for line in FORGED {
            for (target, subject) in [("/public/x", None), ("/orgs/acme/seats", Some("ada"))] {
                let bearer = self.bearer();
                let reply = self.get(target, &[line, &bearer, line]);
                let received = self.origin.take();
                if reply.status != 200 {
                    assert!(received.is_empty(), "{line}: {received:?}");
                    continue;
                }
                let [received] = received.as_slice() else {
                    panic!("{line}: {received:?}");
                };
                assert_eq!(received.target(), target, "{line}");
                let subject: Vec<_> = subject.into_iter().collect();
                assert_eq!(received.values_like("x-auth-subject"), subject, "{line}");
                let tenant = received.values_like("x-auth-tenant");
                assert!(!tenant.contains(&"root".to_owned()), "{line}: {tenant:?}");
            }
        }
    }

    /// A target reaches the origin as it was sent, or not at all.
    pub(crate) fn the_origin_gets_the_target_that_was_decided_about(&self) {
        let mut passed = 0;
        for target in TARGETS {
            let bearer = self.bearer();
            let reply = self.get(target, &[&bearer]);
            let received = self.origin.take();
            match received.as_slice() {
                [] => assert!(reply.status >= 400, "{target}: {reply:?}"),
                [one] => {
                    assert_eq!(one.target(), target);
                    assert!(
                        !target.contains("globex") || target.contains('?'),
                        "{target}"
                    );
                    passed += 1;
                }
                more => panic!("{target}: {more:?}"),
            }
        }
        assert!(passed >= 4, "only {passed} have passed");
        let denied = self.get("/orgs/globex/seats?/public/x", &[&self.bearer()]);
        assert_eq!(denied.code(), "tenant_denied");
        assert!(self.origin.take().is_empty());
    }

    /// Two targets, two hosts, or a target of another form: the one that was decided
    /// about reaches the origin, or none.
    pub(crate) fn there_are_no_two_targets(&self) {
        let bearer = self.bearer();
        let requests = [
            format!(
                "GET http://other.example/orgs/globex/x HTTP/1.1\r\nHost: a.example\r\n{bearer}\r\n"
            ),
            format!(
                "GET http://a.example/orgs/globex/x HTTP/1.1\r\nHost: a.example\r\n{bearer}\r\n"
            ),
            format!(
                "GET /orgs/globex/x HTTP/1.1\r\nHost: a.example\r\nX-Original-URL: /public/x\r\n{bearer}\r\n"
            ),
            format!(
                "GET /orgs/globex/x HTTP/1.1\r\nHost: a.example\r\nX-Rewrite-URL: /public/x\r\nX-Forwarded-Uri: /public/x\r\n{bearer}\r\n"
            ),
            format!(
                "GET /orgs/globex/x HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Method: OPTIONS\r\nX-HTTP-Method-Override: OPTIONS\r\n{bearer}\r\n"
            ),
            format!(
                "GET /orgs/globex/x HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n{bearer}\r\n"
            ),
            format!("GET /orgs/globex/x\r\n{bearer}\r\n"),
            "GET /orgs/acme/x HTTP/1.0\r\n".to_owned(),
            format!("CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n{bearer}\r\n"),
            format!("OPTIONS * HTTP/1.1\r\nHost: a.example\r\n{bearer}\r\n"),
            format!("GET orgs/acme/x HTTP/1.1\r\nHost: a.example\r\n{bearer}\r\n"),
            format!("GET /orgs/globex/x HTTP/1.1\r\nHost: a.example/public\r\n{bearer}\r\n"),
            format!(
                "GET /public/x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n{bearer}\r\n\r\n0\r\n\r\nGET /orgs/globex/x HTTP/1.1\r\nHost: a.example\r\n"
            ),
            format!(
                "GET /public/x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\nContent-Length: 61\r\n{bearer}\r\n\r\nGET /orgs/globex/x HTTP/1.1\r\nHost: a.example\r\n"
            ),
        ];
        for request in requests {
            // An answer, or an end of the connection without one.
            let request = format!("{request}Connection: close\r\n\r\n");
            let reply = client::write(self.proxy, request.as_bytes()).and_then(client::Sent::reply);
            for received in self.origin.take() {
                let target = received.target();
                assert!(!target.contains("globex"), "{request}: {target}: {reply:?}");
                assert!(
                    target.starts_with("/public/"),
                    "{request}: {target}: {reply:?}"
                );
            }
        }
    }

    /// Requests without a token that programs read in different ways: what reaches the origin is
    /// public, whoever reads it.
    pub(crate) fn nobody_without_a_token_reaches_what_is_protected(&self) {
        let smuggled = "GET /orgs/acme/smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n";
        let mut requests = Vec::new();
        for target in [
            "/public/..;/orgs/acme/x",
            "/public/..%2forgs/acme/x",
            "/public/..%5corgs/acme/x",
            "/public%2f..%2forgs/acme/x",
            "/public/%2e%2e%2forgs/acme/x",
            "/public/.%2e/orgs/acme/x",
            "/public//../orgs/acme/x",
            "/public/x/..//..//orgs/acme/x",
            "//orgs/acme/x",
            "///orgs/acme/x",
            "/\\orgs/acme/x",
            "/./orgs/acme/x",
            "/orgs;/acme/x",
            "/public\0/../orgs/acme/x",
            "/orgs/acme/x\0/public/x",
            "/public/x%00/../../orgs/acme/x",
            "/public/..%00/orgs/acme/x",
            "/public/..\t/orgs/acme/x",
            "/orgs/acme/x HTTP/1.1 /public/x",
            "/orgs/acme/x?/../../public/x",
            "http://a.example/orgs/acme/x",
            "http://a.example@b.example/orgs/acme/x",
            "http:///orgs/acme/x",
        ] {
            requests.push(format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n"));
        }
        for lines in [
            "X-Forwarded-Uri: /public/x",
            "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: public",
            "X-Forwarded-Prefix: /public\r\nX-Forwarded-Path: /public/x",
            "X-Original-URI: /public/x\r\nX-Accel-Redirect: /public/x",
            "X_Countersign_Target: /public/x\r\nX_Countersign_Method: GET",
            "X-Countersign-Header-Host: public\r\nX-Countersign-Decision: allow",
            "Host: public",
            "Host : public",
            "X-Folded: a\r\n Authorization: Bearer x",
            "X-Folded: a\r\n\tX-Countersign-Target: /public/x",
            " X-Countersign-Target: /public/x",
            "X-Nul: a\0b",
            "X-Bare: a\rX-Countersign-Target: /public/x",
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Connection: Upgrade, X-Countersign-Target\r\nUpgrade: websocket, h2c",
            "Expect: 100-continue",
        ] {
            requests.push(format!(
                "GET /orgs/acme/x HTTP/1.1\r\nHost: a.example\r\n{lines}\r\n\r\n"
            ));
        }
        for framing in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "Transfer-Encoding: identity, chunked",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding : chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            "Transfer-Encoding:\x0bchunked",
            "Transfer_Encoding: chunked",
            "Content-Length: 0\r\nContent-Length: 5",
            "Content-Length: +5",
            "Content-Length: 0, 5",
            "Content-Length: 5\r\n\tX: y",
        ] {
            requests.push(format!(
                "POST /public/x HTTP/1.1\r\nHost: a.example\r\n{framing}\r\n\r\n0\r\n\r\n{smuggled}"
            ));
        }
        for chunks in [
            "0\n\r\n",
            "0;\n\n",
            "1\r\nZZ\r\n0\r\n\r\n",
            "0x0\r\n\r\n",
            "00\r\nX: y\r\n\r\n",
        ] {
            requests.push(format!(
                "POST /public/x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}{smuggled}"
            ));
        }
        // All at once, as some proxies close a connection only after a second.
        thread::scope(|scope| {
            for (case, request) in requests.iter().enumerate() {
                let host = "Host: a.example\r\n";
                let request = request.replacen(host, &format!("{host}X-Case: {case}\r\n"), 1);
                let end =
                    "GET /public/end HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
                scope.spawn(move || client::exchange(self.proxy, (request + end).as_bytes()));
            }
        });
        let all = self.origin.take();
        for received in &all {
            let read = as_backends_read(&received.target());
            let case = received.values_like("x-case").concat().parse::<usize>();
            assert!(
                read.iter().all(|path| path.starts_with("/public/")),
                "{:?}: {}",
                case.map(|case| &requests[case]),
                received.text()
            );
        }
        assert!(all.len() >= 10, "only {} have passed", all.len());
    }

    /// A target that has a host, and another one in `Host`.
    pub(crate) fn an_absolute_target_has_no_other_host(&self) {
        let bearer = self.bearer();
        let absolute = format!(
            "GET http://a.example/orgs/acme/x HTTP/1.1\r\nHost: b.example\r\n{bearer}\r\nConnection: close\r\n\r\n"
        );
        let reply = self.send(absolute);
        assert!(
            reply.status >= 400 && self.origin.take().is_empty(),
            "{reply:?}"
        );
    }

    /// A field that the next hop removes takes no header of the gate with it.
    pub(crate) fn connection_removes_nothing(&self) {
        let reply = self.get(
            "/orgs/acme/seats",
            &[&self.bearer(), "Connection: close, X-Auth-Subject"],
        );
        assert_eq!(
            (reply.status, &*reply.code()),
            (400, "request_ambiguous"),
            "{reply:?}"
        );
        assert!(self.origin.take().is_empty());
    }

    /// A trailer is no header of the request.
    pub(crate) fn a_body_and_its_method_go_on(&self) {
        let bearer = self.bearer();
        let request = format!(
            "POST /orgs/acme/seats HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\nConnection: close\r\n{bearer}\r\n\r\nabc"
        );
        assert_eq!(self.send(request).status, 200);
        let received = self.origin.one();
        assert_eq!(
            (&*received.method(), &*received.target()),
            ("POST", "/orgs/acme/seats")
        );
        assert_eq!(received.values("content-length"), [b"3"]);
    }

    pub(crate) fn an_upgrade_to_h2c_is_no_tunnel(&self) {
        let upgrade = [
            "Connection: Upgrade, HTTP2-Settings",
            "Upgrade: h2c",
            "HTTP2-Settings: AAMAAABkAAQAAP__",
        ];
        for target in ["/public/x", "/orgs/acme/seats"] {
            let bearer = self.bearer();
            let head = format!(
                "GET {target} HTTP/1.1\r\nHost: a.example\r\n{bearer}\r\n{}\r\n\r\n",
                upgrade.join("\r\n")
            );
            let reply = self.send(head);
            assert_ne!(reply.status, 101);
            for received in self.origin.take() {
                assert!(received.values("upgrade").is_empty(), "{}", received.text());
            }
        }
    }

    /// A WebSocket opens with a good token, and with none not.
    pub(crate) fn a_websocket_needs_a_good_token(&self) {
        let handshake = |lines: &str| {
            format!(
                "GET /orgs/acme/socket HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n"
            )
        };
        let reply = self.send(handshake(""));
        assert_eq!(
            (reply.status, &*reply.code()),
            (401, "token_missing"),
            "{reply:?}"
        );
        assert!(self.origin.take().is_empty());
        let bearer = format!("{}\r\n", self.bearer());
        let echoed =
            crate::stage::origin::echo(self.proxy, handshake(&bearer).as_bytes(), b"hello");
        assert_eq!(echoed, b"hello");
        assert_eq!(self.origin.one().values_like("x-auth-subject"), ["ada"]);
    }
}

/// The paths that backends make of a target: as it is, and without escapes, parameters, dot
/// segments, double slashes and backslashes.
fn as_backends_read(target: &str) -> [String; 2] {
    let path = target.split('?').next().unwrap_or_default();
    let plain = ["%2f", "%2F", "%5c", "%5C", "\\"];
    let mut read = path.replace("%2e", ".").replace("%2E", ".");
    for slash in plain {
        read = read.replace(slash, "/");
    }
    let mut segments = Vec::new();
    for segment in read.split('/') {
        match segment.split([';', '\0']).next().unwrap_or_default() {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    [path.to_owned(), format!("/{}", segments.join("/"))]
}

/// A request that ends its connection.
pub(crate) fn request(method: &str, target: &str, lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    // A test that says `Connection` says it alone.
    let close = match lines.contains("Connection:") {
        true => "",
        false => "Connection: close\r\n",
    };
    format!("{method} {target} HTTP/1.1\r\nHost: a.example\r\n{close}{lines}\r\n")
}
