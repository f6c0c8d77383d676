//! One line of the table.

/// The decision about one request.
pub(super) struct Row {
    /// The group of requests that it belongs to.
    pub(super) scene: &'static str,
    pub(super) what: &'static str,
    /// Method and target.
    pub(super) request: String,
    /// `allow` or `deny`.
    pub(super) decision: &'static str,
    pub(super) code: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) challenge: Option<String>,
    /// How long the module took for the decision, without fetches.
    pub(super) microseconds: f64,
    /// `allow`, or the code of a denial.
    pub(super) expected: &'static str,
}

impl Row {
    pub(super) fn is_as_expected(&self) -> bool {
        self.code.as_deref().unwrap_or(self.decision) == self.expected
    }
}
