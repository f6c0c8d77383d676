//! Who runs where: what is measured has one core, and what makes the load another.

use std::{
    io,
    process::{Child, Command},
    thread,
};

use anyhow::{Context, Result};

/// The core of what is measured.
pub(super) const MEASURED: usize = 0;

/// The core of the load.
pub(super) const LOAD: usize = 1;

/// Starts a program on one core. It counts that as all there are.
pub(super) fn spawn_on(core: usize, command: &mut Command) -> Result<Child> {
    // A new process has the affinity of the thread that starts it.
    let spawned = on(core, || command.spawn())?;
    spawned.with_context(|| format!("{command:?} does not start"))
}

/// Does this on one core.
pub(super) fn on<T: Send>(core: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    thread::scope(|scope| {
        let thread = scope.spawn(move || {
            pin(core)?;
            Ok(work())
        });
        thread.join().expect("the work does not panic")
    })
}

#[cfg(target_os = "linux")]
fn pin(core: usize) -> io::Result<()> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let ours = sched_getaffinity(None)?;
    // A machine with one core has one for both: a ratio still means something.
    if !ours.is_set(core) {
        return Ok(());
    }
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

#[cfg(not(target_os = "linux"))]
fn pin(_: usize) -> io::Result<()> {
    Ok(())
}
