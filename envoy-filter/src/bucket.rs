//! One bucket of the table of proofs: entries of 40 bytes.

use countersign::Proof;

/// Maximum number of entries, and of those of one key: nobody fills a bucket alone.
const ENTRIES: usize = 128;
const OWNED: usize = 16;

/// The first half of a hash: finding two alike takes 2^64 tries.
type Half = [u8; 16];

#[derive(Clone, Copy)]
struct Entry {
    expires_ms: u64,
    id: Half,
    owner: Half,
}

/// The entries that have not expired.
pub(crate) struct Bucket(Vec<Entry>);

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entered {
    First,
    Again,
    Full,
}

/// Returns the bucket of a proof.
pub(crate) fn index(seed: u64, id: &[u8; 32], buckets: u64) -> u64 {
    // FNV-1a from a secret start: outside, only full buckets could show it.
    let hash = id.iter().fold(seed, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 32) % buckets
}

impl Bucket {
    pub(crate) fn read(bytes: &[u8], now_ms: u64) -> Self {
        let (entries, _) = bytes.as_chunks::<40>();
        let entries = entries.iter().filter_map(Entry::read);
        Self(entries.filter(|entry| entry.expires_ms > now_ms).collect())
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 40);
        for entry in &self.0 {
            bytes.extend(entry.expires_ms.to_le_bytes());
            bytes.extend(entry.id);
            bytes.extend(entry.owner);
        }
        bytes
    }

    pub(crate) fn enter(&mut self, proof: &Proof) -> Entered {
        let (id, owner) = (half(&proof.id), half(&proof.owner));
        if self.0.iter().any(|entry| entry.id == id) {
            return Entered::Again;
        }
        let owned = self.0.iter().filter(|entry| entry.owner == owner).count();
        if self.0.len() >= ENTRIES || owned >= OWNED {
            return Entered::Full;
        }
        self.0.push(Entry {
            expires_ms: proof.expires_ms,
            id,
            owner,
        });
        Entered::First
    }
}

impl Entry {
    fn read(bytes: &[u8; 40]) -> Option<Self> {
        let (expires, rest) = bytes.split_first_chunk()?;
        let (id, owner) = rest.split_first_chunk()?;
        Some(Self {
            expires_ms: u64::from_le_bytes(*expires),
            id: *id,
            owner: *owner.first_chunk()?,
        })
    }
}

fn half(hash: &[u8; 32]) -> Half {
    let (half, _) = hash.split_first_chunk().unwrap_or((&[0; 16], &[]));
    *half
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(id: u8, owner: u8) -> Proof {
        Proof {
            ticket: 0,
            id: [id; 32],
            owner: [owner; 32],
            expires_ms: 100,
        }
    }

    #[test]
    fn a_proof_is_entered_once_until_it_expires() {
        let mut bucket = Bucket::read(b"", 0);
        assert_eq!(bucket.enter(&proof(1, 1)), Entered::First);
        let bytes = bucket.write();
        assert_eq!(Bucket::read(&bytes, 99).enter(&proof(1, 1)), Entered::Again);
        assert_eq!(Bucket::read(&bytes, 99).enter(&proof(2, 1)), Entered::First);
        assert_eq!(
            Bucket::read(&bytes, 100).enter(&proof(1, 1)),
            Entered::First
        );
    }

    #[test]
    fn one_key_does_not_fill_a_bucket_and_a_full_one_forgets_nothing() {
        let mut bucket = Bucket::read(b"", 0);
        for id in 0..u8::try_from(ENTRIES).unwrap() {
            assert_eq!(bucket.enter(&proof(id, id / 16)), Entered::First);
        }
        assert_eq!(bucket.enter(&proof(200, 99)), Entered::Full);
        assert_eq!(bucket.enter(&proof(0, 99)), Entered::Again);

        let mut bucket = Bucket::read(b"", 0);
        for id in 0..16 {
            assert_eq!(bucket.enter(&proof(id, 1)), Entered::First);
        }
        assert_eq!(bucket.enter(&proof(16, 1)), Entered::Full);
        assert_eq!(bucket.enter(&proof(16, 2)), Entered::First);
    }

    #[test]
    fn proofs_are_spread_over_the_buckets() {
        let mut seen = vec![0_u32; 64];
        for number in 0..6_400_u32 {
            let mut id = [0; 32];
            id[..4].copy_from_slice(&number.to_be_bytes());
            let index = index(0x1234_5678_9abc_def1, &id, 64);
            seen[usize::try_from(index).unwrap()] += 1;
        }
        assert!(
            seen.iter().all(|count| (50..200).contains(count)),
            "{seen:?}"
        );
    }
}
