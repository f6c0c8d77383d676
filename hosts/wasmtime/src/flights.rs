//! One running fetch for each URL of a document, and one running request for each
//! ticket, however many checks wait for it.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::{
    document::{Fetch, Outcome},
    proofs::FirstUse,
};

/// A document and the URL that it is fetched from: discovery may name another URL
/// while the old one has not responded yet.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    pub(crate) source: u32,
    pub(crate) uri: String,
}

/// A request, which is responded to in the instance that needs it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Asked {
    /// The number of the instance.
    pub(crate) by: u64,
    pub(crate) ticket: u64,
}

/// What is running.
#[derive(Clone)]
pub(crate) struct Flights<A> {
    under_way: Arc<Mutex<HashMap<A, Flight>>>,
}

impl<A> Default for Flights<A> {
    fn default() -> Self {
        Self {
            under_way: Arc::default(),
        }
    }
}

/// One fetch, for those who wait for it.
#[derive(Clone)]
pub(crate) struct Flight {
    landing: watch::Receiver<Option<Learned>>,
}

/// One fetch, for the task that makes it: dropping it ends the fetch.
pub(crate) struct Landing<A: Eq + Hash> {
    flights: Flights<A>,
    address: A,
    /// Removed on drop, so that the next one to join starts a new fetch.
    landed: watch::Sender<Option<Learned>>,
}

/// What a request or a question about a proof has brought. A document is in the
/// journal instead.
#[derive(Clone)]
pub(crate) enum Learned {
    Response(Arc<Outcome>),
    Proof(FirstUse),
}

impl Address {
    pub(crate) fn of(fetch: &Fetch) -> Self {
        Self {
            source: fetch.source,
            uri: fetch.uri.clone(),
        }
    }
}

impl<A: Clone + Eq + Hash> Flights<A> {
    /// Joins the running fetch from `address`, or starts one; neither if `is_over`:
    /// a fetch has ended since the caller needed it.
    pub(crate) fn join(
        &self,
        address: A,
        is_over: impl FnOnce() -> bool,
        start: impl FnOnce(Landing<A>),
    ) -> Option<Flight> {
        let mut under_way = self.under_way();
        if let Some(flight) = under_way.get(&address) {
            return Some(flight.clone());
        }
        // Under the lock: a fetch writes its end down before it leaves the map.
        if is_over() {
            return None;
        }
        let (landed, landing) = watch::channel(None);
        let flight = Flight { landing };
        under_way.insert(address.clone(), flight.clone());
        drop(under_way);
        start(Landing {
            flights: self.clone(),
            address,
            landed,
        });
        Some(flight)
    }

    /// The running fetches from addresses for which `wanted` is true.
    pub(crate) fn under_way_from(&self, wanted: impl Fn(&A) -> bool) -> Vec<Flight> {
        let under_way = self.under_way();
        let wanted = under_way.iter().filter(|(address, _)| wanted(address));
        wanted.map(|(_, flight)| flight.clone()).collect()
    }
}

impl<A> Flights<A> {
    fn under_way(&self) -> MutexGuard<'_, HashMap<A, Flight>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// Waits until the fetch has ended and was supplied.
    pub(crate) async fn landed(mut self) -> Option<Learned> {
        while self.landing.changed().await.is_ok() {}
        self.landing.borrow().clone()
    }
}

impl<A: Eq + Hash> Landing<A> {
    /// Tells those who wait what was learned.
    pub(crate) fn tell(&self, learned: Learned) {
        self.landed.send_replace(Some(learned));
    }
}

impl<A: Eq + Hash> Drop for Landing<A> {
    fn drop(&mut self) {
        self.flights.under_way().remove(&self.address);
    }
}
