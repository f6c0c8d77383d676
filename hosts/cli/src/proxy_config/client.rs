//! Raw requests to a proxy: what is sent is exactly these bytes.

use std::{io, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// As long as one response may take.
const LIMIT: Duration = Duration::from_secs(20);
/// As much of a response as is read.
const MAX_BYTES: usize = 1 << 20;

/// What has come back.
#[derive(Debug)]
pub(crate) struct Reply {
    /// 0 if there was no response.
    pub(crate) status: u16,
    /// What the backend has received, if it was reached.
    pub(crate) echo: Option<Value>,
}

/// Sends the bytes on a connection of their own, and reads until the other end closes it or
/// the response is whole.
///
/// # Errors
/// Nobody listens there.
pub(crate) async fn send(address: &str, bytes: &[u8]) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(address).await?;
    let mut received = Vec::new();
    // A proxy may close the connection before it has read all.
    let _ = stream.write_all(bytes).await;
    let mut buffer = [0; 8192];
    let read = async {
        while received.len() < MAX_BYTES && !is_whole(&received) {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(count) => received.extend_from_slice(&buffer[..count]),
            }
        }
    };
    let _ = timeout(LIMIT, read).await;
    Ok(reply(&received))
}

/// Whether there is a head, and as much body as it says.
fn is_whole(bytes: &[u8]) -> bool {
    let Some((head, body)) = split(bytes) else {
        return false;
    };
    let head = head.to_ascii_lowercase();
    let status = status(&head);
    if status / 100 == 1 || status == 204 || status == 304 {
        return true;
    }
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with(b"0\r\n\r\n");
    }
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length:"));
    length.is_some_and(|length| {
        length
            .trim()
            .parse()
            .is_ok_and(|length: usize| body.len() >= length)
    })
}

fn split(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    Some((head, &bytes[end + 4..]))
}

fn status(head: &str) -> u16 {
    let word = head.split(' ').nth(1).unwrap_or_default();
    word.get(..3)
        .and_then(|word| word.parse().ok())
        .unwrap_or(0)
}

fn reply(bytes: &[u8]) -> Reply {
    let Some((head, body)) = split(bytes) else {
        return Reply {
            status: 0,
            echo: None,
        };
    };
    // Whatever the proxy makes of the framing: the document is between the first brace and
    // the last one.
    let begins = body.iter().position(|byte| *byte == b'{');
    let ends = body.iter().rposition(|byte| *byte == b'}');
    let document = match (begins, ends) {
        (Some(begins), Some(ends)) if begins < ends => {
            serde_json::from_slice(&body[begins..=ends]).ok()
        }
        _ => None,
    };
    let is_echo = |document: &Value| document["echo"] == true;
    let echo: Option<Value> = document.filter(is_echo);
    // The backend was reached, also where its body was left out.
    let was_reached = head.to_ascii_lowercase().contains("\nx-countersign-echo:");
    Reply {
        status: status(&head),
        echo: echo.or_else(|| was_reached.then_some(Value::Null)),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_whole, reply};

    #[test]
    fn a_response_is_whole_when_its_body_is() {
        assert!(!is_whole(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nh"));
        assert!(is_whole(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"));
        assert!(!is_whole(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"
        ));
        assert!(is_whole(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
        ));
        assert!(is_whole(b"HTTP/1.1 204 No Content\r\n\r\n"));
    }

    #[test]
    fn only_the_echo_s_own_document_counts() {
        let denial = reply(b"HTTP/1.1 401 U\r\n\r\n{\"code\":\"token_missing\"}");
        assert!(denial.status == 401 && denial.echo.is_none());
        let echo = reply(b"HTTP/1.1 200 OK\r\n\r\n10\r\n{\"echo\":true}\r\n0\r\n\r\n");
        assert!(echo.echo.is_some());
        let head = reply(b"HTTP/1.1 200 OK\r\nX-Countersign-Echo: 1\r\n\r\n");
        assert!(head.echo.is_some());
    }
}
