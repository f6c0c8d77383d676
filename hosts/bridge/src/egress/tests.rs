//! Addresses that an organisation could give.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use countersign_host::Reason;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time,
};

use super::{Bounds, Egress, Reach, Resolve, connect::Resolved};

const SHORT: Bounds = Bounds {
    time: Duration::from_secs(2),
    bytes: 4096,
};

const DEVELOPMENT: Reach = Reach::PUBLIC.and_this_machine(true);

const REFUSED: &str = "the address is not of the public internet, or not asked by https";

/// Gives each lookup the next answer, and the last one for ever.
#[derive(Debug)]
struct Answers {
    answers: Vec<Vec<&'static str>>,
    asked: AtomicUsize,
}

impl Resolve for Answers {
    fn resolve(&self, _: &str) -> Resolved {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = &self.answers[number.min(self.answers.len() - 1)];
        let answer: Vec<IpAddr> = answer.iter().map(|text| text.parse().unwrap()).collect();
        Box::pin(async move { io::Result::Ok(answer) })
    }
}

fn answers(answers: &[&[&'static str]]) -> Arc<Answers> {
    Arc::new(Answers {
        answers: answers.iter().map(|answer| answer.to_vec()).collect(),
        asked: AtomicUsize::new(0),
    })
}

/// Why it was refused, and how often somebody connected to this machine.
async fn refused(resolver: Arc<Answers>, uri: &str) -> (String, Reason) {
    let egress = Egress::with(Reach::PUBLIC, resolver).unwrap();
    let error = egress.get(uri, SHORT).await.unwrap_err();
    (error.to_string(), error.reason())
}

/// A server that writes this to everybody, and then more for ever if asked.
async fn server(head: &'static str, is_endless: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(head.as_bytes()).await;
            while is_endless && stream.write_all(&[b'x'; 1024]).await.is_ok() {
                time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    url
}

#[tokio::test]
async fn an_address_of_this_network_is_never_connected_to() {
    for uri in [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://192.168.0.1/",
        "https://[fe80::1]/",
        "https://[fd00:ec2::254]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[64:ff9b::7f00:1]/",
        "https://0.0.0.0/",
    ] {
        let (text, _) = refused(answers(&[&["8.8.8.8"]]), uri).await;
        assert_eq!(text, REFUSED, "{uri}");
    }
}

#[tokio::test]
async fn a_name_is_what_its_addresses_are() {
    for answer in [
        &["127.0.0.1"][..],
        &["169.254.169.254"],
        &["::ffff:10.0.0.1"],
        &["64:ff9b::a9fe:a9fe"],
        // The attacker chooses which one is tried.
        &["8.8.8.8", "127.0.0.1"],
        &["127.0.0.1", "8.8.8.8"],
    ] {
        let (text, _) = refused(answers(&[answer]), "https://idp.example.com/").await;
        assert_eq!(text, REFUSED, "{answer:?}");
    }
}

#[tokio::test]
async fn forms_of_an_address_that_only_the_system_knows_are_checked_too() {
    let egress = Egress::open(Reach::PUBLIC).unwrap();
    for uri in [
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://localhost/",
    ] {
        let error = egress.get(uri, SHORT).await.unwrap_err().to_string();
        let is_no_address = error == "there was no connection, or it broke";
        assert!(error == REFUSED || is_no_address, "{uri}: {error}");
    }
}

#[tokio::test]
async fn a_name_that_is_public_first_and_this_machine_then_is_refused_then() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let uri: http::Uri = format!("https://idp.example.com:{port}/").parse().unwrap();
    let resolver = answers(&[&["8.8.8.8"], &["127.0.0.1"]]);
    let connector = super::connect::Connector {
        reach: Reach::PUBLIC,
        resolver: resolver.clone(),
    };
    // The addresses that were checked are those that are used: there is no second lookup.
    let checked = connector.addresses(&uri).await.unwrap();
    let public: SocketAddr = format!("8.8.8.8:{port}").parse().unwrap();
    assert_eq!(checked, [public]);
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 1);
    let (text, _) = refused(resolver, &uri.to_string()).await;
    assert_eq!(text, REFUSED);
    let accepted = time::timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(accepted.is_err());
}

#[tokio::test]
async fn plain_http_is_for_development_alone_and_for_this_machine_alone() {
    let url = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", false).await;
    for reach in [Reach::PUBLIC, Reach::CONFIGURED] {
        let egress = Egress::open(reach).unwrap();
        let error = egress.get(&url, SHORT).await.unwrap_err();
        assert_eq!(error.to_string(), "the address is not `https`");
    }
    let egress = Egress::open(DEVELOPMENT).unwrap();
    assert_eq!(egress.get(&url, SHORT).await.unwrap(), b"{}");
    let egress = Egress::with(DEVELOPMENT, answers(&[&["8.8.8.8"]])).unwrap();
    let error = egress
        .get("http://idp.example.com/", SHORT)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), REFUSED);
    let error = egress.get("https://10.0.0.1/", SHORT).await.unwrap_err();
    assert_eq!(error.to_string(), REFUSED);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let head =
        "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n";
    let url = server(head, false).await;
    let egress = Egress::open(DEVELOPMENT).unwrap();
    let error = egress.get(&url, SHORT).await.unwrap_err();
    assert_eq!(error.reason(), Reason::Redirect);
}

#[tokio::test]
async fn an_endless_body_ends_at_its_bound_and_a_slow_one_in_time() {
    let egress = Egress::open(DEVELOPMENT).unwrap();
    let url = server("HTTP/1.1 200 OK\r\n\r\n", true).await;
    let error = egress.get(&url, SHORT).await.unwrap_err();
    assert_eq!(error.reason(), Reason::TooLarge);
    let url = server("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", false).await;
    // It is closed too early, and is no document.
    assert!(egress.get(&url, SHORT).await.is_err());
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let bounds = Bounds {
        time: Duration::from_millis(100),
        ..SHORT
    };
    let error = egress.get(&url, bounds).await.unwrap_err();
    assert_eq!(error.reason(), Reason::Timeout);
}
