//! What was supplied to the instances of one policy, so that each of them,
//! also one that is made later, reads the same in the same order and decides
//! the same.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use crate::document::{DocumentKind, Fetch, Outcome};

/// The failures that are kept of one document: they determine the pause before the
/// next try, which does not grow after that many.
const FAILURES: usize = 16;

/// The last accepted document of each source, and the failures since then.
#[derive(Default)]
pub(crate) struct Journal {
    /// Number of the last entry, which a reader gets with one atomic load.
    latest: AtomicU64,
    /// By their numbers, which begin with 1.
    entries: Mutex<Vec<Arc<Entry>>>,
}

/// The outcome of one fetch.
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) fetch: Fetch,
    pub(crate) at_ms: u64,
    pub(crate) outcome: Arc<Outcome>,
    is_accepted: bool,
}

impl Journal {
    pub(crate) fn latest(&self) -> u64 {
        self.latest.load(Ordering::Acquire)
    }

    /// The entry after this one.
    pub(crate) fn after(&self, number: u64) -> Option<Arc<Entry>> {
        let entries = self.entries();
        let next = entries.partition_point(|entry| entry.number <= number);
        entries.get(next).cloned()
    }

    /// Whether there is an entry about this document from this URL after entry
    /// `read`.
    pub(crate) fn is_newer(&self, fetch: &Fetch, read: u64) -> bool {
        self.entries()
            .iter()
            .any(|entry| entry.number > read && entry.is_of(fetch.source, &fetch.uri))
    }

    /// Whether the last try to fetch this document from this address failed.
    pub(crate) fn is_failing(&self, source: u32, uri: &str) -> bool {
        let entries = self.entries();
        let last = entries.iter().rfind(|entry| entry.is_of(source, uri));
        last.is_some_and(|entry| !entry.is_accepted)
    }

    /// The accepted document that was fetched as this one is: from the same address,
    /// with the same headers. Others can belong to another customer of the server.
    pub(crate) fn accepted(&self, as_is: &Fetch) -> Option<Arc<Entry>> {
        let entries = self.entries();
        let is_wanted = |entry: &&Arc<Entry>| {
            let fetch = &entry.fetch;
            entry.is_accepted
                && fetch.kind == as_is.kind
                && fetch.uri == as_is.uri
                && fetch.headers == as_is.headers
        };
        entries.iter().rfind(is_wanted).cloned()
    }

    /// Adds an accepted document, and removes entries that are not needed any more
    /// to reach the same state. The result is the entry's number.
    pub(crate) fn accept(&self, fetch: &Fetch, outcome: &Arc<Outcome>, at_ms: u64) -> u64 {
        self.write(fetch, outcome.clone(), at_ms, true)
    }

    /// Adds a failed fetch or a refused document: a gate treats both alike.
    pub(crate) fn fail(&self, fetch: &Fetch, at_ms: u64) -> u64 {
        self.write(fetch, Arc::new(Outcome::Failed), at_ms, false)
    }

    fn write(&self, fetch: &Fetch, outcome: Arc<Outcome>, at_ms: u64, is_accepted: bool) -> u64 {
        let mut entries = self.entries();
        let number = self.latest.load(Ordering::Relaxed) + 1;
        entries.push(Arc::new(Entry {
            number,
            fetch: fetch.clone(),
            at_ms,
            outcome,
            is_accepted,
        }));
        forget(&mut entries);
        // Readers see the number only when the entry is there.
        self.latest.store(number, Ordering::Release);
        number
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn is_of(&self, source: u32, uri: &str) -> bool {
        self.fetch.source == source && self.fetch.uri == uri
    }
}

/// Removes the entries that the newest one replaces.
fn forget(entries: &mut Vec<Arc<Entry>>) {
    let Some(new) = entries.last().cloned() else {
        return;
    };
    let is_before =
        |entry: &Entry| entry.fetch.source == new.fetch.source && entry.number != new.number;
    if new.is_accepted {
        let is_metadata =
            |entry: &Entry| entry.is_accepted && entry.fetch.kind == DocumentKind::Discovery;
        entries.retain(|entry| !is_before(entry) || is_metadata(entry));
    } else {
        let failures = entries
            .iter()
            .filter(|entry| is_before(entry) && !entry.is_accepted);
        if failures.count() >= FAILURES {
            let oldest = |entry: &Arc<Entry>| is_before(entry) && !entry.is_accepted;
            let oldest = entries.iter().position(oldest);
            oldest.map(|oldest| entries.remove(oldest));
        }
    }
    // Metadata stay for as long as keys that were accepted under them: those
    // may be from an address that newer metadata do not name.
    let of_issuer = entries.iter().filter(|entry| {
        entry.is_accepted
            && entry.fetch.issuer == new.fetch.issuer
            && entry.fetch.kind != DocumentKind::Revocations
    });
    let of_issuer = of_issuer.cloned().collect::<Vec<_>>();
    for pair in of_issuer.windows(2) {
        if let [old, next] = pair
            && old.fetch.kind == DocumentKind::Discovery
            && next.fetch.kind == DocumentKind::Discovery
        {
            entries.retain(|entry| entry.number != old.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{FAILURES, Journal};
    use crate::document::{DocumentKind, Fetch, Outcome};

    fn fetch(source: u32, kind: DocumentKind, uri: &str) -> Fetch {
        Fetch {
            source,
            issuer: "platform".into(),
            kind,
            uri: uri.into(),
            headers: Vec::new(),
            timeout_ms: 1000,
            max_bytes: 1000,
        }
    }

    /// What a new instance reads.
    fn read(journal: &Journal) -> Vec<(u64, String)> {
        let mut read = Vec::new();
        let mut number = 0;
        while let Some(entry) = journal.after(number) {
            number = entry.number;
            read.push((number, entry.fetch.uri.clone()));
        }
        read
    }

    #[test]
    fn metadata_stay_as_long_as_keys_that_were_accepted_under_them() {
        let metadata = fetch(0, DocumentKind::Discovery, "metadata");
        let old = fetch(1, DocumentKind::Jwks, "old");
        let new = fetch(1, DocumentKind::Jwks, "new");
        let document = Arc::new(Outcome::Failed);
        let journal = Journal::default();
        let accept = |fetch: &Fetch| journal.accept(fetch, &document, 0);
        for fetch in [&metadata, &metadata, &old, &metadata, &metadata] {
            accept(fetch);
        }
        let seen = |numbers: &[(u64, &str)]| {
            let numbers = numbers
                .iter()
                .map(|(number, uri)| (*number, (*uri).to_owned()));
            assert_eq!(read(&journal), numbers.collect::<Vec<_>>());
        };
        seen(&[(2, "metadata"), (3, "old"), (5, "metadata")]);
        journal.fail(&new, 0);
        seen(&[(2, "metadata"), (3, "old"), (5, "metadata"), (6, "new")]);
        accept(&new);
        seen(&[(5, "metadata"), (7, "new")]);
        assert!(journal.is_newer(&new, 6) && !journal.is_newer(&new, 7));
        assert!(!journal.is_newer(&old, 0));
    }

    #[test]
    fn failures_are_kept_until_the_next_success_and_only_so_many() {
        let keys = fetch(1, DocumentKind::Jwks, "keys");
        let document = Arc::new(Outcome::Failed);
        let journal = Journal::default();
        journal.accept(&keys, &document, 0);
        for _ in 0..3 * FAILURES {
            journal.fail(&keys, 0);
        }
        assert!(journal.is_failing(1, "keys"));
        assert_eq!(read(&journal).len(), 1 + FAILURES);
        journal.accept(&keys, &document, 0);
        assert_eq!(read(&journal).len(), 1);
        assert!(!journal.is_failing(1, "keys"));
    }
}
