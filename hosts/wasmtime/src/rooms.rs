//! Waiting rooms: requests wait for what they need in one room for each issuer, so that
//! an issuer that does not respond affects only its own callers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::need::Need;

/// The rooms, by the issuers' names: as many as the policy has issuers.
pub(crate) struct Rooms {
    places: usize,
    rooms: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// The places that one request holds.
#[derive(Default)]
pub(crate) struct Places(Vec<(String, OwnedSemaphorePermit)>);

/// A room has no place left.
pub(crate) struct Full;

impl Rooms {
    pub(crate) fn new(places: usize) -> Self {
        Self {
            places,
            rooms: Mutex::default(),
        }
    }

    /// Takes a place in the room of every issuer of these needs. Places in
    /// `held` are kept if they are still needed, and given back otherwise.
    pub(crate) fn enter(&self, held: Places, needs: &[Need]) -> Result<Places, Full> {
        let mut held = held.0;
        held.retain(|(issuer, _)| needs.iter().any(|need| need.issuer() == issuer));
        for issuer in needs.iter().map(Need::issuer) {
            if !held.iter().any(|(known, _)| known == issuer) {
                let place = self.room(issuer).try_acquire_owned().map_err(|_| Full)?;
                held.push((issuer.to_owned(), place));
            }
        }
        Ok(Places(held))
    }

    fn room(&self, issuer: &str) -> Arc<Semaphore> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = rooms.get(issuer) {
            return room.clone();
        }
        let room = Arc::new(Semaphore::new(self.places));
        rooms.insert(issuer.to_owned(), room.clone());
        room
    }
}
