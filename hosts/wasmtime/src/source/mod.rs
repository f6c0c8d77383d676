//! Signed policies from a file or an address (`docs/signed-policies.md`).

mod found;
mod look;
mod place;
mod state;

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use crate::problem::{OpenError, Problem, Severity};
use place::Place;

pub(crate) use look::Source;

/// The default pause between two looks, and the shortest.
const POLL: Duration = Duration::from_secs(60);
const SHORTEST_POLL: Duration = Duration::from_secs(5);

type OnError = dyn Fn(&OpenError) + Send + Sync;

/// Where signed policies come from: for
/// [`GateBuilder::policy_from`](crate::GateBuilder::policy_from).
///
/// `trust` is a JSON text: a JWK Set of one or two Ed25519 keys with `kid`, the names
/// `policy` and `audience`, and optionally `min_version`. A policy is never put in
/// force after one of a higher version; over a restart that holds only with
/// [`Self::state_file`] or by `min_version`: without both, a signed policy that has not
/// expired can be put in force again, however old it is.
#[derive(Clone)]
pub struct PolicySource {
    place: Place,
    trust: Vec<u8>,
    poll: Duration,
    state_file: Option<PathBuf>,
    on_error: Option<Arc<OnError>>,
}

/// What a gate has had from its [`PolicySource`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceStatus {
    /// The version of the policy in force.
    pub version: u64,
    /// Milliseconds since 1970 from which on it could not be put in force again. It
    /// stays in force.
    pub expires_ms: u64,
    /// The key that has signed it.
    pub kid: String,
    /// When a look has last found a good policy, new or not, in milliseconds since
    /// 1970.
    pub last_success_ms: u64,
    /// Why the last look has found none; `None` if it has.
    pub last_error: Option<String>,
}

impl PolicySource {
    /// A file that another process replaces.
    pub fn file(path: impl Into<PathBuf>, trust: impl Into<Vec<u8>>) -> Self {
        Self::new(Place::File(path.into()), trust.into())
    }

    /// An `https` address. It is asked with `If-None-Match`; a redirect is not
    /// followed.
    #[cfg(feature = "https")]
    pub fn url(url: impl Into<String>, trust: impl Into<Vec<u8>>) -> Self {
        let place = Place::Url {
            url: url.into(),
            insecure_http: false,
        };
        Self::new(place, trust.into())
    }

    fn new(place: Place, trust: Vec<u8>) -> Self {
        Self {
            place,
            trust,
            poll: POLL,
            state_file: None,
            on_error: None,
        }
    }

    /// Allows `http` to this machine itself (`localhost`, `127.0.0.1`, `[::1]`).
    #[cfg(feature = "https")]
    #[must_use]
    pub fn insecure_http(mut self, allow: bool) -> Self {
        if let Place::Url { insecure_http, .. } = &mut self.place {
            *insecure_http = allow;
        }
        self
    }

    /// The pause between two looks (default: 60 s, at least 5 s).
    #[must_use]
    pub fn poll(mut self, pause: Duration) -> Self {
        self.poll = pause.max(SHORTEST_POLL);
        self
    }

    /// Keeps the highest version over a restart. It is written before a policy is put
    /// in force. Where it cannot be read, the gate does not open.
    #[must_use]
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_file = Some(path.into());
        self
    }

    /// Is called with why a look has found no good policy; it is in the log too.
    #[must_use]
    pub fn on_error(mut self, hook: impl Fn(&OpenError) + Send + Sync + 'static) -> Self {
        self.on_error = Some(Arc::new(hook));
        self
    }
}

fn problem(code: &str, message: &str) -> OpenError {
    OpenError::Policy(vec![Problem {
        pointer: String::new(),
        code: code.into(),
        message: message.into(),
        severity: Severity::Error,
    }])
}

impl fmt::Debug for PolicySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicySource")
            .field("place", &self.place)
            .field("poll", &self.poll)
            .field("state_file", &self.state_file)
            .finish_non_exhaustive()
    }
}
