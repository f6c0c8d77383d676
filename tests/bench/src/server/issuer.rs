//! An issuer: it publishes keys over HTTP.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Result;
use serde_json::Value;

/// How it answers now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Good,
    /// 503.
    Failing,
    /// HTML with status 200.
    Lying,
    /// Ends connections without a word.
    Silent,
}

/// What it publishes, and whoever wants to know that it was read.
#[derive(Clone)]
pub(super) struct Published {
    pub(super) keys: Value,
    pub(super) max_age_s: u32,
    pub(super) mood: Mood,
}

/// A running issuer, ended when this is dropped.
pub(super) struct Issuer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    published: Mutex<Published>,
    /// Whether the keys of now were sent once.
    read: AtomicBool,
    ended: AtomicBool,
}

impl Issuer {
    /// Starts it.
    pub(super) fn start(keys: Value) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let published = Published {
            keys,
            max_age_s: 600,
            mood: Mood::Good,
        };
        let shared = Arc::new(Shared {
            published: Mutex::new(published),
            read: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        });
        let of_thread = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if of_thread.ended.load(Ordering::SeqCst) {
                    return;
                }
                // A client that goes away is nobody's fault.
                let _ = of_thread.answer(stream);
            }
        });
        Ok(Self { address, shared })
    }

    pub(super) fn jwks_uri(&self) -> String {
        format!("http://{}/jwks.json", self.address)
    }

    /// Changes what it publishes.
    pub(super) fn publish(&self, change: impl FnOnce(&mut Published)) {
        let mut published = self
            .shared
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = published.keys.clone();
        change(&mut published);
        if published.keys != before {
            self.shared.read.store(false, Ordering::SeqCst);
        }
    }

    /// Whether somebody has read the keys of now.
    pub(super) fn was_read(&self) -> bool {
        self.shared.read.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) -> Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut request = Vec::new();
        let mut buffer = [0; 2048];
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut buffer)? {
                0 => return Ok(()),
                length => request.extend_from_slice(&buffer[..length]),
            }
        }
        // Held while it answers: keys that are published then were not sent before.
        let published = self
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (status, body) = match published.mood {
            Mood::Good => ("200 OK", published.keys.to_string()),
            Mood::Failing => ("503 Service Unavailable", String::new()),
            Mood::Lying => ("200 OK", "<html>sign in</html>".to_owned()),
            Mood::Silent => return Ok(()),
        };
        let (length, age) = (body.len(), published.max_age_s);
        write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
             cache-control: max-age={age}\r\nconnection: close\r\n\r\n{body}"
        )?;
        if published.mood == Mood::Good {
            self.read.store(true, Ordering::SeqCst);
        }
        Ok(())
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread.
        let _ = TcpStream::connect(self.address);
    }
}
