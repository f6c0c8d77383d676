//! Requests that several instances send: the same one is sent once at a time.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OnceCell;

use crate::{document::Outcome, need::Outgoing};

/// What makes two requests the same: all but their tickets.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Content {
    uri: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// The exchanges that are under way.
#[derive(Default)]
pub(super) struct Exchanges(Mutex<HashMap<Content, Exchange>>);

type Exchange = Arc<OnceCell<Arc<Outcome>>>;

impl Exchanges {
    /// Sends a request, or waits for the response to the same one.
    pub(super) async fn outcome<F: Future<Output = Arc<Outcome>>>(
        &self,
        request: &Outgoing,
        send: impl FnOnce() -> F,
    ) -> Arc<Outcome> {
        let content = Content {
            uri: request.uri.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        };
        let exchange = self.under_way().entry(content.clone()).or_default().clone();
        let outcome = exchange.get_or_init(send).await.clone();
        let mut under_way = self.under_way();
        let is_this = |known: &Exchange| Arc::ptr_eq(known, &exchange);
        if under_way.get(&content).is_some_and(is_this) {
            under_way.remove(&content);
        }
        outcome
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<Content, Exchange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
