//! Wrong credentials: after some, their place is not listened to for a while.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Memory is bounded by places, which peers share by chance: nobody chooses with whom,
/// as the hash has a random key.
const PLACES: usize = 4096;

/// So many wrong ones at once, and one more every [`PAUSE`].
const BURST: u32 = 10;
const PAUSE: Duration = Duration::from_secs(3);

/// Counts wrong credentials by peer (`None` is whoever is at the Unix socket) and name. A caller with the right ones is not held up
/// by somebody elsewhere who tries its name.
pub(super) struct Throttle {
    places: Box<[Mutex<Place>]>,
    hashes: RandomState,
}

/// When the wrong ones that count will be forgotten.
#[derive(Default)]
struct Place(Option<Instant>);

/// Too many wrong ones: how long to wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany(pub(super) Duration);

impl Throttle {
    pub(super) fn new() -> Self {
        Self {
            places: (0..PLACES).map(|_| Mutex::default()).collect(),
            hashes: RandomState::new(),
        }
    }

    /// Whether credentials of this name from this peer are looked at.
    ///
    /// # Errors
    /// Not now.
    pub(super) fn admit(
        &self,
        peer: Option<IpAddr>,
        name: &str,
        now: Instant,
    ) -> Result<(), TooMany> {
        let place = self.place(peer, name).lock();
        let place = place.unwrap_or_else(PoisonError::into_inner);
        let owed = place
            .0
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        match owed.checked_sub(PAUSE * (BURST - 1)) {
            Some(wait) if !wait.is_zero() => Err(TooMany(wait)),
            _ => Ok(()),
        }
    }

    /// They were wrong.
    pub(super) fn wrong(&self, peer: Option<IpAddr>, name: &str, now: Instant) {
        let place = self.place(peer, name).lock();
        let mut place = place.unwrap_or_else(PoisonError::into_inner);
        let from = place.0.map_or(now, |until| until.max(now));
        place.0 = Some(from + PAUSE);
    }

    fn place(&self, peer: Option<IpAddr>, name: &str) -> &Mutex<Place> {
        let hash = self.hashes.hash_one((peer.map(network), name));
        &self.places[hash as usize % PLACES]
    }
}

/// The network of one site: who has one of its addresses has all.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & (u128::MAX << 64)).into()),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, time::Instant};

    use super::{BURST, PAUSE, Throttle};
    fn peer(address: &str) -> Option<IpAddr> {
        Some(address.parse().unwrap())
    }

    #[test]
    fn after_a_burst_of_wrong_ones_a_place_is_not_listened_to_until_one_is_forgotten() {
        let (throttle, now, peer) = (Throttle::new(), Instant::now(), peer("192.0.2.1"));
        for _ in 0..BURST {
            assert!(throttle.admit(peer, "orders", now).is_ok());
            throttle.wrong(peer, "orders", now);
        }
        let too_many = throttle.admit(peer, "orders", now).unwrap_err();
        assert_eq!(too_many.0, PAUSE);
        assert!(throttle.admit(peer, "orders", now + PAUSE).is_ok());
        throttle.wrong(peer, "orders", now + PAUSE);
        assert!(throttle.admit(peer, "orders", now + PAUSE).is_err());
        assert!(
            throttle
                .admit(peer, "orders", now + PAUSE * (BURST + 1))
                .is_ok()
        );
    }

    #[test]
    fn wrong_ones_elsewhere_and_of_another_name_do_not_count() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        for _ in 0..=BURST {
            throttle.wrong(peer("192.0.2.1"), "orders", now);
        }
        // By chance one of many shares a place, which is no fault.
        let admitted = |peer, name: &str| throttle.admit(peer, name, now).is_ok();
        let others = (0..20).filter(|number| admitted(peer("192.0.2.2"), &format!("{number}")));
        assert!(others.count() >= 19);
        assert!(!admitted(peer("192.0.2.1"), "orders"));
    }

    #[test]
    fn a_whole_ipv6_network_of_one_site_counts_as_one_peer() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        for host in 0..=BURST {
            throttle.wrong(peer(&format!("2001:db8::{host:x}")), "orders", now);
        }
        assert!(
            throttle
                .admit(peer("2001:db8::ffff"), "orders", now)
                .is_err()
        );
    }
}
