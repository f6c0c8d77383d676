//! What grants say, by their numbers: the module is asked once for each.

use crate::Grant;

/// As many as tokens are remembered, by default.
const PLACES: usize = 1024;

/// A number has one place, from which a newer one takes it.
#[derive(Default)]
pub(crate) struct Grants {
    places: Vec<Option<(u64, Grant)>>,
}

impl Grants {
    pub(crate) fn find(&self, number: u64) -> Option<&Grant> {
        let place = self.places.get(place(number))?.as_ref()?;
        (place.0 == number).then_some(&place.1)
    }

    pub(crate) fn keep(&mut self, number: u64, grant: Grant) {
        self.places.resize(PLACES, None);
        if let Some(place) = self.places.get_mut(place(number)) {
            *place = Some((number, grant));
        }
    }
}

fn place(number: u64) -> usize {
    // Below `PLACES`, so nothing is cut off.
    (number % PLACES as u64) as usize
}
