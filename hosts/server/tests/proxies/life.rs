//! The life of the server and the proxy, for every proxy alike: nobody passes who should
//! not, whatever stops, hangs or changes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use crate::{
    seams::{Seam, request},
    stage::{
        TIMEOUT, client, eventually,
        server::{DecisionServer, listen},
    },
};

/// While nobody listens where the server was, every request is refused, also one that
/// any gate would let pass. When it is back, all is as before.
pub(crate) fn a_server_that_is_down_lets_nobody_pass(seam: &Seam<'_>, server: &mut DecisionServer) {
    seam.a_good_token_passes();
    server.stop();
    for target in ["/orgs/acme/seats", "/public/x", "/"] {
        let reply = seam.get(target, &[&seam.bearer()]);
        assert!(reply.status >= 500, "{target}: {reply:?}");
    }
    assert!(seam.origin.take().is_empty());
    server.restart();
    eventually("a good token passes again", || {
        seam.get("/orgs/acme/seats", &[&seam.bearer()]).status == 200
    });
    seam.origin.take();
}

/// In place of the server somebody takes connections and says something else, or nothing.
pub(crate) fn a_server_that_is_none_lets_nobody_pass(seam: &Seam<'_>, server: &mut DecisionServer) {
    server.stop();
    let replies: [&[u8]; 8] = [
        b"",
        b"allow\nend\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 302 Found\r\nlocation: /public/x\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 503 Service Unavailable\r\nx-countersign-decision: allow\r\ncontent-length: 10\r\n\r\nallow\nend\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ];
    for reply in replies {
        answering(server.address, reply, || {
            let said = String::from_utf8_lossy(reply);
            println!("in place of the server: {said:?}");
            let answered = seam.get("/public/x", &[&seam.bearer()]);
            assert!(answered.status >= 500, "{said}: {answered:?}");
            assert!(seam.origin.take().is_empty(), "{said}");
        });
    }
    // It takes the question and never answers: the proxy's limit of time ends that.
    let listener = listen(server.address);
    let status = patiently(seam.proxy, &request("GET", "/public/x", &[&seam.bearer()]));
    assert!(status.starts_with("HTTP/1.1 5"), "{status:?}");
    assert!(seam.origin.take().is_empty());
    drop(listener);
    server.restart();
    eventually("a good token passes again", || {
        seam.get("/orgs/acme/seats", &[&seam.bearer()]).status == 200
    });
    seam.origin.take();
}

/// Clients with and without a good token ask all the time, while the server is restarted
/// and the proxy reloads its configuration.
pub(crate) fn nobody_passes_while_all_changes(
    seam: &Seam<'_>,
    server: &mut DecisionServer,
    mut reload: impl FnMut(),
) {
    const CHANGES: usize = 6;
    let (over, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let forged = format!("Authorization: Bearer {}", seam.tokens.forged());
    let bad = [
        request("GET", "/orgs/acme/seats", &["X-Probe: bad"]),
        request("GET", "/orgs/acme/seats", &["X-Probe: bad", &forged]),
        request(
            "GET",
            "/orgs/globex/seats",
            &["X-Probe: bad", &seam.bearer()],
        ),
        request(
            "GET",
            "/public/../orgs/acme",
            &["X-Probe: bad", "X-Auth-Subject: ada"],
        ),
    ];
    let good = request(
        "GET",
        "/orgs/acme/seats",
        &["X-Probe: good", &seam.bearer(), "X-Auth-Subject: root"],
    );
    let passed = AtomicUsize::new(0);
    thread::scope(|scope| {
        for request in bad.iter().chain([&good, &good]) {
            let (over, asked, passed, good) = (&over, &asked, &passed, &good);
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let reply =
                        client::write(seam.proxy, request.as_bytes()).and_then(client::Sent::reply);
                    asked.fetch_add(1, Ordering::SeqCst);
                    if reply.is_some_and(|reply| reply.status == 200) {
                        assert_eq!(request, good, "{request}");
                        passed.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
        for change in 0..CHANGES {
            let before = asked.load(Ordering::SeqCst);
            match change % 3 {
                0 => server.restart(),
                1 => reload(),
                _ => {
                    server.stop();
                    reload();
                    server.restart();
                }
            }
            eventually("there is load", || {
                asked.load(Ordering::SeqCst) > before + 40
            });
        }
        over.store(true, Ordering::SeqCst);
    });
    for received in seam.origin.take() {
        assert_eq!(received.values("x-probe"), [b"good"], "{}", received.text());
        assert_eq!(
            received.values_like("x-auth-subject"),
            ["ada"],
            "{}",
            received.text()
        );
    }
    assert!(
        passed.load(Ordering::SeqCst) > 0,
        "nobody has passed at all"
    );
    eventually("a good token passes at the end", || {
        seam.get("/orgs/acme/seats", &[&seam.bearer()]).status == 200
    });
    seam.origin.take();
}

/// Answers every question at this address with these bytes while `f` runs.
pub(crate) fn answering(address: SocketAddr, reply: &[u8], f: impl FnOnce()) {
    let listener = listen(address);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for mut stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let _ = stream.read(&mut [0; 8192]);
                let _ = stream.write_all(reply);
            }
        });
        // Also where `f` panics: the thread would wait for ever.
        let _end = End(&over, address);
        f();
    });
}

/// Ends the thread of [`answering`].
struct End<'a>(&'a AtomicBool, SocketAddr);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.1));
    }
}

/// The first line of a reply that may take as long as several limits of time.
fn patiently(proxy: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(proxy).unwrap();
    stream.set_read_timeout(Some(4 * TIMEOUT)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line
}
