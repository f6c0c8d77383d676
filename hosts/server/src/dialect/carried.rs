//! Headers by which a proxy says the parts of a request.

use countersign_host::Header;
use http::HeaderMap;

use super::Ambiguous;

/// The headers of a question, of which some carry parts of the request that it is
/// about.
pub(crate) struct Carried<'a> {
    headers: &'a HeaderMap,
    /// In lower case.
    carriers: &'static [&'static str],
}

impl<'a> Carried<'a> {
    pub(crate) fn new(headers: &'a HeaderMap, carriers: &'static [&'static str]) -> Self {
        Self { headers, carriers }
    }

    /// The one value of this carrier, if there is one. Two of them, also as an alias
    /// (`x_a` for `x-a`), mean that the client has sent one of them.
    pub(crate) fn one(&self, carrier: &str) -> Result<Option<&'a [u8]>, Ambiguous> {
        let mut values = self
            .headers
            .iter()
            .filter(|(name, _)| is_same(name.as_str(), carrier));
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some((name, value)), None) if name.as_str() == carrier => Ok(Some(value.as_bytes())),
            _ => Err(Ambiguous),
        }
    }

    /// The same, where there has to be one.
    pub(crate) fn required(&self, carrier: &str) -> Result<&'a [u8], Ambiguous> {
        self.one(carrier)?.ok_or(Ambiguous)
    }

    /// All other headers: those of the request itself. `host` is not among them, as it is
    /// that of this server.
    pub(crate) fn others(&self) -> Vec<Header<'a>> {
        let is_carrier = |name: &str| {
            name == "host" || self.carriers.iter().any(|carrier| is_same(name, carrier))
        };
        let others = self
            .headers
            .iter()
            .filter(|(name, _)| !is_carrier(name.as_str()));
        others
            .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
            .collect()
    }
}

/// Whether a name is that of the carrier, with `_` read as `-`.
pub(crate) fn is_same(name: &str, carrier: &str) -> bool {
    let plain = name
        .bytes()
        .map(|byte| if byte == b'_' { b'-' } else { byte });
    plain.eq(carrier.bytes())
}
