//! Where we differ from a suite, each with its reason; and what a run counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Deserialize;

/// One justified difference.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// What the suite says: `valid` or `invalid`.
    pub suite: String,
    /// What we say, and why.
    pub ours: String,
    /// A sentence.
    pub reason: String,
}

/// The exceptions of one suite, and how its run went.
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
    /// The tally of a suite, with its exceptions from `exceptions.json`.
    ///
    /// # Panics
    /// The file is missing or not in its form.
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

    /// One vector: what the suite says and what we say.
    pub fn judge(&mut self, id: impl ToString, suite: bool, ours: bool, comment: &str) {
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

    /// A vector that says nothing of us, and why.
    pub fn pass_over(&mut self, id: impl ToString, reason: impl Into<String>) {
        // Its exception, if it has one, waits with it.
        self.exceptions.remove(&id.to_string());
        *self.not_applicable.entry(reason.into()).or_default() += 1;
    }

    /// Prints the counts.
    ///
    /// # Panics
    /// We differ where no exception says so, or agree where one says that we
    /// differ, or an exception names a vector that did not run.
    pub fn conclude(mut self) {
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
