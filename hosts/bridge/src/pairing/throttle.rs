//! How often somebody may begin, and guess: by address and in total, over all replicas.

use std::net::IpAddr;

use crate::{app::App, refusal::Refusal};

/// As long as a code is good.
pub(super) const WINDOW_MS: i64 = 600_000;

/// Of a million places: how many rows a window can have, whoever asks from wherever.
const PLACES: i64 = 1 << 20;

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    scope: &'static str,
    /// In a window.
    most: i64,
}

/// Codes that are made. Twice the total is the most that wait at a time, and with
/// [`GUESSES`] bounds the chance to meet one by guessing: 2,000 tries, 20,000 codes, 2^34.6
/// possible ones, which is one in 640 windows for all who guess together (RFC 8628 §5.1).
pub(super) const STARTS_OF_ADDRESS: Count = Count::new("pair start address", 60);
pub(super) const STARTS: Count = Count::new("pair start", 10_000);

/// User codes that are wrong.
pub(super) const GUESSES_OF_ADDRESS: Count = Count::new("pair guess address", 20);
pub(super) const GUESSES_OF_PERSON: Count = Count::new("pair guess person", 20);
pub(super) const GUESSES: Count = Count::new("pair guess", 2000);

/// A try that was counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tried {
    scope: &'static str,
    place: i64,
    now: i64,
}

impl Count {
    const fn new(scope: &'static str, most: i64) -> Self {
        Self { scope, most }
    }
}

/// Counts one; `None` where there were enough in this window. It is counted before it is
/// looked at, so that many at once are not more.
pub(super) async fn admit(app: &App, count: Count, of: &str) -> Result<Option<Tried>, Refusal> {
    let now = app.clock.now_ms();
    let hash = app.sealer.keyed_hash(count.scope, of.as_bytes());
    let [a, b, c, d, ..] = hash;
    let place = i64::from(u32::from_be_bytes([a, b, c, d])) % PLACES;
    let hits = app.store.hit(count.scope, place, WINDOW_MS, now).await?;
    let tried = Tried {
        scope: count.scope,
        place,
        now,
    };
    Ok((hits <= count.most).then_some(tried))
}

/// It was no guess.
pub(super) async fn forgive(app: &App, tried: &[Tried]) -> Result<(), Refusal> {
    for Tried { scope, place, now } in tried {
        app.store.unhit(scope, *place, WINDOW_MS, *now).await?;
    }
    Ok(())
}

/// The network of one site: who has one of its addresses has all.
pub(super) fn network(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let network = u128::from(address) & (u128::MAX << 64);
            std::net::Ipv6Addr::from(network).to_string()
        }
    }
}
