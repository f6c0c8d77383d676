//! An HTTP/2 client (RFC 9113) that sends exactly the fields of a test. It uses
//! literals without an index (RFC 7541 §6.2.2) and no dynamic table.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use super::TIMEOUT;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

pub(crate) struct Connection {
    stream: TcpStream,
    next: u32,
}

/// The reply on one stream.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// The status; 0 if the stream was reset.
    pub(crate) status: u16,
    pub(crate) body: String,
    ended: bool,
}

impl Connection {
    pub(crate) fn open(to: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .unwrap();
        // SETTINGS_HEADER_TABLE_SIZE is 0, and windows have the maximum size.
        let settings = [&[0, 1, 0, 0, 0, 0][..], &[0, 4, 0x7f, 0xff, 0xff, 0xff]].concat();
        let mut connection = Self { stream, next: 1 };
        connection.frame(SETTINGS, 0, 0, &settings);
        connection.frame(WINDOW_UPDATE, 0, 0, &0x7000_0000_u32.to_be_bytes());
        connection
    }

    /// Begins a request. Returns the number of its stream.
    pub(crate) fn send(&mut self, fields: &[(&str, &[u8])], ends: bool) -> u32 {
        let id = self.next;
        self.next += 2;
        let flags = END_HEADERS | if ends { END_STREAM } else { 0 };
        self.frame(HEADERS, flags, id, &block(fields));
        id
    }

    /// Ends a request with these trailers.
    pub(crate) fn trailers(&mut self, id: u32, fields: &[(&str, &[u8])]) {
        self.frame(HEADERS, END_HEADERS | END_STREAM, id, &block(fields));
    }

    /// Reads the replies to all requests, by stream. There are fewer if the
    /// connection ends early.
    pub(crate) fn replies(mut self) -> BTreeMap<u32, Reply> {
        let wanted = usize::try_from(self.next / 2).unwrap();
        let (mut replies, mut ended) = (BTreeMap::<u32, Reply>::new(), 0);
        while ended < wanted
            && let Some((kind, flags, id, payload)) = self.read()
        {
            let reply = replies.entry(id).or_default();
            match kind {
                HEADERS if reply.status == 0 => reply.status = status(&payload),
                DATA => reply.body.push_str(&String::from_utf8_lossy(&payload)),
                SETTINGS if flags & ACK == 0 => self.frame(SETTINGS, ACK, 0, &[]),
                _ => {}
            }
            let ends = matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0;
            if (ends || kind == RESET) && !reply.ended {
                reply.ended = true;
                ended += 1;
            }
        }
        replies.retain(|_, reply| reply.ended);
        replies
    }

    /// Reads the only reply.
    pub(crate) fn reply(self) -> Reply {
        self.replies().into_values().next().unwrap_or_default()
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        // Envoy can have closed the connection; then there is no reply.
        let _ = self.stream.write_all(&[&head, payload].concat());
    }

    fn read(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).ok()?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.stream.read_exact(&mut payload).ok()?;
        Some((kind, flags, u32::from_be_bytes(id), payload))
    }
}

/// Returns the fields of a `GET` for this target, and further fields.
pub(crate) fn get<'a>(target: &'a str, more: &[(&'a str, &'a [u8])]) -> Vec<(&'a str, &'a [u8])> {
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

/// Writes an integer with a prefix of seven bits (RFC 7541 §5.1).
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

/// Returns the status, which is the first field of a response (RFC 7541,
/// appendix A: indices 8 to 14 are `:status` with a value).
fn status(block: &[u8]) -> u16 {
    const INDEXED: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    // An update of the table size can precede it.
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

/// Decodes digits (RFC 7541, appendix B): five bits for 0 to 2, six for 3 to 9.
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
