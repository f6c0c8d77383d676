//! An origin that records every request as the bytes that it received.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// The head of a request, and a body in chunks with its trailers, as bytes.
#[derive(Clone, Debug)]
pub(crate) struct Received(Vec<u8>, Vec<u8>);

/// It serves until the tests end.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Origin {
    pub(crate) fn start() -> Self {
        Self::serving(true)
    }

    /// One that opens no WebSocket: it answers the handshake as any other request.
    pub(crate) fn start_plain() -> Self {
        Self::serving(false)
    }

    fn serving(websockets: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = Self {
            address: listener.local_addr().unwrap(),
            received: Arc::default(),
        };
        let recorder = origin.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let recorder = recorder.clone();
                thread::spawn(move || recorder.serve(&stream, websockets));
            }
        });
        origin
    }

    /// Everything that was received since the last call.
    pub(crate) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.received.lock().unwrap())
    }

    /// The only request since the last call.
    pub(crate) fn one(&self) -> Received {
        let all = self.take();
        match <[_; 1]>::try_from(all) {
            Ok([one]) => one,
            Err(all) => panic!("{} requests have reached the origin: {all:?}", all.len()),
        }
    }

    /// Answers with the head of the request. A WebSocket gets back what it sends.
    fn serve(&self, stream: &TcpStream, websockets: bool) -> io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if reader.read_until(b'\n', &mut head)? == 0 {
                return Ok(());
            }
        }
        let mut received = Received(head, Vec::new());
        if !received.values("transfer-encoding").is_empty() {
            let chunks = &mut received.1;
            while !chunks.ends_with(b"0\r\n") && reader.read_until(b'\n', chunks)? > 0 {}
            while !chunks.ends_with(b"\n\r\n") && reader.read_until(b'\n', chunks)? > 0 {}
        }
        self.received.lock().unwrap().push(received.clone());
        let mut writer = stream;
        if websockets
            && received
                .values("upgrade")
                .iter()
                .any(|value| value.eq_ignore_ascii_case(b"websocket"))
        {
            writer.write_all(
                b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
            )?;
            io::copy(&mut reader, &mut writer)?;
            return Ok(());
        }
        let length = received
            .values("content-length")
            .first()
            .and_then(|value| str::from_utf8(value).ok()?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        let length = received.0.len();
        write!(
            writer,
            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        )?;
        writer.write_all(&received.0)
    }
}

impl Received {
    /// The head as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// The chunks of a body, with its trailers.
    pub(crate) fn body(&self) -> &[u8] {
        &self.1
    }

    pub(crate) fn method(&self) -> String {
        self.word(0)
    }

    /// The target as it came.
    pub(crate) fn target(&self) -> String {
        self.word(1)
    }

    fn word(&self, index: usize) -> String {
        let text = self.text();
        text.split(' ').nth(index).unwrap_or_default().to_owned()
    }

    /// Names in lower case, and values.
    pub(crate) fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let lines = self.0.split(|byte| *byte == b'\n').skip(1);
        let fields = lines.filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
            Some((name, line[colon + 1..].trim_ascii().to_vec()))
        });
        fields.collect()
    }

    /// The values of exactly this header.
    pub(crate) fn values(&self, wanted: &str) -> Vec<Vec<u8>> {
        let all = self.headers().into_iter();
        all.filter(|(name, _)| name == wanted)
            .map(|(_, value)| value)
            .collect()
    }

    /// The values of all headers that a backend could take for this one: `-`, `_` and
    /// `.` are one character to some.
    pub(crate) fn values_like(&self, wanted: &str) -> Vec<String> {
        let plain = |name: &str| name.replace(['_', '.'], "-");
        let all = self.headers().into_iter();
        let like = all.filter(|(name, _)| plain(name) == plain(wanted));
        like.map(|(_, value)| String::from_utf8_lossy(&value).into_owned())
            .collect()
    }
}

/// Opens a WebSocket with this handshake, and sends `bytes` on it: what comes back.
pub(crate) fn echo(to: SocketAddr, handshake: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(super::TIMEOUT)).unwrap();
    stream.write_all(handshake).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert!(
            reader.read_until(b'\n', &mut head).unwrap() > 0,
            "the connection ends"
        );
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    stream.write_all(bytes).unwrap();
    let mut back = vec![0; bytes.len()];
    reader.read_exact(&mut back).unwrap();
    back
}
