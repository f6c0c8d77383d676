//! Converts values of the canonical ABI to the gate's types, without copying.

use crate::bindings::exports::countersign::gate::gate as wit;
use countersign::{Algorithm, Connection, Header, Native, Outcome, Request, Verification};

pub(crate) fn headers(request: &wit::Request) -> Vec<Header<'_>> {
    request
        .headers
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()))
        .collect()
}

pub(crate) fn request<'a>(request: &'a wit::Request, headers: &'a [Header<'a>]) -> Request<'a> {
    Request {
        method: &request.method,
        authority: &request.authority,
        target: &request.target,
        headers,
        connection: Connection {
            scheme: &request.connection.scheme,
            certificate: &request.connection.certificate,
            peer: &request.connection.peer,
        },
    }
}

/// Algorithms that this module does not know are left out.
pub(crate) fn native(native: wit::Native) -> Native {
    let names = native.algorithms.iter();
    Native {
        fips: native.fips,
        algorithms: names
            .filter_map(|name| Algorithm::from_name(name))
            .collect(),
    }
}

pub(crate) fn verification(answer: wit::Verification) -> Verification {
    match answer {
        wit::Verification::Valid => Verification::Valid,
        wit::Verification::Invalid => Verification::Invalid,
        wit::Verification::Failed => Verification::Failed,
    }
}

pub(crate) fn outcome(outcome: &mut wit::Outcome) -> Outcome<'_> {
    match outcome {
        wit::Outcome::Response(response) => Outcome::Response {
            status: response.status,
            cache_control: &response.cache_control,
            length: usize::try_from(response.length).unwrap_or(usize::MAX),
            body: std::mem::take(&mut response.body).into(),
        },
        wit::Outcome::Failed => Outcome::Failed,
    }
}
