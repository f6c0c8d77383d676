//! An upstream that answers every request with its own head.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// Starts an upstream that runs until the tests end.
pub(crate) fn echo() -> SocketAddr {
    serve(|stream| {
        let head = head(&stream)?;
        answer(stream, "200 OK", &[], &head)
    })
}

/// The same; for a chunked request, the reply also contains body and trailers.
pub(crate) fn whole() -> SocketAddr {
    serve(|stream| {
        let mut reader = BufReader::new(&stream);
        let mut request = lines(&mut reader)?;
        let head = String::from_utf8_lossy(&request).to_lowercase();
        if head.contains("transfer-encoding: chunked") {
            request.extend(lines(&mut reader)?);
        }
        answer(stream.try_clone()?, "200 OK", &[], &request)
    })
}

/// Takes every upgrade to a WebSocket, and then leaves.
pub(crate) fn switching() -> SocketAddr {
    serve(|stream| {
        head(&stream)?;
        let fields = [("connection", "upgrade"), ("upgrade", "websocket")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        answer(stream, "101 Switching Protocols", &fields, b"")
    })
}

/// Serves one connection after the other, and notes the targets in that order.
pub(crate) fn one_by_one() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let noted = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let head = head(&stream).unwrap_or_default();
            let target = String::from_utf8_lossy(&head);
            let target = target.split(' ').nth(1).unwrap_or_default();
            noted.lock().unwrap().push(target.to_owned());
            let _ = answer(stream, "200 OK", &[], b"");
        }
    });
    (address, seen)
}

/// Calls `answer` for every connection, each on its own thread.
pub(crate) fn serve(
    answer: impl Fn(TcpStream) -> io::Result<()> + Clone + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = answer.clone();
            thread::spawn(move || answer(stream));
        }
    });
    address
}

/// Reads the head of a request, with the empty line.
pub(crate) fn head(stream: &TcpStream) -> io::Result<Vec<u8>> {
    lines(&mut BufReader::new(stream))
}

/// Reads a request: its head, and as many bytes as `content-length` says.
pub(crate) fn request(stream: &TcpStream) -> io::Result<(String, String)> {
    let mut reader = BufReader::new(stream);
    let head = String::from_utf8_lossy(&lines(&mut reader)?).into_owned();
    let mut fields = head.lines();
    let length = fields.find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok((head, String::from_utf8_lossy(&body).into_owned()))
}

/// Reads lines up to the next empty line, which is included.
fn lines(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    while !lines.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut lines)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(lines)
}

/// Sends a response and closes the connection.
pub(crate) fn answer(
    mut stream: TcpStream,
    status: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(head.as_bytes())?;
    stream.write_all(b"\r\n")?;
    stream.write_all(body)
}
