//! Waiting rooms: each issuer has its own, so that an issuer that does not
//! answer fills only its own room. This module answers no request; the plugin
//! takes a few at a time, in their order of arrival.

use std::{collections::VecDeque, sync::Arc};

use crate::waiting::Waiting;

/// The waiting rooms of a plugin.
#[derive(Default)]
pub(crate) struct Rooms {
    /// The requests in their order of arrival. The first seat has the ticket
    /// `served`. A request that leaves makes its seat empty.
    seats: VecDeque<Option<Waiting>>,
    served: u64,
    /// Number of requests to check again, and the ticket before which there is
    /// none.
    marked: usize,
    no_mark_before: u64,
    /// Number of requests in the room of each issuer.
    counts: Vec<(Arc<str>, usize)>,
}

impl Rooms {
    /// Adds a request, or returns it if its room already has `max` requests.
    pub(crate) fn enter(&mut self, waiting: Waiting, max: usize) -> Result<(), Waiting> {
        let count = self
            .counts
            .iter()
            .find(|(issuer, _)| *issuer == waiting.issuer);
        if count.map_or(0, |(_, count)| *count) >= max {
            return Err(waiting);
        }
        self.count(&waiting.issuer);
        self.seats.push_back(Some(waiting));
        Ok(())
    }

    /// Takes the first request to check again, with its ticket.
    pub(crate) fn next(&mut self, now_ms: u64) -> Option<(u64, Waiting)> {
        let ticket = match self.first_marked() {
            Some(ticket) => ticket,
            None => self.is_over(now_ms).then_some(self.served)?,
        };
        Some((ticket, self.take(ticket)?))
    }

    /// Puts a request back into its seat, because it must continue to wait.
    pub(crate) fn put_back(&mut self, ticket: u64, waiting: Waiting) {
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

    /// Marks the requests that wait for these documents or requests: they are
    /// checked again.
    pub(crate) fn mark_updated(&mut self, sources: &[u32], tickets: &[u64]) {
        if sources.is_empty() && tickets.is_empty() {
            return;
        }
        for waiting in self.seats.iter_mut().flatten() {
            if !waiting.marked && waiting.is_for(sources, tickets) {
                waiting.marked = true;
                self.marked += 1;
            }
        }
        self.no_mark_before = self.served;
    }

    /// Returns whether [`Self::next`] has a request.
    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        self.marked > 0 || self.is_over(now_ms)
    }

    /// Removes a request whose client has left.
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

    /// Returns whether the waiting time of the first request is over. All
    /// requests wait equally long, so the first one ends first.
    fn is_over(&self, now_ms: u64) -> bool {
        let first = self.seats.front().and_then(Option::as_ref);
        first.is_some_and(|first| first.until_ms <= now_ms)
    }

    fn first_marked(&mut self) -> Option<u64> {
        if self.marked == 0 {
            return None;
        }
        let from = self.no_mark_before.max(self.served);
        let skipped = usize::try_from(from - self.served).ok()?;
        let marked = |seat: &Option<Waiting>| seat.as_ref().is_some_and(|w| w.marked);
        let place = self.seats.iter().skip(skipped).position(marked)?;
        self.no_mark_before = from + u64::try_from(place).ok()?;
        Some(self.no_mark_before)
    }

    fn take(&mut self, ticket: u64) -> Option<Waiting> {
        let mut waiting = self.seat(ticket)?.take()?;
        self.marked -= usize::from(std::mem::take(&mut waiting.marked));
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
    use countersign::Code;

    use super::*;

    fn waiting(request: u32, issuer: &str, source: u32) -> Waiting {
        Waiting {
            request,
            issuer: issuer.into(),
            sources: vec![source],
            tickets: Vec::new(),
            missing: Code::KeysUnavailable,
            until_ms: 100,
            marked: false,
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
    fn a_full_room_does_not_affect_other_issuers() {
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
    fn requests_leave_in_their_order_of_arrival() {
        let mut rooms = Rooms::default();
        for request in 0..4 {
            rooms.enter(waiting(request, "a", request % 2), 9).unwrap();
        }
        rooms.mark_updated(&[1], &[]);
        assert!(rooms.is_due(0));
        assert_eq!(requests(&mut rooms, 0), [1, 3]);
        assert!(!rooms.is_due(99));
        assert_eq!(
            requests(&mut rooms, 100),
            [0, 2],
            "at the end of their waiting time"
        );
        assert!(rooms.is_empty() && rooms.counts.is_empty());
    }

    #[test]
    fn a_request_that_continues_to_wait_keeps_its_place() {
        let mut rooms = Rooms::default();
        rooms.enter(waiting(7, "a", 0), 9).unwrap();
        rooms.enter(waiting(8, "a", 0), 9).unwrap();
        rooms.mark_updated(&[0], &[]);
        let (ticket, first) = rooms.next(0).unwrap();
        rooms.put_back(ticket, first);
        assert_eq!(
            requests(&mut rooms, 0),
            [8],
            "the first has no new document"
        );
        rooms.mark_updated(&[0], &[]);
        assert_eq!(requests(&mut rooms, 0), [7]);
    }

    #[test]
    fn a_request_that_left_is_not_returned() {
        let mut rooms = Rooms::default();
        rooms.enter(waiting(7, "a", 0), 9).unwrap();
        rooms.mark_updated(&[0], &[]);
        rooms.leave(7);
        assert!(rooms.next(1_000).is_none());
    }
}
