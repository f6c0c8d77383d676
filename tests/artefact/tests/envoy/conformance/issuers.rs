//! Serves the issuers of all stages at one address. The authority of a request
//! selects the issuer.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use countersign_conformance::scene::{Published, Stage};
use serde_json::{Map, Value, json};

use crate::stage::upstream;

pub(super) struct Issuers {
    pub(super) address: SocketAddr,
    /// Documents by authority and path; `None` if the fetch fails.
    documents: Arc<BTreeMap<(String, String), Option<Published>>>,
    answered: Arc<Mutex<BTreeSet<(String, String)>>>,
}

/// Answers about tokens by authority, path, and the first part of the body, in their
/// order.
type Answers = BTreeMap<(String, String, String), VecDeque<Option<Published>>>;

impl Issuers {
    /// Starts a server that runs until the tests end.
    pub(super) fn of(stages: &[&Stage]) -> Self {
        let (mut documents, mut answers) = (BTreeMap::new(), Answers::new());
        for (number, stage) in stages.iter().enumerate() {
            for (uri, document) in &stage.documents {
                let (host, path) = split(uri);
                documents.insert((authority(number, host), path.to_owned()), document.clone());
            }
            for ((uri, token), all) in &stage.answers {
                let (host, path) = split(uri);
                let about = (authority(number, host), path.to_owned(), token.clone());
                answers.insert(about, all.iter().cloned().collect());
            }
        }
        let answers = Arc::new(Mutex::new(answers));
        let (documents, answered) = (Arc::new(documents), Arc::<Mutex<BTreeSet<_>>>::default());
        let (served, noted) = (Arc::clone(&documents), Arc::clone(&answered));
        let address = upstream::serve(move |stream| {
            let (head, body) = upstream::request(&stream)?;
            let path = head.split(' ').nth(1).unwrap_or_default();
            let mut lines = head.lines();
            let host = lines.find_map(|line| line.strip_prefix("host: "));
            let asked = (host.unwrap_or_default().to_owned(), path.to_owned());
            let token = body.split('&').next().unwrap_or_default();
            let about = (asked.0.clone(), asked.1.clone(), token.to_owned());
            let mut answers = answers.lock().unwrap();
            let answer = || answers.get_mut(&about)?.pop_front();
            let document = served.get(&asked).cloned().or_else(answer);
            let ended = match document {
                // Close the connection without a response.
                None | Some(None) => Err(io::ErrorKind::ConnectionAborted.into()),
                Some(Some(document)) => {
                    let status = format!("{} Status", document.status);
                    let cache_control = document.cache_control.clone();
                    let header = ("cache-control".to_owned(), cache_control);
                    upstream::answer(stream, &status, &[header], &document.body)
                }
            };
            noted.lock().unwrap().insert(asked);
            ended
        });
        Self {
            address,
            documents,
            answered,
        }
    }

    /// Returns the clusters of a stage's configuration.
    pub(super) fn clusters(&self, number: usize, stage: &Stage) -> Value {
        let to = |host| json!({ "cluster": "issuer", "authority": authority(number, host) });
        let asked = stage.answers.keys().map(|(uri, _)| uri);
        let hosts = stage.documents.keys().chain(asked).map(|uri| split(uri).0);
        let mut clusters: Map<String, Value> =
            hosts.map(|host| (host.to_owned(), to(host))).collect();
        clusters.insert("*".to_owned(), to("nowhere"));
        clusters.into()
    }

    /// Returns whether every document was requested.
    pub(super) fn are_done(&self) -> bool {
        let answered = self.answered.lock().unwrap();
        self.documents
            .keys()
            .all(|document| answered.contains(document))
    }
}

fn authority(number: usize, host: &str) -> String {
    format!("stage-{number}.{host}")
}

/// Splits a URI into host and path.
fn split(uri: &str) -> (&str, &str) {
    let (_, rest) = uri.split_once("://").unwrap();
    rest.split_at(rest.find('/').unwrap())
}
