//! A backend that answers with what it has received.

use std::{io, net::SocketAddr};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::{failure::Failure, output::Exit};

/// The largest head, and the largest body, that is read.
const MAX_BYTES: u64 = 1 << 20;

/// Answers until it is stopped.
pub(crate) async fn run(address: SocketAddr) -> Result<Exit, Failure> {
    let unusable = |error: io::Error| Failure::usage(format!("`{address}`: {error}"));
    let listener = TcpListener::bind(address).await.map_err(unusable)?;
    let address = listener.local_addr().map_err(unusable)?;
    anstream::println!(
        "http://{address} answers with what it has received, credentials too: only for tests"
    );
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            // A proxy that goes away is no error of this program.
            tokio::spawn(async move { answer(stream).await });
        }
    }
}

/// One request of one connection.
async fn answer(stream: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream).take(2 * MAX_BYTES);
    let start = line(&mut reader).await?;
    let headers = fields(&mut reader).await?;
    let value = |name: &str| {
        let mut all = headers.iter();
        let found = all.find(|(of, _)| of.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_ascii_lowercase())
    };
    let mut trailers = Vec::new();
    if value("transfer-encoding").is_some_and(|coding| coding.ends_with("chunked")) {
        loop {
            let size = line(&mut reader).await?;
            let size = size.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
            if size == 0 {
                break;
            }
            skip(&mut reader, size + 2).await?;
        }
        trailers = fields(&mut reader).await?;
    } else if let Some(length) = value("content-length") {
        let length = length.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        skip(&mut reader, length).await?;
    }
    let mut words = start.splitn(3, ' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let body = json!({
        "echo": true,
        "method": word(),
        "target": word(),
        "headers": headers,
        "trailers": trailers,
    });
    respond(
        reader.into_inner().get_mut(),
        &body,
        !start.starts_with("HEAD "),
    )
    .await
}

async fn respond(stream: &mut TcpStream, body: &Value, has_body: bool) -> io::Result<()> {
    let body = body.to_string();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         x-countersign-echo: 1\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    if has_body {
        stream.write_all(body.as_bytes()).await?;
    }
    stream.shutdown().await
}

type Reader = tokio::io::Take<BufReader<TcpStream>>;

async fn line(reader: &mut Reader) -> io::Result<String> {
    let mut bytes = Vec::new();
    if reader.read_until(b'\n', &mut bytes).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Names as they came, and values, to the empty line.
async fn fields(reader: &mut Reader) -> io::Result<Vec<(String, String)>> {
    let mut fields = Vec::new();
    loop {
        let line = line(reader).await?;
        match line.split_once(':') {
            Some((name, value)) => fields.push((name.to_owned(), value.trim().to_owned())),
            None if line.is_empty() => return Ok(fields),
            None => fields.push((line, String::new())),
        }
    }
}

async fn skip(reader: &mut Reader, length: u64) -> io::Result<()> {
    let mut rest = reader.take(length);
    tokio::io::copy(&mut rest, &mut tokio::io::sink()).await?;
    Ok(())
}
