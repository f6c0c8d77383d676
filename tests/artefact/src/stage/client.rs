//! A client that sends exactly the bytes of a test.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

use super::TIMEOUT;
use crate::cases::AUTHORITY;

/// A reply.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// Its content, as text.
    pub body: String,
}

impl Reply {
    /// All values, as they were sent.
    pub fn headers<'r>(&'r self, wanted: &'r str) -> impl Iterator<Item = &'r str> {
        let all = self.headers.iter();
        all.filter(move |(name, _)| name == wanted)
            .map(|(_, value)| &**value)
    }

    /// The first of them.
    #[must_use]
    pub fn header(&self, wanted: &str) -> Option<&str> {
        let all = self.headers.iter();
        all.clone()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| &**value)
    }

    /// Returns whether the body is complete, if the reply has a length. What follows on
    /// an upgrade is none.
    fn is_whole(&self) -> bool {
        if self.status == 101 {
            return true;
        }
        let length = self.header("content-length");
        length.and_then(|length| length.parse().ok()) == Some(self.body.len())
    }

    /// The code of a denial; empty where there is none.
    #[must_use]
    pub fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A request whose reply nobody has read yet.
#[derive(Debug)]
pub struct Sent(TcpStream);

impl Sent {
    /// The reply; `None` if what came is none.
    #[must_use]
    pub fn reply(mut self) -> Option<Reply> {
        let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
        loop {
            // Envoy closes a connection a second after a local response.
            if let Some(reply) = parse(&bytes).filter(Reply::is_whole) {
                return Some(reply);
            }
            match self.0.read(&mut chunk).ok()? {
                0 => return parse(&bytes),
                length => bytes.extend(&chunk[..length]),
            }
        }
    }

    /// The client leaves.
    pub fn leave(self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// `GET` of this target with these headers, to be answered later.
#[must_use]
pub fn send(
    to: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, Vec<u8>)],
) -> Option<Sent> {
    let mut request =
        format!("{method} {target} HTTP/1.1\r\nhost: {AUTHORITY}\r\nconnection: close\r\n")
            .into_bytes();
    for (name, value) in headers {
        request.extend(format!("{name}: ").as_bytes());
        request.extend(value);
        request.extend(b"\r\n");
    }
    request.extend(b"\r\n");
    write(to, &request)
}

/// Sends these bytes.
///
/// # Panics
/// On a socket that has no patience.
#[must_use]
pub fn write(to: SocketAddr, bytes: &[u8]) -> Option<Sent> {
    let mut stream = TcpStream::connect(to).ok()?;
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    // Envoy can answer and close before it has read everything.
    let _ = stream.write_all(bytes);
    Some(Sent(stream))
}

/// Sends these bytes, and waits until the other side closes, or says nothing for three
/// seconds.
///
/// # Panics
/// If nobody listens, or on a socket that has no patience.
pub fn exchange(to: SocketAddr, bytes: &[u8]) {
    let mut stream = TcpStream::connect(to).unwrap();
    let patience = Duration::from_secs(3);
    stream.set_read_timeout(Some(patience)).unwrap();
    let _ = stream.write_all(bytes);
    while let Ok(1..) = stream.read(&mut [0; 4096]) {}
}

fn parse(bytes: &[u8]) -> Option<Reply> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(": "));
    Some(Reply {
        status,
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    })
}
