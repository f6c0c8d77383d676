//! Proofs of possession that may be used once, by all workers of this Envoy: a
//! table in the shared data, in buckets that change by compare-and-set.

use countersign::{Proof, Verification};

use crate::{
    bucket::{self, Bucket, Entered},
    host::shared,
};

/// Number of buckets. With 128 entries each, all have 131,072.
const BUCKETS: u64 = 1_024;
/// How often a change is tried that other workers were faster to make.
const TRIES: usize = 16;
/// A key in the shared data for the number that spreads proofs over the buckets:
/// nobody outside can choose proofs of one bucket.
const SEED: &str = "countersign.proofs";

/// Makes the buckets. Envoy configures a plugin once before its workers do, so
/// they exist for all workers: the first change of a value that does not exist
/// cannot be compared.
pub(crate) fn prepare(seed: u64) {
    if shared::get(SEED).is_none() {
        shared::set(SEED, &seed.to_le_bytes());
    }
    for index in 0..BUCKETS {
        let key = key(index);
        if shared::get(&key).is_none() {
            shared::set(&key, b"");
        }
    }
}

/// Enters a proof. The answer is `Failed` if there is no room for it.
pub(crate) fn first_use(proof: &Proof, now_ms: u64) -> Verification {
    let Some(seed) = shared::get(SEED).and_then(|(seed, _)| seed.try_into().ok()) else {
        return Verification::Failed;
    };
    let key = key(bucket::index(u64::from_le_bytes(seed), &proof.id, BUCKETS));
    for _ in 0..TRIES {
        let Some((bytes, version)) = shared::get(&key) else {
            return Verification::Failed;
        };
        let mut bucket = Bucket::read(&bytes, now_ms);
        match bucket.enter(proof) {
            Entered::First => {
                if shared::replace(&key, &bucket.write(), version).is_some() {
                    return Verification::Valid;
                }
            }
            Entered::Again => return Verification::Invalid,
            Entered::Full => return Verification::Failed,
        }
    }
    Verification::Failed
}

fn key(index: u64) -> String {
    ["countersign.proofs.", &index.to_string()].concat()
}
