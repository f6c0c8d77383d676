//! The differences to a suite with their reasons, and the counts of a run.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Deserialize;

/// One justified difference.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The result in the suite: `valid` or `invalid`.
    pub suite: String,
    /// Our result, and why.
    pub ours: String,
    /// The reason, in a sentence.
    pub reason: String,
}

/// The exceptions and the counts of one suite.
#[derive(Debug)]
pub struct Tally {
    name: String,
    exceptions: BTreeMap<String, Exception>,
    used: BTreeSet<String>,
    run: u32,
    not_applicable: BTreeMap<String, u32>,
    faults: Vec<String>,
}

impl Tally {
    /// Makes the tally of a suite, with its exceptions from `exceptions.json`.
    ///
    /// # Panics
    /// If the file is missing or invalid.
    pub fn new(suite: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("exceptions.json");
        let mut all: BTreeMap<String, BTreeMap<String, Exception>> =
            serde_json::from_value(super::json(&path)).expect("exceptions.json");
        Self {
            name: suite.into(),
            exceptions: all.remove(suite).unwrap_or_default(),
            used: BTreeSet::new(),
            run: 0,
            not_applicable: BTreeMap::new(),
            faults: Vec::new(),
        }
    }

    /// Adds a vector: the result in the suite and our result.
    pub fn add(&mut self, id: impl ToString, suite: bool, ours: bool, comment: &str) {
        let id = id.to_string();
        self.run += 1;
        let word = |valid| if valid { "valid" } else { "invalid" };
        match self.exceptions.get(&id) {
            None if suite == ours => {}
            None => self.faults.push(format!(
                "{id} ({comment}): the suite says {}, we say {}",
                word(suite),
                word(ours)
            )),
            Some(exception) => {
                self.used.insert(id.clone());
                if (word(suite), word(ours)) != (&*exception.suite, &*exception.ours) {
                    self.faults.push(format!(
                        "{id} ({comment}): excepted as {} and {}, but the suite says {}, we say {}",
                        exception.suite,
                        exception.ours,
                        word(suite),
                        word(ours)
                    ));
                }
            }
        }
    }

    /// Adds a vector that is not applicable, with the reason.
    pub fn not_applicable(&mut self, id: impl ToString, reason: impl Into<String>) {
        // An exception for it is not required to run.
        self.exceptions.remove(&id.to_string());
        *self.not_applicable.entry(reason.into()).or_default() += 1;
    }

    /// Prints the counts.
    ///
    /// # Panics
    /// If a result differs without an exception, agrees in spite of one, or an
    /// exception names a vector that did not run.
    pub fn finish(mut self) {
        let unused = self.exceptions.keys().filter(|id| !self.used.contains(*id));
        self.faults
            .extend(unused.map(|id| format!("{id}: excepted, but it did not run")));
        let passed_over: u32 = self.not_applicable.values().sum();
        println!(
            "{}: {} run, {} excepted, {passed_over} not applicable",
            self.name,
            self.run,
            self.used.len()
        );
        for (reason, count) in &self.not_applicable {
            println!("    {count} not applicable: {reason}");
        }
        assert!(
            self.faults.is_empty(),
            "{}:\n{}",
            self.name,
            self.faults.join("\n")
        );
        assert!(self.run + passed_over > 0, "{}: nothing ran", self.name);
    }
}
