//! Signed policies from a file or an address (`docs/signed-policies.md`).

mod place;
mod state;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::task;

use crate::{
    instance::{SignedPolicy, open_signed},
    problem::{OpenError, Problem, Severity},
};
use place::Place;

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

/// A source, and what was had from it.
pub(crate) struct Source {
    from: PolicySource,
    known: Mutex<Known>,
    status: Mutex<SourceStatus>,
}

#[derive(Clone, Default)]
struct Known {
    /// The lowest version that may be put in force.
    min_version: u64,
    /// The text in force.
    in_force: Arc<[u8]>,
    /// The text that was had last, and its `ETag`.
    last: Arc<[u8]>,
    etag: Option<String>,
}

/// A good policy that is not in force yet.
pub(crate) struct Found {
    signed: SignedPolicy,
    text: Arc<[u8]>,
    now_ms: u64,
}

impl Source {
    /// # Errors
    /// The state file is there and cannot be read.
    pub(crate) fn open(from: PolicySource) -> Result<Self, OpenError> {
        let mut known = Known::default();
        if let Some(path) = &from.state_file {
            known.min_version = state::read(path)?;
        }
        Ok(Self {
            from,
            known: Mutex::new(known),
            status: Mutex::default(),
        })
    }

    pub(crate) fn poll(&self) -> Duration {
        self.from.poll
    }

    /// Looks for a policy; `None` if the one in force is still there.
    pub(crate) async fn look(&self, now_ms: u64) -> Result<Option<Found>, OpenError> {
        let known = self.known().clone();
        let last = Some(known.last).filter(|last| !last.is_empty());
        let had = self.from.place.read(known.etag.as_deref(), last).await?;
        let text = had.text.clone();
        {
            let mut known = self.known();
            (known.last, known.etag) = (had.text, had.etag);
        }
        let trust = with_min_version(&self.from.trust, known.min_version);
        let signed = task::spawn_blocking({
            let text = text.clone();
            move || open_signed(&text, &trust, now_ms)
        });
        let signed = signed
            .await
            .map_err(|error| OpenError::Module(error.to_string()))?
            .map_err(|problem| OpenError::Policy(vec![problem]))?;
        if text == known.in_force {
            self.succeeded(now_ms);
            return Ok(None);
        }
        Ok(Some(Found {
            signed,
            text,
            now_ms,
        }))
    }

    /// Remembers the version, before the policy is put in force.
    pub(crate) async fn keep(&self, version: u64) -> Result<(), OpenError> {
        if let Some(path) = self.from.state_file.clone() {
            task::spawn_blocking(move || state::write(&path, version))
                .await
                .unwrap_or_else(|error| Err(OpenError::Module(error.to_string())))?;
        }
        self.known().min_version = version;
        Ok(())
    }

    pub(crate) fn put_in_force(&self, found: Found) {
        self.known().in_force = found.text;
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        *status = SourceStatus {
            version: found.signed.version,
            expires_ms: found.signed.expires_ms,
            kid: found.signed.kid,
            last_success_ms: found.now_ms,
            last_error: None,
        };
    }

    fn succeeded(&self, now_ms: u64) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.last_success_ms = now_ms;
        status.last_error = None;
    }

    pub(crate) fn failed(&self, error: &OpenError) {
        tracing::error!(%error, "the policy in force stays");
        {
            let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
            status.last_error = Some(error.to_string());
        }
        if let Some(hook) = &self.from.on_error {
            hook(error);
        }
    }

    pub(crate) fn status(&self) -> SourceStatus {
        let status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found {
    pub(crate) fn version(&self) -> u64 {
        self.signed.version
    }

    /// The policy as JSON.
    pub(crate) fn json(&self) -> Result<Vec<u8>, OpenError> {
        let policy = &self.signed.policy;
        if policy.trim_ascii_start().starts_with(b"{") {
            return Ok(policy.clone());
        }
        from_yaml(policy)
    }
}

#[cfg(feature = "yaml")]
fn from_yaml(policy: &[u8]) -> Result<Vec<u8>, OpenError> {
    let text =
        std::str::from_utf8(policy).map_err(|error| problem("yaml_invalid", &error.to_string()))?;
    let yaml = crate::yaml::Yaml::parse(text)
        .map_err(|error| problem("yaml_invalid", &error.to_string()))?;
    Ok(yaml.json.into())
}

#[cfg(not(feature = "yaml"))]
fn from_yaml(_: &[u8]) -> Result<Vec<u8>, OpenError> {
    let message = "the signed policy is YAML: this needs the feature `yaml`";
    Err(problem("yaml_invalid", message))
}

/// The trust with the higher of two lowest versions. What is no object is refused by
/// the module.
fn with_min_version(trust: &[u8], version: u64) -> Vec<u8> {
    let Ok(serde_json::Value::Object(mut object)) = serde_json::from_slice(trust) else {
        return trust.into();
    };
    match object.get("min_version") {
        None => {}
        Some(given) if given.as_u64().is_some_and(|given| given < version) => {}
        // It is higher, or none: then the module says so.
        Some(_) => return trust.into(),
    }
    object.insert("min_version".into(), version.into());
    serde_json::Value::Object(object).to_string().into()
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
