//! What was supplied to the instances of one policy, so that each of them,
//! also one that is made later, reads the same and decides the same.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{DocumentKind, Fetch, Instance, Outcome, Problem, Trap};

/// The last accepted document of each source, the failure since then, and
/// every prepared requirement. Entries are numbered from 1.
#[derive(Default)]
pub(crate) struct Journal {
    /// Number of the last entry: what one atomic load tells a reader.
    latest: AtomicU64,
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    documents: HashMap<u32, Kept>,
    requirements: Vec<Arc<[u8]>>,
}

struct Kept {
    fetch: Fetch,
    accepted: Option<Entry>,
    failed: Option<Entry>,
}

/// How one fetch ended.
#[derive(Clone)]
pub(crate) struct Entry {
    number: u64,
    pub(crate) at_ms: u64,
    pub(crate) outcome: Arc<Outcome>,
}

impl Journal {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody wrote about this source after entry `read`.
    pub(crate) fn is_newer(&self, source: u32, read: u64) -> bool {
        self.pages().documents.get(&source).is_some_and(|kept| {
            kept.accepted
                .iter()
                .chain(&kept.failed)
                .any(|entry| entry.number > read)
        })
    }

    /// The accepted document of this kind from this address.
    pub(crate) fn accepted(&self, kind: DocumentKind, uri: &str) -> Option<Entry> {
        let pages = self.pages();
        let mut all = pages.documents.values();
        all.find(|kept| kept.fetch.kind == kind && kept.fetch.uri == uri)?
            .accepted
            .clone()
    }

    /// Every prepared requirement, in order.
    pub(crate) fn requirements(&self) -> Vec<Arc<[u8]>> {
        self.pages().requirements.clone()
    }

    /// Writes the next entry; readers see its number only when it is whole.
    fn write(&self, write: impl FnOnce(&mut Pages, u64)) -> u64 {
        let mut pages = self.pages();
        let number = self.latest.load(Ordering::Relaxed) + 1;
        write(&mut pages, number);
        self.latest.store(number, Ordering::Release);
        number
    }

    /// A failed fetch, or a document that was refused: the same to a gate.
    pub(crate) fn failed(&self, fetch: &Fetch, at_ms: u64) -> u64 {
        self.write(|pages, number| {
            let failed = Entry {
                number,
                at_ms,
                outcome: Arc::new(Outcome::Failed),
            };
            pages.kept(fetch).failed = Some(failed);
        })
    }

    fn accept(&self, fetch: &Fetch, outcome: Arc<Outcome>, at_ms: u64) -> u64 {
        self.write(|pages, number| {
            let accepted = Some(Entry {
                number,
                at_ms,
                outcome,
            });
            *pages.kept(fetch) = Kept {
                fetch: fetch.clone(),
                accepted,
                failed: None,
            };
        })
    }

    /// The entries after `read` in the order in which a gate can take them:
    /// a discovery document before what it names.
    fn documents_since(&self, read: u64) -> (u64, Vec<(u32, Entry)>) {
        let pages = self.pages();
        let mut news = pages
            .documents
            .iter()
            .flat_map(|(source, kept)| {
                let entries = kept.accepted.iter().chain(&kept.failed);
                entries.map(move |entry| (kept.fetch.kind, *source, entry))
            })
            .filter(|(_, _, entry)| entry.number > read)
            .collect::<Vec<_>>();
        news.sort_by_key(|(kind, _, entry)| (*kind != DocumentKind::Discovery, entry.number));
        let news = news
            .into_iter()
            .map(|(_, source, entry)| (source, entry.clone()))
            .collect();
        (self.latest.load(Ordering::Relaxed), news)
    }
}

impl Pages {
    fn kept(&mut self, fetch: &Fetch) -> &mut Kept {
        let unknown = || Kept {
            fetch: fetch.clone(),
            accepted: None,
            failed: None,
        };
        self.documents.entry(fetch.source).or_insert_with(unknown)
    }
}

/// An instance that reads the journal.
pub(crate) struct Reader {
    pub(crate) instance: Instance,
    /// Number of the last entry that it took.
    pub(crate) read: u64,
    /// What the instance calls the journal's requirements.
    pub(crate) requirements: Vec<u32>,
}

impl Reader {
    pub(crate) fn new(instance: Instance) -> Self {
        Self {
            instance,
            read: 0,
            requirements: Vec::new(),
        }
    }

    /// Takes what was written since it last looked.
    pub(crate) fn catch_up(&mut self, journal: &Journal) -> Result<(), Trap> {
        if journal.latest.load(Ordering::Acquire) == self.read {
            return Ok(());
        }
        let (latest, documents) = journal.documents_since(self.read);
        for (source, entry) in documents {
            // Another instance has judged it before it was written down.
            let _ = self.instance.supply(source, &entry.outcome, entry.at_ms)?;
        }
        for text in journal.requirements().iter().skip(self.requirements.len()) {
            // A number that no gate gives out: whoever asks for it is denied.
            self.requirements
                .push(self.instance.prepare(text)?.unwrap_or(u32::MAX));
        }
        self.read = latest;
        Ok(())
    }

    /// Judges how a fetch ended and writes it down. Nobody else may write
    /// between the reader's catching up and this.
    pub(crate) fn supply(
        &mut self,
        journal: &Journal,
        fetch: &Fetch,
        outcome: Arc<Outcome>,
        at_ms: u64,
    ) -> Result<Result<Vec<Problem>, Problem>, Trap> {
        let supplied = self.instance.supply(fetch.source, &outcome, at_ms)?;
        if supplied.is_err() {
            self.read = journal.failed(fetch, at_ms);
            return Ok(supplied);
        }
        self.read = journal.accept(fetch, outcome, at_ms);
        Ok(supplied)
    }

    /// Prepares a requirement and writes it down, under the same condition.
    /// The result is its place in the journal.
    pub(crate) fn prepare(
        &mut self,
        journal: &Journal,
        text: &[u8],
    ) -> Result<Result<usize, Vec<Problem>>, Trap> {
        if let Some(place) = journal
            .requirements()
            .iter()
            .position(|known| &**known == text)
        {
            return Ok(Ok(place));
        }
        let number = match self.instance.prepare(text)? {
            Ok(number) => number,
            Err(problems) => return Ok(Err(problems)),
        };
        self.requirements.push(number);
        self.read = journal.write(|pages, _| pages.requirements.push(text.into()));
        Ok(Ok(self.requirements.len() - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::Reader;
    use crate::{Fetch, FetchError, Fetcher, Fetching, Gate, Instance, Requirement, Response};

    const POLICY: &str = r#"{
        "contract": "1",
        "issuers": [
            { "name": "up", "issuer": "https://up.example", "audiences": ["api"],
              "algorithms": ["RS256"], "keys": { "discovery": true } },
            { "name": "down", "issuer": "https://down.example", "audiences": ["api"],
              "algorithms": ["RS256"], "keys": { "jwks_uri": "https://down.example/jwks" } }
        ],
        "credentials": [{ "header": "authorization", "scheme": "Bearer" }],
        "rules": [{ "path": "/**", "require": {} }],
        "default": "deny"
    }"#;

    struct OneIsDown;

    impl Fetcher for OneIsDown {
        fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Fetching<'a> {
            let body = match fetch.uri.as_str() {
                "https://up.example/jwks" => Ok(r#"{ "keys": [] }"#),
                uri if uri.starts_with("https://up.example/") => Ok(r#"{
                    "issuer": "https://up.example", "jwks_uri": "https://up.example/jwks" }"#),
                _ => Err(FetchError::new("down")),
            };
            let cache_control = "max-age=300".to_owned();
            Box::pin(async move {
                Ok(Response {
                    status: 200,
                    cache_control,
                    body: body?.into(),
                })
            })
        }
    }

    #[tokio::test]
    async fn an_instance_that_is_made_later_knows_what_the_others_know() {
        let now_ms = 1_790_000_000_000;
        let gate = Gate::builder()
            .policy(POLICY)
            .clock(move || now_ms)
            .fetcher(OneIsDown);
        let gate = gate.instances(1).build().await.unwrap();
        let status = gate.warm().await.unwrap();
        assert_eq!(
            status
                .iter()
                .map(|document| document.usable)
                .collect::<Vec<_>>(),
            [true, true, false]
        );
        let admin = gate.prepare(br#"{ "scopes": ["admin"] }"#).await.unwrap();
        assert_ne!(admin, Requirement::NONE);

        let generation = gate.generation();
        let mut late = Reader::new(Instance::open(POLICY.as_bytes()).unwrap());
        late.catch_up(&generation.pool.journal).unwrap();
        assert_eq!(late.instance.status(now_ms).unwrap(), status);
        assert_eq!(late.instance.due(now_ms).unwrap(), []);
        assert_eq!(late.requirements.len(), 1);
        let numbers = generation
            .pool
            .call(|first| Ok(first.requirements.clone()))
            .await;
        assert_eq!(numbers.unwrap(), late.requirements);
    }
}
