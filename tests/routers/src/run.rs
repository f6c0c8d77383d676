//! Sends many requests to one router.

use std::{collections::BTreeMap, io};

use anyhow::{Result, ensure};
use fastrand::Rng;

use crate::{
    backend::Backend,
    http1::Http1,
    http2::Http2,
    request::{self, Request},
    routes::{ROUTES, Route, token},
};

/// A client that sends requests byte by byte.
pub trait Client {
    /// Returns the name of the handler that has answered, if any.
    ///
    /// # Errors
    /// The socket fails, or the response is invalid.
    fn send(&mut self, request: &Request, token: Option<&str>) -> io::Result<Option<String>>;
}

/// The handlers that answered, and the slips.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The number of responses of each handler.
    pub ran: BTreeMap<String, usize>,
    /// Requests that a handler answered although their token is not for it.
    pub slips: Vec<String>,
}

/// Sends `count` random requests. The same seed gives the same requests.
///
/// # Errors
/// The router does not start, or it ends; or no request reached a handler, so
/// that the run has not tested it.
pub fn run(backend: &Backend, count: usize, seed: u64) -> Result<Outcome> {
    let running = backend.start()?;
    let address = running.address;
    let mut client: Box<dyn Client> = match backend.is_http2 {
        true => Box::new(Http2::new(address)),
        false => Box::new(Http1::new(address)),
    };
    let tokens = ROUTES.map(|route| (route.name, token(route.name)));
    let token = |scope: &str| {
        tokens
            .iter()
            .find(|(name, _)| *name == scope)
            .map(|(_, token)| &**token)
    };
    let mut random = Rng::with_seed(seed);
    let mut outcome = Outcome::default();
    for number in 0..count {
        let mut request = request::random(&mut random);
        request::mutate_as(&mut random, &backend.own, &mut request);
        let answered = client.send(&request, request.scope.and_then(token));
        let answered = answered.map_err(|error| anyhow::anyhow!("{error}: {request}"))?;
        let Some(handler) = answered else { continue };
        if !request.may_reach(&handler) {
            outcome
                .slips
                .push(format!("{number}: handler {handler} ran for {request}"));
        }
        *outcome.ran.entry(handler).or_default() += 1;
    }
    for Route { name, .. } in ROUTES
        .iter()
        .filter(|route| !backend.without.contains(&route.name))
    {
        ensure!(
            outcome.ran.contains_key(*name),
            "handler `{name}` never ran: {:?}",
            outcome.ran
        );
    }
    Ok(outcome)
}
