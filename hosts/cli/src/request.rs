//! The subject of a decision: a token alone, or a whole request.

use countersign_host::Connection;
use serde_json::Value;

use crate::place;

/// The subject of a decision.
#[derive(Debug)]
pub(crate) enum Subject {
    /// A token, and the requirements on it (`require` of a rule).
    Token(Vec<u8>, Option<Value>),
    /// A request, with its token where the policy reads it.
    Request(Request),
}

/// A request, owned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) authority: String,
    /// Origin form, query included.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) connection: Connection,
}

impl Request {
    /// `target` is in origin form, or a URL. `host` replaces the host of a URL.
    pub(crate) fn new(method: String, target: String, host: Option<String>) -> Self {
        let (authority, target) = split_authority(target);
        Self {
            method,
            authority: host.unwrap_or(authority),
            target,
            headers: Vec::new(),
            connection: Connection::default(),
        }
    }

    /// Adds a header.
    pub(crate) fn push(&mut self, name: &str, value: &[u8]) {
        self.headers
            .push((name.to_ascii_lowercase(), value.to_vec()));
    }

    /// Puts `token` into the first place from which `policy` reads tokens; beside
    /// a proof, into the first one of the scheme `DPoP`.
    pub(crate) fn add_token(&mut self, token: &[u8], policy: &Value) {
        let listed = policy.get("credentials").and_then(Value::as_array);
        let places = || listed.into_iter().flatten();
        let is_dpop = |place: &&Value| {
            let scheme = place.get("scheme").and_then(Value::as_str);
            scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("dpop"))
        };
        let has_proof = self.headers.iter().any(|(name, _)| name == "dpop");
        let place = places().find(|place| !has_proof || is_dpop(place));
        let place = place.or_else(|| places().next());
        self.put(token, &place.cloned().unwrap_or_default());
    }

    /// Puts `token` into `place`, which is as in `credentials` of a policy.
    pub(crate) fn put(&mut self, token: &[u8], place: &Value) {
        place::put(place, token, &mut self.target, &mut self.headers);
    }

    /// Calls `f` with the request as the host takes it.
    pub(crate) fn with<T>(&self, f: impl FnOnce(countersign_host::Request<'_>) -> T) -> T {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_slice()))
            .collect();
        f(countersign_host::Request {
            method: self.method.as_bytes(),
            authority: self.authority.as_bytes(),
            target: self.target.as_bytes(),
            headers: &headers,
            connection: self.connection,
        })
    }
}

/// `GET /assets/1`; a lone target means `GET`.
pub(crate) fn parse_line(line: &str) -> Result<(String, String), String> {
    match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        [target] => Ok(("GET".to_owned(), (*target).to_owned())),
        [method, target] => Ok(((*method).to_owned(), (*target).to_owned())),
        _ => Err(format!(
            "expected a method and a target such as `GET /assets/1`, not `{line}`"
        )),
    }
}

/// The host and the origin-form target of `https://host/path`.
fn split_authority(target: String) -> (String, String) {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| target.strip_prefix(scheme));
    match rest {
        None => (String::new(), target),
        Some(rest) => {
            let start = rest.find(['/', '?']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(start);
            let slash = if path.starts_with('/') { "" } else { "/" };
            (authority.to_owned(), format!("{slash}{path}"))
        }
    }
}
