//! How a command answers: its output and its exit code.

/// How results are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// As JSON, for programs.
    pub(crate) json: bool,
}

/// The exit code of a command that answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Allowed, or nothing wrong: 0.
    Good,
    /// Denied, different, a case failed: 1.
    Bad,
}
