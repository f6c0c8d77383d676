//! The clock.

use std::{
    fmt,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    time::SystemTime,
};

/// A source of the time in milliseconds since 1970; it may fail.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> Option<u64> + Send + Sync>);

impl Clock {
    pub(crate) fn new(clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(move || Some(clock())))
    }

    /// The system's clock. On a machine without a battery it may be before 1970,
    /// which is no valid time.
    pub(crate) fn system() -> Self {
        Self(Arc::new(|| {
            let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            u64::try_from(since_1970.ok()?.as_millis()).ok()
        }))
    }

    /// The time; `None` if the clock panics, so that a check ends in a denial and the
    /// background task continues.
    pub(crate) fn now_ms(&self) -> Option<u64> {
        panic::catch_unwind(AssertUnwindSafe(|| (self.0)())).unwrap_or(None)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
