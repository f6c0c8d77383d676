//! An HTTP/1.1 client that sends the given bytes unchanged.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::{request::Request, run::Client};

/// The longest time that a server may take for a response.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client that keeps its connection until the server closes it.
#[derive(Debug)]
pub struct Http1 {
    address: SocketAddr,
    connection: Option<TcpStream>,
}

impl Http1 {
    /// Makes a client, which connects for its first request.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            connection: None,
        }
    }

    fn exchange(&mut self, request: &Request, bytes: &[u8]) -> io::Result<Option<String>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let connection = TcpStream::connect(self.address)?;
                connection.set_nodelay(true)?;
                connection.set_read_timeout(Some(TIMEOUT))?;
                connection
            }
        };
        connection.write_all(bytes)?;
        let mut answer = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let read = connection.read(&mut chunk)?;
            answer.extend_from_slice(&chunk[..read]);
            let mut fields = [httparse::EMPTY_HEADER; 64];
            let mut head = httparse::Response::new(&mut fields);
            let parsed = head.parse(&answer).map_err(io::Error::other)?;
            if let httparse::Status::Complete(length) = parsed {
                let field = |name: &str| {
                    let field = head
                        .headers
                        .iter()
                        .find(|field| field.name.eq_ignore_ascii_case(name));
                    field.map(|field| String::from_utf8_lossy(field.value).into_owned())
                };
                let body = match request.method {
                    "HEAD" => Some(0),
                    "CONNECT" => None,
                    _ => field("content-length").and_then(|text| text.parse().ok()),
                };
                let handler = field("x-handler");
                let stays =
                    !field("connection").is_some_and(|text| text.eq_ignore_ascii_case("close"));
                if let (Some(body), true) = (body, stays) {
                    let left = (length + body).saturating_sub(answer.len());
                    connection.read_exact(&mut vec![0; left])?;
                    // Further bytes do not belong to this request.
                    if answer.len() <= length + body {
                        self.connection = Some(connection);
                    }
                }
                return Ok(handler);
            }
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

impl Client for Http1 {
    fn send(&mut self, request: &Request, token: Option<&str>) -> io::Result<Option<String>> {
        let bytes = written(request, token);
        // The server may have closed the connection after its last response.
        if self.connection.is_some()
            && let Ok(handler) = self.exchange(request, &bytes)
        {
            return Ok(handler);
        }
        match self.exchange(request, &bytes) {
            // A closed connection without a response is a refusal.
            Err(error) if is_refusal(&error) => Ok(None),
            other => other,
        }
    }
}

/// Whether the server has closed the connection.
pub(crate) fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
    )
}

fn written(request: &Request, token: Option<&str>) -> Vec<u8> {
    let mut bytes = [
        request.method.as_bytes(),
        b" ",
        &request.target,
        b" HTTP/1.1\r\n",
    ]
    .concat();
    let hosts = request.hosts.iter().map(|host| ("Host", *host));
    for (name, value) in hosts.chain(request.fields.iter().copied()) {
        bytes.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    if let Some(token) = token {
        bytes.extend(format!("Authorization: Bearer {token}\r\n").into_bytes());
    }
    bytes.extend(b"\r\n");
    bytes
}
