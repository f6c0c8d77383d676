//! Listeners: connections become questions.

mod connections;
mod early;
mod local;
mod socket;
mod unix;

use std::{io, net::SocketAddr};

pub(crate) use connections::run;
pub(crate) use local::{Body, run as run_local};
use socket::Socket;

use crate::config::{Address, Config, ConfigError};

/// The mode of the administrator's socket: the server's own user.
const ADMIN_MODE: u32 = 0o600;

/// The open sockets of a server.
#[derive(Debug)]
pub struct Listener {
    pub(crate) ask: Socket,
    pub(crate) operations: Option<Socket>,
    pub(crate) admin: Option<Socket>,
}

impl Listener {
    /// Opens all sockets of a configuration.
    ///
    /// # Errors
    /// Every address that is in use, or that may not be used.
    pub async fn bind(config: &Config) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut kept = |address: String, opened: io::Result<Socket>| match opened {
            Ok(socket) => Some(socket),
            Err(error) => {
                let message = format!("it cannot listen there: {error}");
                problems.extend(ConfigError::of_file(address, "address_unusable", message).0);
                None
            }
        };
        let opened = Socket::bind(&config.listen, config.socket_mode).await;
        let ask = kept(config.listen.to_string(), opened);
        let mut operations = None;
        if let Some(address) = config.operations {
            let opened = Socket::bind(&Address::Tcp(address), 0).await;
            operations = kept(address.to_string(), opened);
        }
        let mut admin = None;
        if let Some(address) = &config.admin {
            let opened = Socket::bind(address, ADMIN_MODE).await;
            admin = kept(address.to_string(), opened);
        }
        match ask {
            Some(ask) if problems.is_empty() => Ok(Self {
                ask,
                operations,
                admin,
            }),
            _ => Err(ConfigError(problems)),
        }
    }

    /// Where proxies ask.
    ///
    /// # Errors
    /// The system does not say it.
    pub fn address(&self) -> io::Result<Address> {
        self.ask.address()
    }

    /// Where `/livez`, `/readyz` and `/metrics` are, if they are.
    pub fn operations(&self) -> Option<SocketAddr> {
        match self.operations.as_ref()?.address() {
            Ok(Address::Tcp(address)) => Some(address),
            _ => None,
        }
    }

    /// Where `POST /reload` and `GET /status` are, if they are.
    pub fn admin(&self) -> Option<Address> {
        self.admin.as_ref()?.address().ok()
    }
}
