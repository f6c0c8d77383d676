//! A request as one piece of memory, which a check keeps while Python goes on.

use std::net::IpAddr;

use countersign_host::{Connection, Header, Request};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    pybacked::{PyBackedBytes, PyBackedStr},
    types::{PyBytes, PyString, PyTuple},
};

/// What the server knows about the connection: whether it is TLS, the hash of the
/// client's certificate, and the peer's address.
type Known = (Option<bool>, Option<PyBackedBytes>, Option<PyBackedStr>);

/// A request as Python says it: method, authority, target, headers, and what is
/// known about the connection.
pub(crate) type Parts<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Known,
);

/// Method, authority and target, then names and values of headers: all of them in
/// one buffer, and where each ends.
#[derive(Default)]
pub(crate) struct Owned {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    connection: Connection,
}

impl Owned {
    /// Copies a request. The headers are any iterable of pairs; an error that it
    /// raises is returned.
    pub(crate) fn read(
        (method, authority, target, headers, connection): &Parts<'_>,
    ) -> PyResult<Self> {
        let mut owned = Self {
            connection: known(connection),
            ..Self::default()
        };
        for part in [method, authority, target] {
            owned.add(part)?;
        }
        for header in headers.try_iter()? {
            let header = header?;
            let (name, value) = match header.cast::<PyTuple>() {
                Ok(pair) if pair.len() == 2 => (pair.get_item(0)?, pair.get_item(1)?),
                _ => header.extract()?,
            };
            let start = owned.bytes.len();
            owned.add(&name)?;
            owned.bytes[start..].make_ascii_lowercase();
            owned.add(&value)?;
        }
        Ok(owned)
    }

    fn add(&mut self, text: &Bound<'_, PyAny>) -> PyResult<()> {
        bytes(text, |bytes| self.bytes.extend_from_slice(bytes))?;
        self.ends.push(self.bytes.len());
        Ok(())
    }

    pub(crate) fn headers(&self) -> Vec<Header<'_>> {
        let count = self.ends.len() / 2;
        (1..count).map(|pair| self.pair(pair)).collect()
    }

    pub(crate) fn request<'a>(&'a self, headers: &'a [Header<'a>]) -> Request<'a> {
        Request {
            method: self.part(0),
            authority: self.part(1),
            target: self.part(2),
            headers,
            connection: self.connection,
        }
    }

    /// The first pair is authority and target, as three parts come before the
    /// headers.
    fn pair(&self, pair: usize) -> Header<'_> {
        (self.part(2 * pair + 1), self.part(2 * pair + 2))
    }

    fn part(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[index]]
    }
}

/// A hash of another length, and what is no address, such as the path of a socket,
/// are not known.
fn known((tls, certificate, peer): &Known) -> Connection {
    let hash = certificate.as_deref().map(TryInto::try_into);
    // Python says the zone of an address too (RFC 4007 §11).
    let address = peer.as_deref().and_then(|peer| peer.split('%').next());
    let address: Option<IpAddr> = address.and_then(|address| address.parse().ok());
    Connection {
        tls: *tls,
        certificate: hash.and_then(Result::ok),
        peer: address,
    }
}

/// The bytes of a `bytes`, or of a `str` in UTF-8. Bytes that Python has kept as
/// surrogates (PEP 383) are those bytes again.
pub(crate) fn bytes<T>(text: &Bound<'_, PyAny>, f: impl FnOnce(&[u8]) -> T) -> PyResult<T> {
    if let Ok(bytes) = text.cast::<PyBytes>() {
        return Ok(f(bytes.as_bytes()));
    }
    let Ok(text) = text.cast::<PyString>() else {
        return Err(PyTypeError::new_err("neither bytes nor str"));
    };
    if let Ok(text) = text.to_str() {
        return Ok(f(text.as_bytes()));
    }
    let encoded = text.call_method1("encode", ("utf-8", "surrogateescape"))?;
    Ok(f(encoded.cast::<PyBytes>()?.as_bytes()))
}
