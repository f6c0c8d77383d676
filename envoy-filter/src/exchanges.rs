//! Requests that decisions need, such as introspection. This worker sends them, and
//! gives the responses to its gate.

use std::sync::Arc;

use countersign::{Gate, Outcome, Outgoing};

use crate::{config::Settings, fetch, response::Response};

/// The requests that are in flight: the gate limits how many it opens.
#[derive(Default)]
pub(crate) struct Exchanges {
    in_flight: Vec<Exchange>,
    /// Tickets with a response since the last call of [`Self::take_ended`].
    ended: Vec<u64>,
}

struct Exchange {
    call: u32,
    ticket: u64,
    issuer: Arc<str>,
    uri: Arc<str>,
    max_bytes: u32,
}

impl Exchanges {
    /// Sends a request, unless it is in flight. Returns whether it has ended
    /// already, because Envoy cannot send it.
    pub(crate) fn send(
        &mut self,
        gate: &mut Gate,
        settings: &Settings,
        request: &Outgoing,
        now_ms: u64,
    ) -> bool {
        let ticket = request.ticket;
        if self.in_flight.iter().any(|known| known.ticket == ticket) {
            return false;
        }
        match call(settings, request) {
            Ok(call) => {
                self.in_flight.push(Exchange {
                    call,
                    ticket,
                    issuer: Arc::clone(&request.issuer),
                    uri: Arc::clone(&request.uri),
                    max_bytes: request.max_bytes,
                });
                false
            }
            Err(reason) => {
                log(&request.issuer, &request.uri, &reason);
                gate.respond(ticket, Outcome::Failed, now_ms);
                true
            }
        }
    }

    /// Handles the end of a call. `size` is the size of the body; `None` means that
    /// there was no response.
    pub(crate) fn ended(&mut self, gate: &mut Gate, call: u32, size: Option<usize>, now_ms: u64) {
        let Some(place) = self.in_flight.iter().position(|known| known.call == call) else {
            return;
        };
        let exchange = self.in_flight.swap_remove(place);
        let is_small =
            |size: &usize| u32::try_from(*size).is_ok_and(|size| size <= exchange.max_bytes);
        let response = match size {
            None => Err("there was no answer"),
            Some(size) if is_small(&size) => {
                Response::take(size).ok_or("its answer could not be read")
            }
            Some(_) => Err("its answer is too large"),
        };
        let refused = match response {
            Ok(response) => {
                let outcome = Outcome::Response {
                    status: response.status,
                    cache_control: &response.cache_control,
                    length: response.body.len(),
                    body: response.body.into(),
                };
                gate.respond(exchange.ticket, outcome, now_ms)
                    .map(|problem| problem.message)
            }
            Err(reason) => {
                gate.respond(exchange.ticket, Outcome::Failed, now_ms);
                Some(reason.to_owned())
            }
        };
        if let Some(reason) = refused {
            log(&exchange.issuer, &exchange.uri, &reason);
        }
        self.ended.push(exchange.ticket);
    }

    /// Returns and clears the tickets of the requests that have ended.
    pub(crate) fn take_ended(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.ended)
    }

    pub(crate) fn has_ended(&self) -> bool {
        !self.ended.is_empty()
    }
}

fn call(settings: &Settings, request: &Outgoing) -> Result<u32, String> {
    let cluster = settings.clusters.of_uri(&request.uri);
    let timeout_ms = request.timeout_ms.min(settings.fetch_timeout_ms);
    let asked = fetch::Call {
        method: request.method,
        headers: &request.headers,
        body: &request.body,
        timeout_ms,
    };
    fetch::send(&request.uri, cluster.as_ref(), &asked)
}

fn log(issuer: &str, uri: &str, reason: &str) {
    fetch::log("the request to", issuer, uri, reason);
}
