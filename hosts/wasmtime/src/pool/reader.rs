//! An instance that reads the journal.

use std::sync::Arc;

use crate::{
    document::{Fetch, Outcome, Supplied},
    instance::Instance,
    journal::Journal,
    problem::{Problem, Trap},
    requirement::Numbers,
};

/// An instance that reads the journal.
pub(crate) struct Reader {
    pub(crate) instance: Instance,
    requirements: Numbers,
    /// Its number in the pool.
    pub(crate) id: u64,
    /// Number of the last journal entry that it has read completely.
    pub(crate) read: u64,
    /// Number of the entry that it has read in part.
    begun: u64,
    /// The number of calls for that entry, without the first.
    calls: usize,
}

impl Reader {
    pub(super) fn new(instance: Instance, id: u64) -> Self {
        Self {
            instance,
            requirements: Numbers::default(),
            id,
            read: 0,
            begun: 0,
            calls: 0,
        }
    }

    /// The number of a requirement in this instance. The inner error has every
    /// problem of it.
    pub(crate) fn number(
        &mut self,
        requirement: &Arc<[u8]>,
    ) -> Result<Result<u32, Vec<Problem>>, Trap> {
        self.requirements.number(&mut self.instance, requirement)
    }

    /// Adds the result of supplying a document to the journal, which this instance
    /// has read completely. No other entry may be added in between.
    pub(crate) fn write(
        &mut self,
        journal: &Journal,
        fetch: &Fetch,
        outcome: &Arc<Outcome>,
        at_ms: u64,
        supplied: &Supplied,
    ) {
        match supplied {
            Supplied::Accepted(_) => self.read = journal.accept(fetch, outcome, at_ms),
            Supplied::Refused(_) => self.read = journal.fail(fetch, at_ms),
            Supplied::Unfinished | Supplied::Outdated => {}
        }
    }

    /// Reads a part of the next entry.
    pub(super) fn read_on(&mut self, journal: &Journal) -> Result<(), Trap> {
        let latest = journal.latest();
        let Some(entry) = journal.after(self.read) else {
            // The entries have been removed.
            self.read = latest;
            return Ok(());
        };
        let source = entry.fetch.source;
        let supplied = if self.begun == entry.number {
            self.calls += 1;
            let part = entry.outcome.part(self.calls);
            self.instance.resume(source, part, entry.at_ms)?
        } else {
            self.calls = 0;
            let uri = &entry.fetch.uri;
            self.instance
                .supply(source, uri, &entry.outcome, entry.at_ms)?
        };
        self.begun = entry.number;
        // Any other result: another instance has validated the document before it
        // was added.
        if supplied != Supplied::Unfinished {
            self.read = entry.number;
        }
        Ok(())
    }
}
