//! The address of the bridge, which is `iss` of its tokens.

use std::{fmt, net::IpAddr, str::FromStr};

use url::{Host, Url};

/// The issuer: an origin, written without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerUrl(String);

impl IssuerUrl {
    /// As in `iss`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of one of its paths, which begins with `/`.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Whether it is one for development: plain http on this machine.
    pub fn is_http(&self) -> bool {
        self.0.starts_with("http://")
    }
}

impl FromStr for IssuerUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| "expected an `https` address")?;
        match url.scheme() {
            "https" => {}
            "http" if is_this_machine(&url) => {}
            _ => return Err("expected an `https` address; `http` is for this machine itself"),
        }
        // Compared byte by byte by every gate: one spelling.
        if url.origin().ascii_serialization() != text {
            return Err(
                "expected scheme and host in lower case, and nothing after them: no path, no \
                 slash at the end, no default port",
            );
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}
