//! An HTTP/2 client that can send invalid requests, which libraries refuse.

use std::{io, net::SocketAddr};

use countersign_artefact_tests::stage::http2::Connection;

use crate::{http1::is_refusal, request::Request, run::Client};

/// A client with prior knowledge and without TLS, which keeps its connection
/// until the server closes it.
#[derive(Debug)]
pub struct Http2 {
    address: SocketAddr,
    connection: Option<Connection>,
}

impl Http2 {
    /// Makes a client, which connects for its first request.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            connection: None,
        }
    }

    fn exchange(&mut self, fields: &[(&str, &[u8])]) -> io::Result<Option<String>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.address)?,
        };
        let stream = connection.send(fields, true)?;
        let reply = connection.reply(stream)?;
        if connection.is_open() {
            self.connection = Some(connection);
        }
        let handler = reply.body.trim_end().strip_prefix("handler=");
        Ok(handler.map(str::to_owned))
    }
}

impl Client for Http2 {
    fn send(&mut self, request: &Request, token: Option<&str>) -> io::Result<Option<String>> {
        // A response to `HEAD` has no body.
        let method = match request.method {
            "HEAD" => "GET",
            method => method,
        };
        let mut fields: Vec<(&str, &[u8])> = vec![
            (":method", method.as_bytes()),
            (":scheme", b"http"),
            (":path", &request.target),
        ];
        let names = [":authority"].into_iter().chain(std::iter::repeat("host"));
        let hosts = request.hosts.iter().map(|host| host.as_bytes());
        fields.extend(names.zip(hosts));
        let others: Vec<_> = request
            .fields
            .iter()
            // RFC 9113 §8.2.2: connection-specific fields make a request malformed.
            .filter(|(name, _)| !matches!(*name, "Connection" | "Upgrade"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        fields.extend(
            others
                .iter()
                .map(|(name, value)| (&**name, value.as_bytes())),
        );
        let bearer = token.map(|token| format!("Bearer {token}"));
        fields.extend(
            bearer
                .iter()
                .map(|bearer| ("authorization", bearer.as_bytes())),
        );
        if self.connection.is_some()
            && let Ok(handler) = self.exchange(&fields)
        {
            return Ok(handler);
        }
        match self.exchange(&fields) {
            Err(error) if is_refusal(&error) => Ok(None),
            other => other,
        }
    }
}
