//! Waiting rooms: one for each issuer, so that an issuer that hangs fills its
//! own and no other. Nobody is answered from here: a few at a time are taken
//! out, in the order in which they came.

use std::{collections::VecDeque, sync::Arc};

use crate::waiting::Waiting;

/// All rooms of a plugin.
#[derive(Default)]
pub(crate) struct Rooms {
    /// In the order in which they came: the first has the ticket `served`.
    /// Who has gone leaves an empty seat.
    seats: VecDeque<Option<Waiting>>,
    served: u64,
    /// How many are called, and the ticket before which nobody is.
    called: usize,
    none_before: u64,
    /// How many are in the room of each issuer.
    counts: Vec<(Arc<str>, usize)>,
}

impl Rooms {
    /// Lets a request in, or gives it back where `most` are in its room.
    pub(crate) fn enter(&mut self, waiting: Waiting, most: usize) -> Result<(), Waiting> {
        let count = self
            .counts
            .iter()
            .find(|(issuer, _)| *issuer == waiting.issuer);
        if count.map_or(0, |(_, count)| *count) >= most {
            return Err(waiting);
        }
        self.count(&waiting.issuer);
        self.seats.push_back(Some(waiting));
        Ok(())
    }

    /// Takes out the first whose waiting may be over, with its ticket.
    pub(crate) fn next(&mut self, now_ms: u64) -> Option<(u64, Waiting)> {
        let ticket = match self.first_called() {
            Some(ticket) => ticket,
            None => self.is_over(now_ms).then_some(self.served)?,
        };
        Some((ticket, self.take(ticket)?))
    }

    /// Back to its seat: it has to wait on.
    pub(crate) fn put(&mut self, ticket: u64, waiting: Waiting) {
        self.count(&waiting.issuer);
        while self.served > ticket {
            self.served -= 1;
            self.seats.push_front(None);
        }
        match self.seat(ticket) {
            Some(seat) => *seat = Some(waiting),
            None => self.seats.push_back(Some(waiting)),
        }
    }

    /// There is news of these documents.
    pub(crate) fn call(&mut self, sources: &[u32]) {
        if sources.is_empty() {
            return;
        }
        for waiting in self.seats.iter_mut().flatten() {
            if !waiting.called && waiting.is_for(sources) {
                waiting.called = true;
                self.called += 1;
            }
        }
        self.none_before = self.served;
    }

    /// Whether [`Self::next`] has somebody.
    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        self.called > 0 || self.is_over(now_ms)
    }

    /// The client has left.
    pub(crate) fn leave(&mut self, request: u32) {
        let of = |seat: &Option<Waiting>| seat.as_ref().is_some_and(|w| w.request == request);
        let seat = self.seats.iter().position(of);
        let ticket = seat.and_then(|seat| u64::try_from(seat).ok());
        if let Some(ticket) = ticket {
            self.take(self.served + ticket);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// All wait equally long: who came first is also first at the end of it.
    fn is_over(&self, now_ms: u64) -> bool {
        let first = self.seats.front().and_then(Option::as_ref);
        first.is_some_and(|first| first.until_ms <= now_ms)
    }

    fn first_called(&mut self) -> Option<u64> {
        if self.called == 0 {
            return None;
        }
        let from = self.none_before.max(self.served);
        let skipped = usize::try_from(from - self.served).ok()?;
        let called = |seat: &Option<Waiting>| seat.as_ref().is_some_and(|w| w.called);
        let place = self.seats.iter().skip(skipped).position(called)?;
        self.none_before = from + u64::try_from(place).ok()?;
        Some(self.none_before)
    }

    fn take(&mut self, ticket: u64) -> Option<Waiting> {
        let mut waiting = self.seat(ticket)?.take()?;
        self.called -= usize::from(std::mem::take(&mut waiting.called));
        if let Some(place) = self.counts.iter().position(|(i, _)| *i == waiting.issuer)
            && let Some((_, count)) = self.counts.get_mut(place)
        {
            *count -= 1;
            if *count == 0 {
                self.counts.swap_remove(place);
            }
        }
        while let Some(None) = self.seats.front() {
            self.seats.pop_front();
            self.served += 1;
        }
        Some(waiting)
    }

    fn seat(&mut self, ticket: u64) -> Option<&mut Option<Waiting>> {
        let place = usize::try_from(ticket.checked_sub(self.served)?).ok()?;
        self.seats.get_mut(place)
    }

    fn count(&mut self, issuer: &Arc<str>) {
        match self.counts.iter_mut().find(|(known, _)| known == issuer) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((Arc::clone(issuer), 1)),
        }
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
            called: false,
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
        assert!(rooms.is_empty() && rooms.counts.is_empty());
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
