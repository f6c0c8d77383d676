//! What a server answered to a fetch.

use countersign::Outcome;

use crate::{host::http, journal::Stored, request::Head};

pub(crate) struct Response {
    status: u16,
    cache_control: String,
    body: Vec<u8>,
}

impl Response {
    /// In the callback of its call only.
    pub(crate) fn take(size: usize) -> Option<Self> {
        let map = http::response_headers()?;
        let head = Head::parse(&map)?;
        let text = |name: &[u8]| {
            let values: Vec<&str> = head
                .values(name)
                .filter_map(|value| str::from_utf8(value).ok())
                .collect();
            values.join(", ")
        };
        Some(Self {
            status: text(b":status").parse().ok()?,
            cache_control: text(b"cache-control"),
            body: http::response_body(size)?,
        })
    }

    pub(crate) fn outcome(&self) -> Outcome<'_> {
        Outcome::Response {
            status: self.status,
            cache_control: &self.cache_control,
            body: (&self.body).into(),
        }
    }

    /// What the other workers get of it.
    pub(crate) fn store(&self) -> Option<Vec<u8>> {
        Stored {
            cache_control: &self.cache_control,
            body: &self.body,
        }
        .write()
    }
}
