//! The proxies, by name.

use std::{fmt, str::FromStr};

/// A proxy, or a resource that configures one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Envoy with `ext_authz` over gRPC.
    EnvoyGrpc,
    /// Envoy with `ext_authz` over HTTP.
    EnvoyHttp,
    /// A `SecurityPolicy` of Envoy Gateway.
    EnvoyGateway,
    /// An `HTTPRoute` of the Gateway API with external authorization.
    GatewayApi,
    /// Resources of Istio.
    Istio,
    /// Caddy with `forward_auth`.
    Caddy,
    /// HAProxy: its configuration.
    Haproxy,
    /// HAProxy: the action in Lua that its configuration loads.
    HaproxyLua,
    /// nginx with `auth_request`.
    Nginx,
    /// Traefik with `ForwardAuth`.
    Traefik,
}

impl Kind {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Caddy,
        Self::EnvoyGrpc,
        Self::EnvoyHttp,
        Self::EnvoyGateway,
        Self::GatewayApi,
        Self::Haproxy,
        Self::HaproxyLua,
        Self::Istio,
        Self::Nginx,
        Self::Traefik,
    ];

    /// Its name in the command.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EnvoyGrpc => "envoy-grpc",
            Self::EnvoyHttp => "envoy-http",
            Self::EnvoyGateway => "envoy-gateway",
            Self::GatewayApi => "gateway-api",
            Self::Istio => "istio",
            Self::Caddy => "caddy",
            Self::Haproxy => "haproxy",
            Self::HaproxyLua => "haproxy-lua",
            Self::Nginx => "nginx",
            Self::Traefik => "traefik",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kind = Self::ALL.iter().find(|kind| kind.as_str() == text);
        kind.copied()
            .ok_or_else(|| format!("there is no proxy `{text}` here"))
    }
}
