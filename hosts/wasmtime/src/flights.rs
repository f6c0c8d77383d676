//! One fetch under way for each address of a document, however many wait.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::document::Fetch;

/// A document and where it is fetched from: discovery may name another address
/// while the old one still has not answered.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    pub(crate) source: u32,
    pub(crate) uri: String,
}

/// The fetches under way.
#[derive(Clone, Default)]
pub(crate) struct Flights {
    under_way: Arc<Mutex<HashMap<Address, Flight>>>,
}

/// One fetch, as those who wait for it see it.
#[derive(Clone)]
pub(crate) struct Flight {
    landing: watch::Receiver<()>,
}

/// One fetch, as the task that makes it sees it: dropping it lands it.
pub(crate) struct Landing {
    flights: Flights,
    address: Address,
    /// After the drop, so that who joins then starts anew.
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
    /// Joins the fetch under way from `address`, or starts one; neither if
    /// `is_over` says that it has ended since the asker was told to fetch.
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

    /// Everything under way from addresses that `wanted` says yes to.
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
    /// Until the fetch has ended and was supplied.
    pub(crate) async fn landed(mut self) {
        while self.landing.changed().await.is_ok() {}
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.flights.under_way().remove(&self.address);
    }
}
