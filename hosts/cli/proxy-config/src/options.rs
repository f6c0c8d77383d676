//! What the configuration depends on beside the policy.

use std::{fmt, str::FromStr};

use crate::server::ServerAddress;

/// What the configuration depends on beside the policy.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the decision server listens.
    pub server: ServerAddress,
    /// The policy's name in the server's configuration: letters, digits, `-`, `_` and `.`.
    pub policy_name: String,
    /// The backend, `HOST:PORT`, where the configuration has to name it.
    pub origin: ServerAddress,
    /// Where the proxy listens, where the configuration has to say it: `ADDRESS:PORT`.
    pub listen: ServerAddress,
    /// The file of HAProxy's action.
    pub action: String,
    /// The version of the proxy, if it is known: one that is too old is refused.
    pub version: Option<Version>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            server: ServerAddress::default(),
            policy_name: "default".to_owned(),
            origin: ServerAddress::Tcp("127.0.0.1:8080".to_owned()),
            listen: ServerAddress::Tcp("0.0.0.0:80".to_owned()),
            action: "/etc/haproxy/countersign.lua".to_owned(),
            version: None,
        }
    }
}

/// A version of a proxy: its numbers, of which missing ones are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub [u32; 3]);

impl FromStr for Version {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a version such as 1.26.3";
        let mut numbers = [0; 3];
        let text = text.strip_prefix('v').unwrap_or(text);
        let parts: Vec<_> = text.split('.').collect();
        if parts.len() > numbers.len() {
            return Err(EXPECTED);
        }
        for (number, part) in numbers.iter_mut().zip(parts) {
            *number = part.parse().map_err(|_| EXPECTED)?;
        }
        Ok(Self(numbers))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([major, minor, patch]) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}
