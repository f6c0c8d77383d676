//! A decision that waits for something, for asyncio.

use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use countersign_host::Decision;
use pyo3::{prelude::*, types::PyTuple};
use tokio::task::AbortHandle;

use crate::{decision::decision, gate::Core, process::speak};

pub(crate) type Deciding = Pin<Box<dyn Future<Output = Decision> + Send>>;

/// A decision that was begun and waits. It goes on when it is started.
#[pyclass(frozen)]
pub(crate) struct Pending {
    /// The gate stays open meanwhile.
    core: Py<Core>,
    deciding: Mutex<Option<Deciding>>,
    abort: Mutex<Option<AbortHandle>>,
}

impl Pending {
    pub(crate) fn new(core: Py<Core>, deciding: Deciding) -> Self {
        Self {
            core,
            deciding: Mutex::new(Some(deciding)),
            abort: Mutex::new(None),
        }
    }
}

#[pymethods]
impl Pending {
    /// Goes on in the background, and calls back from another thread with the
    /// decision. It is called once at most.
    fn start(&self, callback: Py<PyAny>) {
        let deciding = lock(&self.deciding).take();
        let Some(deciding) = deciding else { return };
        let task = self.core.get().spawn(async move {
            let decided = deciding.await;
            speak(|py| {
                // It raises where the event loop is closed: nobody waits any more.
                let _ = decision(py, &decided).and_then(|decided| callback.call1(py, (decided,)));
            });
        });
        *lock(&self.abort) = task;
    }

    /// Nobody waits for it any more.
    fn cancel(&self) {
        if let Some(task) = lock(&self.abort).take() {
            task.abort();
        }
    }
}

/// The decision, if it needs nothing; most need nothing.
pub(crate) fn at_once(deciding: &mut Deciding) -> Option<Decision> {
    let mut context = Context::from_waker(Waker::noop());
    match deciding.as_mut().poll(&mut context) {
        Poll::Ready(decision) => Some(decision),
        Poll::Pending => None,
    }
}

/// A decision as Python gets it.
pub(crate) type Tuple<'py> = Bound<'py, PyTuple>;

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
