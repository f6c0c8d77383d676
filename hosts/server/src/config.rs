//! The server's configuration.

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf, str::FromStr};

use ipnet::IpNet;
use serde::Deserialize;

use crate::introspection::IntrospectionConfig;

/// What a server is started with: one YAML file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where proxies ask: `127.0.0.1:9191` or `unix:/run/countersign/gate.sock`.
    pub listen: Address,
    /// Addresses of the proxies that may ask over TCP. There is no default: whoever may
    /// ask may say which request it asks about.
    #[serde(default)]
    pub trusted_proxies: Vec<IpNet>,
    /// Policies by name. The name is part of the path at which proxies ask.
    pub policies: BTreeMap<String, PolicyFiles>,
    /// Which dialects answer. All others are not there.
    pub dialects: Vec<DialectName>,
    /// Services that may ask about tokens. Without it nobody may.
    #[serde(default)]
    pub introspection: Option<IntrospectionConfig>,
}

/// The files of one policy.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFiles {
    /// The policy: YAML, TOML or JSON.
    pub file: PathBuf,
}

/// A dialect, by its name in the configuration and in paths.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DialectName {
    /// Caddy's `forward_auth`, at `/caddy/{policy}`.
    Caddy,
    /// Envoy's `ext_authz` over HTTP, and all that speak it: `/envoy-http/{policy}` before
    /// the path of the request.
    EnvoyHttp,
    /// HAProxy's action that `countersign proxy-config haproxy` prints, at
    /// `/haproxy/{policy}`.
    Haproxy,
    /// nginx's `auth_request`, at `/nginx/{policy}`.
    Nginx,
    /// Traefik's `ForwardAuth`, at `/traefik/{policy}`.
    Traefik,
}

impl DialectName {
    /// Its name in paths.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caddy => "caddy",
            Self::EnvoyHttp => "envoy-http",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
            Self::Traefik => "traefik",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Caddy, Self::EnvoyHttp, Self::Haproxy, Self::Nginx, Self::Traefik].into_iter().find(|dialect| dialect.as_str() == name)
    }
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// An address and a port.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            Some(path) => Ok(Self::Unix(path.into())),
            None => text
                .parse()
                .map(Self::Tcp)
                .map_err(|_| "expected ADDRESS:PORT or unix:PATH".to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Why a configuration cannot be used: every problem.
#[derive(Debug)]
pub struct ConfigError(pub Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigError {}
