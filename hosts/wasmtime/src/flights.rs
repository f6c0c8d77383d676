//! One fetch under way for each document, however many wait for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

/// The fetches under way, by source.
#[derive(Clone, Default)]
pub(crate) struct Flights {
    under_way: Arc<Mutex<HashMap<u32, Flight>>>,
}

/// One fetch, as those who wait for it see it.
#[derive(Clone)]
pub(crate) struct Flight {
    landing: watch::Receiver<()>,
}

/// One fetch, as the task that makes it sees it: dropping it lands it.
pub(crate) struct Landing {
    flights: Flights,
    source: u32,
    /// After the drop, so that who joins then starts anew.
    _landed: watch::Sender<()>,
}

impl Flights {
    /// Joins the fetch under way for `source`, or starts one; neither if
    /// `is_over` says that it has ended since the asker was told to fetch.
    pub(crate) fn join(
        &self,
        source: u32,
        is_over: impl FnOnce() -> bool,
        start: impl FnOnce(Landing),
    ) -> Option<Flight> {
        let mut under_way = self.under_way();
        if let Some(flight) = under_way.get(&source) {
            return Some(flight.clone());
        }
        // Under the lock: a fetch writes its end down before it leaves the map.
        if is_over() {
            return None;
        }
        let (landed, landing) = watch::channel(());
        let flight = Flight { landing };
        under_way.insert(source, flight.clone());
        drop(under_way);
        start(Landing {
            flights: self.clone(),
            source,
            _landed: landed,
        });
        Some(flight)
    }

    /// Everything under way.
    pub(crate) fn all(&self) -> Vec<Flight> {
        self.under_way().values().cloned().collect()
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<u32, Flight>> {
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
        self.flights.under_way().remove(&self.source);
    }
}
