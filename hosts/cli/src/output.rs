//! The output and the exit code of a command.

/// How results are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// As JSON, for programs.
    pub(crate) json: bool,
}

/// The exit code of a command that has a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Allowed, or nothing wrong: 0.
    Good,
    /// Denied, different, a case failed: 1.
    Bad,
}
