//! Who runs where: what is measured has one core, and what makes the load another.

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread,
};

use anyhow::{Context, Result, ensure};

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

/// Binds this thread to a core, if the machine has it: with one core for both, a ratio
/// still means something.
fn pin(core: usize) -> Result<()> {
    let cores = thread::available_parallelism()?.get();
    if core >= cores || !cfg!(target_os = "linux") {
        return Ok(());
    }
    let thread = fs::read_link("/proc/thread-self")?;
    let thread = thread.file_name().context("this thread has no number")?;
    let mut command = Command::new("taskset");
    command
        .args(["--pid", "--cpu-list", &core.to_string()])
        .arg(thread);
    let set = command.stdout(Stdio::null()).status();
    let set = set.context("`taskset` does not start")?;
    ensure!(
        set.success(),
        "`taskset` cannot bind a thread to core {core}"
    );
    Ok(())
}
