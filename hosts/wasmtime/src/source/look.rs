//! Looking for a signed policy, and what was had from its source.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::task;

use super::{PolicySource, SourceStatus, found::Found, state};
use crate::{instance::open_signed, problem::OpenError};

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
