//! The table of used proofs of one process.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    sync::{Mutex, PoisonError},
};

use super::{FirstUse, Proof};

/// The largest number of entries. With the default age and leeway of proofs, 90
/// seconds, that is 1,100 requests a second.
const ENTRIES: usize = 100_000;

/// The largest number of entries of one key.
const OWNED: u32 = 1_000;

/// Used proofs until they expire. A full table records no more: it never forgets
/// an entry that is alive.
#[derive(Default)]
pub(crate) struct Table(Mutex<Used>);

#[derive(Default)]
struct Used {
    /// The owners of the proofs.
    owner_of: HashMap<[u8; 32], [u8; 32]>,
    /// How many entries each owner has.
    owned: HashMap<[u8; 32], u32>,
    /// In the order in which they expire.
    by_expiry: BTreeSet<(u64, [u8; 32])>,
}

impl Table {
    pub(crate) fn first_use(&self, proof: &Proof, now_ms: u64) -> FirstUse {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used.forget_expired(now_ms);
        used.enter(proof)
    }
}

impl Used {
    fn enter(&mut self, proof: &Proof) -> FirstUse {
        let is_full = self.owner_of.len() >= ENTRIES;
        let Entry::Vacant(place) = self.owner_of.entry(proof.id) else {
            return FirstUse::No;
        };
        let owned = self.owned.entry(proof.owner).or_default();
        if is_full || *owned >= OWNED {
            if *owned == 0 {
                self.owned.remove(&proof.owner);
            }
            return FirstUse::Unknown;
        }
        *owned += 1;
        place.insert(proof.owner);
        self.by_expiry.insert((proof.expires_ms, proof.id));
        FirstUse::Yes
    }

    fn forget_expired(&mut self, now_ms: u64) {
        while let Some((expires_ms, id)) = self.by_expiry.first().copied() {
            if expires_ms > now_ms {
                break;
            }
            self.by_expiry.pop_first();
            let Some(owner) = self.owner_of.remove(&id) else {
                continue;
            };
            if let Entry::Occupied(mut owned) = self.owned.entry(owner) {
                *owned.get_mut() -= 1;
                if *owned.get() == 0 {
                    owned.remove();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(id: u32, owner: u8, expires_ms: u64) -> Proof {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&id.to_le_bytes());
        Proof {
            ticket: 0,
            id: hash,
            owner: [owner; 32],
            expires_ms,
        }
    }

    #[test]
    fn a_proof_is_used_once_until_it_expires() {
        let table = Table::default();
        assert_eq!(table.first_use(&proof(1, 1, 100), 0), FirstUse::Yes);
        assert_eq!(table.first_use(&proof(1, 1, 100), 99), FirstUse::No);
        // Then the gate refuses it by its age.
        assert_eq!(table.first_use(&proof(1, 1, 200), 100), FirstUse::Yes);
    }

    #[test]
    fn one_key_cannot_fill_the_table() {
        let table = Table::default();
        for id in 0..OWNED {
            assert_eq!(table.first_use(&proof(id, 1, 100), 0), FirstUse::Yes);
        }
        assert_eq!(table.first_use(&proof(OWNED, 1, 100), 0), FirstUse::Unknown);
        assert_eq!(table.first_use(&proof(0, 1, 100), 0), FirstUse::No);
        assert_eq!(table.first_use(&proof(OWNED, 2, 100), 0), FirstUse::Yes);
        assert_eq!(
            table.first_use(&proof(OWNED + 1, 1, 300), 100),
            FirstUse::Yes
        );
    }

    #[test]
    fn a_full_table_forgets_no_living_entry() {
        let table = Table::default();
        let entries = u32::try_from(ENTRIES).unwrap();
        for id in 0..entries {
            let owner = u8::try_from(id / OWNED).unwrap();
            assert_eq!(table.first_use(&proof(id, owner, 100), 0), FirstUse::Yes);
        }
        assert_eq!(
            table.first_use(&proof(entries, 200, 100), 0),
            FirstUse::Unknown
        );
        assert_eq!(table.first_use(&proof(0, 0, 100), 0), FirstUse::No);
        let used = table.0.lock().unwrap();
        assert!(!used.owned.contains_key(&[200; 32]));
        drop(used);
        assert_eq!(
            table.first_use(&proof(entries, 200, 200), 100),
            FirstUse::Yes
        );
        let used = table.0.lock().unwrap();
        assert_eq!((used.owner_of.len(), used.owned.len()), (1, 1));
    }
}
