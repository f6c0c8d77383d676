//! Where the decision server is.

use std::{fmt, str::FromStr};

/// The address of the decision server, as a proxy's configuration has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerAddress {
    /// `HOST:PORT`, a name or an address.
    Tcp(String),
    /// The path of a Unix socket.
    Unix(String),
}

impl Default for ServerAddress {
    fn default() -> Self {
        Self::Tcp("127.0.0.1:9191".to_owned())
    }
}

impl FromStr for ServerAddress {
    type Err = &'static str;

    /// # Errors
    /// It is neither `HOST:PORT` nor `unix:PATH`, or has characters that stand in
    /// neither: it is copied into configurations.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected HOST:PORT or unix:/PATH";
        if let Some(path) = text.strip_prefix("unix:") {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
            let is_good = path.starts_with('/') && path.bytes().all(is_plain);
            return if is_good {
                Ok(Self::Unix(path.to_owned()))
            } else {
                Err(EXPECTED)
            };
        }
        let (host, port) = text.rsplit_once(':').ok_or(EXPECTED)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-[]:".contains(&byte);
        let is_good = !host.is_empty() && host.bytes().all(is_plain) && port.parse::<u16>().is_ok();
        if is_good {
            Ok(Self::Tcp(text.to_owned()))
        } else {
            Err(EXPECTED)
        }
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Unix(path) => write!(f, "unix:{path}"),
        }
    }
}
