//! What must not happen while the process forks or ends.
//!
//! Threads of this library do not live on in a forked process, and what they had
//! locked stays locked there. So a fork waits until no gate is being opened and
//! nothing is said to Python from such a thread, and a new process opens its gates
//! anew. When Python ends, nothing is said to it any more.

use std::{
    cell::RefCell,
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use pyo3::prelude::*;

/// Held by threads that open a gate. It is taken before [`SPEAKING`].
static OPENING: RwLock<()> = RwLock::new(());

/// Held by threads of this library that call Python.
static SPEAKING: RwLock<()> = RwLock::new(());

static ENDED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Those of a fork in progress.
    static HELD: RefCell<Vec<RwLockWriteGuard<'static, ()>>> = const { RefCell::new(Vec::new()) };
}

/// No fork until this is dropped.
pub(crate) fn no_fork() -> RwLockReadGuard<'static, ()> {
    OPENING.read().unwrap_or_else(PoisonError::into_inner)
}

/// Calls Python from a thread of this library, unless Python has ended.
pub(crate) fn speak(f: impl FnOnce(Python<'_>)) {
    let _speaking = SPEAKING.read().unwrap_or_else(PoisonError::into_inner);
    if !ENDED.load(Ordering::Acquire) {
        Python::try_attach(f);
    }
}

/// Waits until the process may fork, and holds it so.
#[pyfunction]
pub(crate) fn before_fork(py: Python<'_>) {
    py.detach(|| {
        let locks = [&OPENING, &SPEAKING];
        let held = locks.map(|lock| lock.write().unwrap_or_else(PoisonError::into_inner));
        HELD.with_borrow_mut(|all| all.extend(held));
    });
}

/// Goes on, in both processes.
#[pyfunction]
pub(crate) fn after_fork() {
    HELD.with_borrow_mut(Vec::clear);
}

/// Python ends: waits for those that call it, and lets nobody else.
#[pyfunction]
pub(crate) fn end(py: Python<'_>) {
    ENDED.store(true, Ordering::Release);
    py.detach(|| drop(SPEAKING.write()));
}
