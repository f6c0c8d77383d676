//! The names of dialects.

use std::str::FromStr;

/// A dialect, by its name in the configuration and in paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DialectName {
    /// Caddy's `forward_auth`, at `/caddy/{policy}`.
    Caddy,
    /// Envoy's `ext_authz` over gRPC. Its path is that of the gRPC service; the proxy names
    /// the policy in `context_extensions`.
    EnvoyGrpc,
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
    const ALL: [Self; 6] = [
        Self::Caddy,
        Self::EnvoyGrpc,
        Self::EnvoyHttp,
        Self::Haproxy,
        Self::Nginx,
        Self::Traefik,
    ];

    /// Its name in the configuration and in paths.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caddy => "caddy",
            Self::EnvoyGrpc => "envoy-grpc",
            Self::EnvoyHttp => "envoy-http",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
            Self::Traefik => "traefik",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.as_str() == name)
    }
}

impl FromStr for DialectName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::parse(name).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join("`, `");
            format!("expected one of `{names}`")
        })
    }
}
