//! A client that writes the frames of HTTP/2 (RFC 9113) as they are told: a
//! library would refuse to. What comes back is read in DATA frames alone.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
};

use crate::{
    http1::{PATIENCE, is_refusal},
    request::Request,
    run::Client,
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Requests to a connection: fewer than its window of 65,535 bytes has room
/// for answers.
const REQUESTS: u32 = 50;

/// By prior knowledge, without TLS.
#[derive(Debug)]
pub struct Http2 {
    address: SocketAddr,
    connection: Option<(TcpStream, u32)>,
}

impl Http2 {
    /// Connects with the first request.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            connection: None,
        }
    }

    fn exchange(&mut self, block: &[u8]) -> io::Result<Option<String>> {
        let (mut connection, stream) = match self.connection.take() {
            Some(open) => open,
            None => {
                let mut connection = TcpStream::connect(self.address)?;
                connection.set_nodelay(true)?;
                connection.set_read_timeout(Some(PATIENCE))?;
                connection.write_all(PREFACE)?;
                write(&mut connection, SETTINGS, 0, 0, &[])?;
                (connection, 1)
            }
        };
        write(
            &mut connection,
            HEADERS,
            END_STREAM | END_HEADERS,
            stream,
            block,
        )?;
        let mut body = Vec::new();
        loop {
            let (kind, flags, of, payload) = read(&mut connection)?;
            match kind {
                SETTINGS | PING if flags & ACK == 0 => {
                    let back = if kind == PING { &payload[..] } else { &[] };
                    write(&mut connection, kind, ACK, 0, back)?;
                }
                GOAWAY => return Ok(None),
                RST_STREAM if of == stream => break,
                DATA if of == stream => body.extend(payload),
                _ => {}
            }
            if of == stream && matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
                break;
            }
        }
        if stream < 2 * REQUESTS {
            self.connection = Some((connection, stream + 2));
        }
        let body = String::from_utf8_lossy(&body);
        Ok(body.trim_end().strip_prefix("handler=").map(str::to_owned))
    }
}

impl Client for Http2 {
    fn send(&mut self, request: &Request, token: Option<&str>) -> io::Result<Option<String>> {
        // An answer to `HEAD` has no body.
        let method = if request.method == "HEAD" {
            "GET"
        } else {
            request.method
        };
        let mut block = Vec::new();
        field(&mut block, ":method", method.as_bytes());
        field(&mut block, ":scheme", b"http");
        field(&mut block, ":path", &request.target);
        if let Some(authority) = request.hosts.first() {
            field(&mut block, ":authority", authority.as_bytes());
        }
        for host in request.hosts.iter().skip(1) {
            field(&mut block, "host", host.as_bytes());
        }
        for (name, value) in &request.fields {
            // RFC 9113 §8.2.2: those of a connection make a request malformed.
            if !matches!(*name, "Connection" | "Upgrade") {
                field(&mut block, &name.to_ascii_lowercase(), value.as_bytes());
            }
        }
        if let Some(token) = token {
            field(
                &mut block,
                "authorization",
                format!("Bearer {token}").as_bytes(),
            );
        }
        if self.connection.is_some()
            && let Ok(handler) = self.exchange(&block)
        {
            return Ok(handler);
        }
        match self.exchange(&block) {
            Err(error) if is_refusal(&error) => Ok(None),
            other => other,
        }
    }
}

/// A literal without indexing, its name too (RFC 7541 §6.2.2).
fn field(block: &mut Vec<u8>, name: &str, value: &[u8]) {
    block.push(0);
    for text in [name.as_bytes(), value] {
        let mut length = text.len();
        // RFC 7541 §5.1, with a prefix of 7 bits.
        if length < 127 {
            block.push(length as u8);
        } else {
            block.push(127);
            length -= 127;
            while length >= 128 {
                block.push((length % 128) as u8 | 128);
                length /= 128;
            }
            block.push(length as u8);
        }
        block.extend(text);
    }
}

fn write(
    connection: &mut TcpStream,
    kind: u8,
    flags: u8,
    stream: u32,
    payload: &[u8],
) -> io::Result<()> {
    let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    connection.write_all(&frame)
}

fn read(connection: &mut TcpStream) -> io::Result<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    connection.read_exact(&mut head)?;
    let [a, b, c, kind, flags, stream @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    connection.read_exact(&mut payload)?;
    Ok((
        kind,
        flags,
        u32::from_be_bytes(stream) & 0x7fff_ffff,
        payload,
    ))
}
