//! Grants by their numbers: the module is called once for each.

use std::collections::{HashMap, VecDeque};

use crate::decision::Grant;

/// As many as the default number of remembered tokens.
const PLACES: usize = 1024;

/// The largest size of all together: a thousand tokens of usual size, or a few
/// hundred of the largest.
const MAX_BYTES: usize = 4 << 20;

/// The grants last seen, the oldest forgotten first.
#[derive(Default)]
pub(crate) struct Grants {
    by_number: HashMap<u64, Grant>,
    in_order: VecDeque<u64>,
    bytes: usize,
}

impl Grants {
    pub(crate) fn find(&self, number: u64) -> Option<&Grant> {
        self.by_number.get(&number)
    }

    pub(crate) fn keep(&mut self, number: u64, grant: Grant) {
        self.bytes += grant.bytes();
        self.in_order.push_back(number);
        if let Some(replaced) = self.by_number.insert(number, grant) {
            self.bytes -= replaced.bytes();
            self.in_order.pop_back();
        }
        while self.in_order.len() > PLACES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.in_order.pop_front() else {
                return;
            };
            let forgotten = self.by_number.remove(&oldest);
            self.bytes -= forgotten.map_or(0, |grant| grant.bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Grants, MAX_BYTES, PLACES};
    use crate::decision::{Grant, Principal};

    fn grant(claims: usize) -> Grant {
        let principal = Principal {
            issuer: "platform".into(),
            iss: "https://auth.example.com".into(),
            subject: None,
            token_type: None,
            tenant: None,
            tenants: Vec::new(),
            roles: Vec::new(),
            scopes: Vec::new(),
            expires_at_ms: None,
            claims: "x".repeat(claims),
        };
        Grant::of_principal(Some(Arc::new(principal)))
    }

    #[test]
    fn as_many_are_kept_as_there_are_places() {
        let mut grants = Grants::default();
        for number in 0..2 * PLACES as u64 {
            grants.keep(number, grant(10));
            grants.keep(number, grant(20));
        }
        assert_eq!(grants.by_number.len(), PLACES);
        assert!(grants.find(PLACES as u64 - 1).is_none());
        assert!(grants.find(PLACES as u64).is_some());
    }

    #[test]
    fn large_ones_are_kept_within_a_bound_of_bytes() {
        let mut grants = Grants::default();
        for number in 0..PLACES as u64 {
            grants.keep(number, grant(100_000));
            assert!(grants.bytes <= MAX_BYTES);
        }
        assert!(grants.by_number.len() < MAX_BYTES / 100_000 + 1);
        let last = PLACES as u64 - 1;
        assert!(grants.find(last).is_some() && grants.find(0).is_none());
        // One that takes more than all may have is not kept, nor are others.
        grants.keep(PLACES as u64, grant(MAX_BYTES));
        assert_eq!((grants.bytes, grants.in_order.len()), (0, 0));
    }
}
