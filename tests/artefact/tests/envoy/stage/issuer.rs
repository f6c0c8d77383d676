//! An issuer whose documents a test can change, and which records its requests.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use countersign_artefact_tests::token::Key;
use serde_json::{Value, json};

use super::upstream;

/// The path of its keys.
pub(crate) const JWKS: &str = "/jwks";

/// The response at one path.
#[derive(Clone)]
pub(crate) struct Document {
    pub(crate) status: &'static str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The delay of the response.
    pub(crate) delay: Duration,
}

impl Document {
    pub(crate) fn new(body: &Value) -> Self {
        Self {
            status: "200 OK",
            headers: vec![],
            body: body.to_string().into_bytes(),
            delay: Duration::ZERO,
        }
    }

    /// Makes a JWK Set of these keys.
    pub(crate) fn keys(keys: &[&Key]) -> Self {
        let keys: Vec<Value> = keys.iter().map(|key| key.public()).collect();
        Self::new(&json!({ "keys": keys }))
    }

    pub(crate) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    pub(crate) fn status(self, status: &'static str) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// An issuer that serves until the tests end. Unknown paths get 404.
#[derive(Clone)]
pub(crate) struct Issuer {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    documents: HashMap<String, Document>,
    /// The head and the body of every request, in order.
    asked: Vec<String>,
    busy: usize,
    most: usize,
    /// Whether it holds all responses back.
    held: bool,
}

impl Issuer {
    pub(crate) fn start() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let served = Arc::clone(&state);
        let address = upstream::serve(move |stream| {
            let (head, body) = upstream::request(&stream)?;
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let document = {
                let mut state = served.lock().unwrap();
                state.asked.push(head + &body);
                state.busy += 1;
                state.most = state.most.max(state.busy);
                let token = body.split('&').next().unwrap_or_default();
                let about = [&*path, "?", token].concat();
                let document = state.documents.get(&about);
                document.or_else(|| state.documents.get(&path)).cloned()
            };
            let document =
                document.unwrap_or_else(|| Document::new(&json!({})).status("404 Not Found"));
            thread::sleep(document.delay);
            while served.lock().unwrap().held {
                thread::sleep(Duration::from_millis(5));
            }
            served.lock().unwrap().busy -= 1;
            upstream::answer(stream, document.status, &document.headers, &document.body)
        });
        Self { address, state }
    }

    /// Publishes a document at a path, or the answer to requests of which a body
    /// begins so: `/introspect?token=a`.
    pub(crate) fn publish(&self, path: &str, document: Document) {
        let mut state = self.state.lock().unwrap();
        state.documents.insert(path.to_owned(), document);
    }

    /// Removes a document, so that the path gets 404.
    pub(crate) fn withdraw(&self, path: &str) {
        self.state.lock().unwrap().documents.remove(path);
    }

    /// Holds all responses back until [`Self::release`].
    pub(crate) fn hold(&self) {
        self.state.lock().unwrap().held = true;
    }

    pub(crate) fn release(&self) {
        self.state.lock().unwrap().held = false;
    }

    /// Returns the number of requests for a path.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.asked_by("GET", path)
    }

    pub(crate) fn asked_by(&self, method: &str, path: &str) -> usize {
        let line = format!("{method} {path} ");
        let state = self.state.lock().unwrap();
        state
            .asked
            .iter()
            .filter(|head| head.starts_with(&line))
            .count()
    }

    /// Returns the maximum number of simultaneous requests.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state.lock().unwrap().most
    }

    /// Returns the heads of all requests, each with its body.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }
}
