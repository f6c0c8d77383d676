//! Load over HTTP/1.1: as many requests as a few connections carry, and how long each
//! took. `wrk` has no Unix sockets, and `h2load` no new header for each request.

use std::{
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use hdrhistogram::Histogram;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    runtime,
    task::JoinSet,
};

use super::cores;

/// So many that a server with one core is never idle.
const CONNECTIONS: usize = 16;

/// Requests of a connection before those that are timed: its buffers grow, and a
/// repeated token is remembered.
const WARM: Duration = Duration::from_millis(200);

/// Where a server listens.
#[derive(Clone, Debug)]
pub(super) enum To {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// Whether a response is that for a request that may pass.
pub(super) type Allows = fn(status: u16, body: &[u8]) -> bool;

/// What a run has seen.
pub(super) struct Seen {
    /// Nanoseconds of one core for each request.
    pub(super) ns: f64,
    /// Nanoseconds from the first byte sent to the last one received.
    pub(super) p50_ns: f64,
    pub(super) p99_ns: f64,
}

/// Sends these requests again and again for some time. Each one must be allowed.
pub(super) fn run(to: &To, requests: &[Vec<u8>], allows: Allows, time: Duration) -> Result<Seen> {
    let work = || {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(all(to, requests, allows, time))
    };
    cores::on(cores::LOAD, work)?
}

/// Sends one request, and says whether it was allowed.
pub(super) fn once(to: &To, request: &[u8], allows: Allows) -> Result<bool> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut connection = Connection::open(to).await?;
        let response = connection.ask(request).await?;
        Ok(allows(response.status, response.body))
    })
}

async fn all(to: &To, requests: &[Vec<u8>], allows: Allows, time: Duration) -> Result<Seen> {
    let mut tasks = JoinSet::new();
    let start = Instant::now() + WARM;
    let end = start + time;
    for number in 0..CONNECTIONS {
        // Each has requests of its own, so that no two send a token at the same time.
        let own = requests
            .iter()
            .skip(number % requests.len())
            .step_by(CONNECTIONS);
        let own: Vec<Vec<u8>> = own.cloned().collect();
        let mut connection = Connection::open(to).await?;
        tasks.spawn(async move {
            let mut times = histogram()?;
            for request in own.iter().cycle() {
                let sent = Instant::now();
                if sent >= end {
                    break;
                }
                let response = connection.ask(request).await?;
                let status = response.status;
                ensure!(allows(status, response.body), "not allowed: {status}");
                if sent >= start {
                    times.saturating_record(nanoseconds(sent.elapsed()));
                }
            }
            anyhow::Ok(times)
        });
    }
    let mut times = histogram()?;
    while let Some(own) = tasks.join_next().await {
        times.add(own??)?;
    }
    ensure!(!times.is_empty(), "nothing was answered in time");
    Ok(Seen {
        ns: time.as_nanos() as f64 / times.len() as f64,
        p50_ns: times.value_at_quantile(0.5) as f64,
        p99_ns: times.value_at_quantile(0.99) as f64,
    })
}

/// Up to a minute, in nanoseconds.
pub(super) fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000_000, 3)?)
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection that is used for one request after the other.
pub(super) struct Connection {
    stream: Box<dyn Stream>,
    received: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(to: &To) -> Result<Self> {
        let stream: Box<dyn Stream> = match to {
            To::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            To::Unix(path) => Box::new(UnixStream::connect(path).await?),
        };
        Ok(Self {
            stream,
            received: Vec::with_capacity(16 * 1024),
        })
    }

    /// Sends a request and waits for the whole response.
    pub(super) async fn ask(&mut self, request: &[u8]) -> Result<Response<'_>> {
        self.received.clear();
        self.stream.write_all(request).await?;
        loop {
            let length = self.stream.read_buf(&mut self.received).await?;
            ensure!(length > 0, "the server ended the connection");
            if let Some((status, end)) = parse(&self.received)? {
                let (head, body) = self.received.split_at(end);
                return Ok(Response { status, head, body });
            }
        }
    }
}

/// A response.
pub(super) struct Response<'c> {
    pub(super) status: u16,
    head: &'c [u8],
    pub(super) body: &'c [u8],
}

impl Response<'_> {
    /// The value of a header, if it is there and is text.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut headers);
        response.parse(self.head).ok()?;
        let header = headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))?;
        String::from_utf8(header.value.into()).ok()
    }
}

/// The status, and where the body begins, once the response is whole.
fn parse(bytes: &[u8]) -> Result<Option<(u16, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response.parse(bytes)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let mut body = 0;
    for header in response.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            body = str::from_utf8(header.value)?.trim().parse()?;
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            bail!("a response without a length");
        }
    }
    let status = response.code.context("a response has no status")?;
    Ok((bytes.len() >= head + body).then_some((status, head)))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_response_is_whole_when_its_length_is_there() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(parse(whole).unwrap(), Some((200, whole.len() - 3)));
        assert_eq!(parse(&whole[..whole.len() - 1]).unwrap(), None);
        assert_eq!(parse(b"HTTP/1.1 204 No Content\r\nDate: x").unwrap(), None);
        let empty = b"HTTP/1.1 204 No Content\r\n\r\n";
        assert_eq!(parse(empty).unwrap(), Some((204, empty.len())));
        assert!(parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }
}
