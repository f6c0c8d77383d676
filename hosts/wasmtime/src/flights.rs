//! One running fetch for each URL of a document, however many checks wait for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::document::Fetch;

/// A document and the URL that it is fetched from: discovery may name another URL
/// while the old one has not responded yet.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    pub(crate) source: u32,
    pub(crate) uri: String,
}

/// The running fetches.
#[derive(Clone, Default)]
pub(crate) struct Flights {
    under_way: Arc<Mutex<HashMap<Address, Flight>>>,
}

/// One fetch, for those who wait for it.
#[derive(Clone)]
pub(crate) struct Flight {
    landing: watch::Receiver<()>,
}

/// One fetch, for the task that makes it: dropping it ends the fetch.
pub(crate) struct Landing {
    flights: Flights,
    address: Address,
    /// Removed on drop, so that the next one to join starts a new fetch.
    _landed: watch::Sender<()>,
}

impl Address {
    pub(crate) fn of(fetch: &Fetch) -> Self {
        Self {
            source: fetch.source,
            uri: fetch.uri.clone(),
        }
    }
}

impl Flights {
    /// Joins the running fetch from `address`, or starts one; neither if `is_over`:
    /// a fetch has ended since the caller needed it.
    pub(crate) fn join(
        &self,
        address: Address,
        is_over: impl FnOnce() -> bool,
        start: impl FnOnce(Landing),
    ) -> Option<Flight> {
        let mut under_way = self.under_way();
        if let Some(flight) = under_way.get(&address) {
            return Some(flight.clone());
        }
        // Under the lock: a fetch writes its end down before it leaves the map.
        if is_over() {
            return None;
        }
        let (landed, landing) = watch::channel(());
        let flight = Flight { landing };
        under_way.insert(address.clone(), flight.clone());
        drop(under_way);
        start(Landing {
            flights: self.clone(),
            address,
            _landed: landed,
        });
        Some(flight)
    }

    /// The running fetches from addresses for which `wanted` is true.
    pub(crate) fn under_way_from(&self, wanted: impl Fn(&Address) -> bool) -> Vec<Flight> {
        let under_way = self.under_way();
        let wanted = under_way.iter().filter(|(address, _)| wanted(address));
        wanted.map(|(_, flight)| flight.clone()).collect()
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<Address, Flight>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// Waits until the fetch has ended and was supplied.
    pub(crate) async fn landed(mut self) {
        while self.landing.changed().await.is_ok() {}
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.flights.under_way().remove(&self.address);
    }
}
