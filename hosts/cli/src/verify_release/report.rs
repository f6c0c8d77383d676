//! Everything that was looked at, and all that is wrong with it.

use std::collections::BTreeMap;

/// The problems of each file, by its path in the release.
#[derive(Default, Debug)]
pub(super) struct Report {
    files: BTreeMap<String, Vec<String>>,
}

impl Report {
    /// The file has a line in the report, even if nothing is wrong with it.
    pub(super) fn saw(&mut self, file: &str) {
        self.files.entry(file.to_owned()).or_default();
    }

    pub(super) fn problem(&mut self, file: &str, problem: impl Into<String>) {
        let problems = self.files.entry(file.to_owned()).or_default();
        problems.push(problem.into());
    }

    pub(super) fn number_of_problems(&self) -> usize {
        self.files.values().map(Vec::len).sum()
    }

    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &[String])> {
        let files = self.files.iter();
        files.map(|(file, problems)| (&**file, &**problems))
    }
}
