//! A client that sends exactly the bytes of a test.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
};

use countersign_artefact_tests::cases::AUTHORITY;
use serde_json::Value;

use super::TIMEOUT;

/// A reply.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    /// Returns all values of a header, unchanged.
    pub(crate) fn headers<'r>(&'r self, wanted: &'r str) -> impl Iterator<Item = &'r str> {
        let all = self.headers.iter();
        all.filter(move |(name, _)| name == wanted)
            .map(|(_, value)| &**value)
    }

    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        let all = self.headers.iter();
        all.clone()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| &**value)
    }

    /// Returns whether the body is complete, if the reply has a length.
    fn is_whole(&self) -> bool {
        let length = self.header("content-length");
        length.and_then(|length| length.parse().ok()) == Some(self.body.len())
    }

    /// Returns the code of a denial; empty if there is none.
    pub(crate) fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A sent request whose reply is not read yet.
pub(crate) struct Sent(TcpStream);

impl Sent {
    /// Reads the reply; `None` if it is invalid.
    pub(crate) fn reply(mut self) -> Option<Reply> {
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

    /// Closes the connection.
    pub(crate) fn leave(self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// Sends a `GET` with these headers, without waiting for the reply.
pub(crate) fn send(
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
pub(crate) fn write(to: SocketAddr, bytes: &[u8]) -> Option<Sent> {
    let mut stream = TcpStream::connect(to).ok()?;
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    // Envoy can answer and close before it has read everything.
    let _ = stream.write_all(bytes);
    Some(Sent(stream))
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
