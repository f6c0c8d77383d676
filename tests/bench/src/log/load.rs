//! Clients that send one request after the other on connections that stay open.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};

use crate::policy;

const CONNECTIONS: usize = 4;

/// Of as many requests one has no token, and is denied.
const DENIED_OF: usize = 20;

/// A request, and the status of its response.
pub(super) struct Request {
    bytes: Vec<u8>,
    status: u16,
}

/// Requests with each of the tokens, and some without any.
pub(super) fn requests(tokens: &[String]) -> Vec<Request> {
    let request = |credential: &str, status| {
        let target = policy::TARGET;
        let head = format!("GET {target} HTTP/1.1\r\nhost: api.example.com\r\n{credential}\r\n");
        Request {
            bytes: head.into_bytes(),
            status,
        }
    };
    let mut requests = Vec::new();
    for token in tokens {
        if requests.len() % DENIED_OF == DENIED_OF - 1 {
            requests.push(request("", 401));
        }
        let credential = format!("authorization: Bearer {token}\r\n");
        requests.push(request(&credential, 200));
    }
    requests
}

/// Loads a server for some time. Returns how long each request took, in nanoseconds.
pub(super) fn run(address: SocketAddr, requests: &[Request], time: Duration) -> Result<Vec<f64>> {
    thread::scope(|scope| {
        let client = |number| scope.spawn(move || client(address, requests, number, time));
        let clients: Vec<_> = (0..CONNECTIONS).map(client).collect();
        let mut took = Vec::new();
        for client in clients {
            took.extend(client.join().map_err(|_| anyhow!("a client panics"))??);
        }
        Ok(took)
    })
}

fn client(
    address: SocketAddr,
    requests: &[Request],
    number: usize,
    time: Duration,
) -> Result<Vec<f64>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let (mut took, mut buffer) = (Vec::new(), Vec::new());
    let mut next = requests.iter().cycle().skip(number * 7);
    let start = Instant::now();
    while start.elapsed() < time {
        let request = next.next().context("no requests")?;
        let clock = Instant::now();
        stream.write_all(&request.bytes)?;
        let status = response(&mut stream, &mut buffer)?;
        took.push(clock.elapsed().as_nanos() as f64);
        ensure!(status == request.status, "status {status}");
    }
    Ok(took)
}

/// Reads one response, which says its length. Returns its status.
fn response(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<u16> {
    buffer.clear();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk)?;
        ensure!(read > 0, "the server has closed the connection");
        buffer.extend_from_slice(chunk.get(..read).unwrap_or_default());
        let text = String::from_utf8_lossy(buffer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let length = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse().ok())?
        });
        let length: usize = length.context("the response does not say its length")?;
        if body.len() >= length {
            return Ok(status.context("no status")?.parse()?);
        }
    }
}
