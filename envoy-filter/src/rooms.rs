//! Waiting rooms: one for each issuer, so that an issuer that hangs fills its
//! own and no other. Nobody is answered from here: a few at a time are taken
//! out, in the order in which they came.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use crate::{spread::Numbered, waiting::Waiting};

/// All rooms of a plugin.
#[derive(Default)]
pub(crate) struct Rooms {
    /// By ticket: in the order in which they came.
    waiting: BTreeMap<u64, Waiting>,
    /// Of these, those of whose documents there is news.
    called: BTreeSet<u64>,
    /// The tickets, by request.
    tickets: HashMap<u32, u64, Numbered>,
    /// How many are in the room of each issuer.
    counts: BTreeMap<Arc<str>, usize>,
    issued: u64,
}

impl Rooms {
    /// Lets a request in, or gives it back where `most` are in its room.
    pub(crate) fn enter(&mut self, waiting: Waiting, most: usize) -> Result<(), Waiting> {
        if self.counts.get(&waiting.issuer).is_some_and(|n| *n >= most) || most == 0 {
            return Err(waiting);
        }
        self.issued += 1;
        self.put(self.issued, waiting);
        Ok(())
    }

    /// Back to its place: it has to wait on.
    pub(crate) fn put(&mut self, ticket: u64, waiting: Waiting) {
        *self.counts.entry(Arc::clone(&waiting.issuer)).or_default() += 1;
        self.tickets.insert(waiting.request, ticket);
        self.waiting.insert(ticket, waiting);
    }

    /// There is news of these documents.
    pub(crate) fn call(&mut self, sources: &[u32]) {
        if sources.is_empty() {
            return;
        }
        let over = self.waiting.iter().filter(|(_, w)| w.is_for(sources));
        self.called.extend(over.map(|(ticket, _)| *ticket));
    }

    /// Takes out the first whose waiting may be over.
    pub(crate) fn next(&mut self, now_ms: u64) -> Option<(u64, Waiting)> {
        let ticket = self.first(now_ms)?;
        Some((ticket, self.take(ticket)?))
    }

    /// Whether [`Self::next`] has somebody.
    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        self.first(now_ms).is_some()
    }

    /// The client has left.
    pub(crate) fn leave(&mut self, request: u32) {
        if let Some(ticket) = self.tickets.get(&request) {
            self.take(*ticket);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// All wait equally long: who came first is also first at the end of it.
    fn first(&self, now_ms: u64) -> Option<u64> {
        let expired = || {
            let (ticket, waiting) = self.waiting.first_key_value()?;
            (waiting.until_ms <= now_ms).then_some(*ticket)
        };
        self.called.first().copied().or_else(expired)
    }

    fn take(&mut self, ticket: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&ticket)?;
        self.called.remove(&ticket);
        self.tickets.remove(&waiting.request);
        if let Some(count) = self.counts.get_mut(&waiting.issuer) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&waiting.issuer);
            }
        }
        Some(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(request: u32, issuer: &str, source: u32) -> Waiting {
        Waiting {
            request,
            issuer: issuer.into(),
            sources: vec![source],
            for_revocations: false,
            until_ms: 100,
        }
    }

    fn requests(rooms: &mut Rooms, now_ms: u64) -> Vec<u32> {
        let mut out = Vec::new();
        while let Some((_, waiting)) = rooms.next(now_ms) {
            out.push(waiting.request);
        }
        out
    }

    #[test]
    fn a_full_room_is_no_other_issuers_trouble() {
        let mut rooms = Rooms::default();
        for request in 0..2 {
            rooms.enter(waiting(request, "a", 0), 2).unwrap();
        }
        assert!(rooms.enter(waiting(2, "a", 0), 2).is_err());
        rooms.enter(waiting(3, "b", 1), 2).unwrap();
        rooms.leave(0);
        rooms.enter(waiting(4, "a", 0), 2).unwrap();
        assert!(
            rooms.enter(waiting(5, "a", 0), 0).is_err(),
            "no room at all"
        );
    }

    #[test]
    fn they_come_out_in_the_order_in_which_they_went_in() {
        let mut rooms = Rooms::default();
        for request in 0..4 {
            rooms.enter(waiting(request, "a", request % 2), 9).unwrap();
        }
        rooms.call(&[1]);
        assert!(rooms.is_due(0));
        assert_eq!(requests(&mut rooms, 0), [1, 3]);
        assert!(!rooms.is_due(99));
        assert_eq!(
            requests(&mut rooms, 100),
            [0, 2],
            "at the end of their time"
        );
        assert!(rooms.is_empty() && rooms.counts.is_empty() && rooms.tickets.is_empty());
    }

    #[test]
    fn who_waits_on_keeps_the_place() {
        let mut rooms = Rooms::default();
        rooms.enter(waiting(7, "a", 0), 9).unwrap();
        rooms.enter(waiting(8, "a", 0), 9).unwrap();
        rooms.call(&[0]);
        let (ticket, first) = rooms.next(0).unwrap();
        rooms.put(ticket, first);
        assert_eq!(
            requests(&mut rooms, 0),
            [8],
            "there is no news for the first"
        );
        rooms.call(&[0]);
        assert_eq!(requests(&mut rooms, 0), [7]);
    }

    #[test]
    fn who_has_left_is_not_called() {
        let mut rooms = Rooms::default();
        rooms.enter(waiting(7, "a", 0), 9).unwrap();
        rooms.call(&[0]);
        rooms.leave(7);
        assert!(rooms.next(1_000).is_none());
    }
}
