//! What time it is.

use std::{
    fmt,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    time::SystemTime,
};

/// Tells the time in milliseconds since 1970, or that it cannot.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> Option<u64> + Send + Sync>);

impl Clock {
    pub(crate) fn new(clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(move || Some(clock())))
    }

    /// The system's, which may stand before 1970 on a machine without a
    /// battery: that is no time to judge a token by.
    pub(crate) fn system() -> Self {
        Self(Arc::new(|| {
            let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            u64::try_from(since_1970.ok()?.as_millis()).ok()
        }))
    }

    /// None of a clock that panics too: a check has to end in a denial, and the
    /// background must go on.
    pub(crate) fn now_ms(&self) -> Option<u64> {
        panic::catch_unwind(AssertUnwindSafe(|| (self.0)())).unwrap_or(None)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
