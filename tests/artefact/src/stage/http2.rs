//! A client of HTTP/2 (RFC 9113) that sends exactly the fields that a test
//! wants: literals without an index (RFC 7541 §6.2.2), and no table of its own.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
};

use super::TIMEOUT;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

/// By prior knowledge, without TLS.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    next: u32,
    replies: BTreeMap<u32, Reply>,
    /// The last stream that the server takes.
    last: u32,
}

/// What came back on one stream.
#[derive(Debug, Default)]
pub struct Reply {
    /// The fields as they were encoded; empty where the stream was reset.
    head: Vec<u8>,
    /// Its content, as text.
    pub body: String,
    ended: bool,
}

impl Reply {
    /// 0 where the stream was reset.
    ///
    /// # Panics
    /// Where the fields do not begin with a status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match &*self.head {
            [] => 0,
            head => status(head),
        }
    }
}

impl Connection {
    /// Connects, and says what a client says first.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn open(to: SocketAddr) -> io::Result<Self> {
        let mut stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")?;
        let mut connection = Self {
            stream,
            next: 1,
            replies: BTreeMap::new(),
            last: u32::MAX,
        };
        // SETTINGS_HEADER_TABLE_SIZE is 0; windows are as large as they can be.
        let settings = [&[0, 1, 0, 0, 0, 0][..], &[0, 4, 0x7f, 0xff, 0xff, 0xff]].concat();
        connection.frame(SETTINGS, 0, 0, &settings)?;
        connection.frame(WINDOW_UPDATE, 0, 0, &0x7000_0000_u32.to_be_bytes())?;
        Ok(connection)
    }

    /// Begins a request: the number of its stream.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn send(&mut self, fields: &[(&str, &[u8])], ends: bool) -> io::Result<u32> {
        let id = self.next;
        self.next += 2;
        let flags = END_HEADERS | if ends { END_STREAM } else { 0 };
        self.frame(HEADERS, flags, id, &block(fields))?;
        self.replies.insert(id, Reply::default());
        Ok(id)
    }

    /// Ends a request with these trailers.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn trailers(&mut self, id: u32, fields: &[(&str, &[u8])]) -> io::Result<()> {
        self.frame(HEADERS, END_HEADERS | END_STREAM, id, &block(fields))
    }

    /// The reply on this stream.
    ///
    /// # Errors
    /// Those of the socket, and `ConnectionAborted` where the server says that
    /// it gives none (RFC 9113 §6.8).
    pub fn reply(&mut self, id: u32) -> io::Result<Reply> {
        loop {
            if self.replies.get(&id).is_some_and(|reply| reply.ended) {
                return Ok(self.replies.remove(&id).unwrap_or_default());
            }
            if id > self.last {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            self.advance()?;
        }
    }

    /// The head of the reply on this stream, which may go on: its status.
    ///
    /// # Errors
    /// As those of [`Self::reply`].
    pub fn status(&mut self, id: u32) -> io::Result<u16> {
        while let Some(reply) = self.replies.get(&id) {
            if reply.ended || !reply.head.is_empty() {
                return Ok(reply.status());
            }
            self.advance()?;
        }
        Err(io::ErrorKind::NotFound.into())
    }

    /// The replies to everything that was sent, by stream; fewer where the
    /// connection ends before.
    #[must_use]
    pub fn replies(mut self) -> BTreeMap<u32, Reply> {
        while self.replies.values().any(|reply| !reply.ended) {
            if self.advance().is_err() {
                break;
            }
        }
        self.replies.retain(|_, reply| reply.ended);
        self.replies
    }

    /// Whether another request may follow.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.next <= self.last
    }

    /// Reads one frame.
    fn advance(&mut self) -> io::Result<()> {
        let (kind, flags, id, payload) = self.read()?;
        match kind {
            SETTINGS if flags & ACK == 0 => self.frame(SETTINGS, ACK, 0, &[])?,
            PING if flags & ACK == 0 => self.frame(PING, ACK, 0, &payload)?,
            GOAWAY => {
                let word = |at: usize| {
                    payload
                        .get(at..at + 4)?
                        .try_into()
                        .ok()
                        .map(u32::from_be_bytes)
                };
                // After an error nothing more comes, whatever was taken.
                let is_error = word(4) != Some(0);
                self.last = if is_error { 0 } else { word(0).unwrap_or(0) };
            }
            _ => {}
        }
        let Some(reply) = self.replies.get_mut(&id) else {
            return Ok(());
        };
        match kind {
            HEADERS if reply.head.is_empty() => reply.head = payload,
            DATA => reply.body.push_str(&String::from_utf8_lossy(&payload)),
            _ => {}
        }
        reply.ended |= kind == RESET || matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0;
        Ok(())
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
        let mut frame = length.to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.stream.write_all(&frame)
    }

    fn read(&mut self) -> io::Result<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head)?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.stream.read_exact(&mut payload)?;
        let id = u32::from_be_bytes(id) & 0x7fff_ffff;
        Ok((kind, flags, id, payload))
    }
}

/// The fields of a `GET` of this target, and then these.
#[must_use]
pub fn get<'a>(target: &'a str, more: &[(&'a str, &'a [u8])]) -> Vec<(&'a str, &'a [u8])> {
    let mut fields: Vec<(&str, &[u8])> = vec![
        (":method", b"GET"),
        (":scheme", b"http"),
        (":authority", b"api.example.com"),
        (":path", target.as_bytes()),
    ];
    fields.extend(more);
    fields
}

fn block(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name.as_bytes(), value] {
            integer(&mut block, text.len());
            block.extend(text);
        }
    }
    block
}

/// RFC 7541 §5.1, in seven bits.
fn integer(block: &mut Vec<u8>, number: usize) {
    if let Ok(number @ ..0x7f) = u8::try_from(number) {
        return block.push(number);
    }
    block.push(0x7f);
    let mut rest = number - 0x7f;
    while rest >= 0x80 {
        block.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
        rest >>= 7;
    }
    block.push(u8::try_from(rest).unwrap());
}

/// The status of a response's fields, of which it is the first (RFC 7541,
/// appendix A: indices 8 to 14 are `:status` with a value).
fn status(block: &[u8]) -> u16 {
    const INDEXED: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    // A change of the table's size may come before it.
    let from = block
        .iter()
        .position(|byte| byte & 0xe0 != 0x20)
        .unwrap_or(0);
    match block[from..] {
        [index @ 0x88..=0x8e, ..] => INDEXED[usize::from(index - 0x88)],
        [0x48 | 0x08 | 0x18, length, ref rest @ ..] => {
            let text = &rest[..usize::from(length & 0x7f)];
            let digits = if length & 0x80 == 0 {
                text.to_vec()
            } else {
                huffman(text)
            };
            String::from_utf8(digits).unwrap().parse().unwrap()
        }
        _ => panic!("no status: {block:?}"),
    }
}

/// Digits (RFC 7541, appendix B): five bits for 0 to 2, six for 3 to 9.
fn huffman(bytes: &[u8]) -> Vec<u8> {
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1))
        .collect();
    let number = |bits: &[u8]| bits.iter().fold(0, |number, bit| number << 1 | bit);
    let (mut digits, mut rest) = (Vec::new(), &bits[..]);
    while rest.len() >= 5 {
        if number(&rest[..5]) <= 2 {
            digits.push(b'0' + number(&rest[..5]));
            rest = &rest[5..];
        } else if let Some(six @ 0x19..=0x1f) = rest.get(..6).map(number) {
            digits.push(b'3' + six - 0x19);
            rest = &rest[6..];
        } else {
            break;
        }
    }
    digits
}
