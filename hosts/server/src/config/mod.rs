//! The server's configuration.

mod address;
mod dialect;
mod fact;
mod introspection;
mod limits;
mod parse;
mod read;

use std::{collections::BTreeMap, error, fmt, net::SocketAddr, path::PathBuf};

use countersign_host::Signatures;
use countersign_policy_source::{Position, Problem};
use ipnet::IpNet;

pub use address::Address;
pub use dialect::DialectName;
pub use fact::Fact;
pub(crate) use introspection::is_plain;
pub use introspection::{Introspection, IntrospectionClient, IntrospectionCredentials};
pub use limits::Limits;
pub(crate) use limits::STRANGERS;

/// The JSON Schema of the configuration, for editors.
pub const CONFIG_SCHEMA: &str = include_str!("schema.json");

/// What a server is started with: [`Config::parse`] reads it from one YAML file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where proxies ask: `127.0.0.1:9191` or `unix:/run/countersign/gate.sock`.
    pub listen: Address,
    /// The mode of Unix sockets at which proxies ask.
    pub socket_mode: u32,
    /// TLS on the listener.
    pub tls: Option<Tls>,
    /// Addresses of the proxies that may ask over TCP. There is no default: whoever may
    /// ask may say which request it asks about. `None` only with [`Tls::client_ca`]:
    /// then the certificate alone says who may ask.
    pub trusted_proxies: Option<Vec<IpNet>>,
    /// Policies by name. The name is part of the path at which proxies ask.
    pub policies: BTreeMap<String, PolicyFiles>,
    /// Which dialects answer. All others are not there.
    pub dialects: Vec<DialectName>,
    /// What Envoy gets as dynamic metadata about each decision (`envoy-grpc`).
    pub dynamic_metadata: Vec<Fact>,
    /// Services that may ask about tokens. Without it nobody may.
    pub introspection: Option<Introspection>,
    /// Secrets that policies name by `secret_from`.
    pub secrets: BTreeMap<String, Secret>,
    /// With it, events of verified tokens have `subject_ref`.
    pub subject_key: Option<Secret>,
    /// The decision log.
    pub decision_log: Option<DecisionLogTo>,
    /// Where `/livez`, `/readyz` and `/metrics` are.
    pub operations: Option<SocketAddr>,
    /// Where `POST /reload` and `GET /status` are.
    pub admin: Option<Address>,
    /// Who verifies signatures.
    pub signatures: Signatures,
    /// Limits.
    pub limits: Limits,
}

/// Files of the listener's TLS, in PEM.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tls {
    /// The certificate, and those that lead to its issuer.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Certificates of the issuers of proxies. With it, a connection without a
    /// certificate of one of them is refused.
    pub client_ca: Option<PathBuf>,
}

/// Where one policy comes from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PolicyFiles {
    /// The policy.
    pub policy: PolicyFrom,
    /// A candidate, which is asked too and changes nothing.
    pub shadow: Option<PathBuf>,
}

/// Where a policy comes from.
#[derive(Clone, Debug)]
pub enum PolicyFrom {
    /// A file: YAML, TOML or JSON.
    File(PathBuf),
    /// Signed policies.
    Signed(Signed),
}

/// Where signed policies come from (`docs/signed-policies.md`).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Signed {
    /// Their place.
    pub from: SignedFrom,
    /// The file of the keys that are trusted.
    pub trust: PathBuf,
    /// Keeps the highest version over a restart.
    pub state_file: Option<PathBuf>,
}

/// The place of signed policies.
#[derive(Clone, PartialEq, Eq)]
pub enum SignedFrom {
    /// A file that another program replaces.
    File(PathBuf),
    /// An `https` address.
    Url(String),
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// A file, without the newline at its end.
    File(PathBuf),
    /// A variable of the environment.
    Env(String),
}

/// The decision log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecisionLogTo {
    /// The file; `None` is the standard output.
    pub file: Option<PathBuf>,
    /// Of as many allowed requests one is logged; 0: none.
    pub allow_every: u64,
}

/// An address can hold a key in its query.
impl fmt::Debug for SignedFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.fmt(f),
            Self::Url(url) => url.split('?').next().fmt(f),
        }
    }
}

/// Why a configuration cannot be used: every problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Problem>);

impl ConfigError {
    /// One problem of a file as a whole.
    pub(crate) fn of_file(file: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self(vec![Problem {
            file: file.into(),
            pointer: String::new(),
            position: None,
            code: code.to_owned(),
            message: message.into(),
            is_error: true,
        }])
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&problem.file)?;
            if let Some(Position { line, column }) = problem.position {
                write!(f, ":{line}:{column}")?;
            }
            if !problem.pointer.is_empty() {
                write!(f, ": {}", problem.pointer)?;
            }
            write!(f, ": {} ({})", problem.message, problem.code)?;
        }
        Ok(())
    }
}

impl error::Error for ConfigError {}
