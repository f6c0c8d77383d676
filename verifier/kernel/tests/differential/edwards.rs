//! Ed25519 against `verify_strict` of ed25519-dalek, with keys that have a
//! low-order component, sums of low order, and encodings that are not canonical.
use crate::random::Random;
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as B, EIGHT_TORSION};
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2_old::{Digest, Sha512};

fn challenge(r: &[u8; 32], a: &[u8; 32], message: &[u8]) -> Scalar {
    Scalar::from_hash(
        Sha512::new()
            .chain_update(r)
            .chain_update(a)
            .chain_update(message),
    )
}

pub(crate) fn run(random: &mut Random, count: u64) -> u64 {
    let order: [u8; 32] = {
        let mut bytes = (-Scalar::ONE).to_bytes();
        bytes[0] += 1;
        bytes
    };
    let (mut valid, mut low_r, mut mixed) = (0, 0, 0);
    let mut at = 0;
    while at < count {
        let a = Scalar::from_bytes_mod_order(random.bytes::<32>());
        let torsion = if random.one_in(2) {
            EIGHT_TORSION[random.below(8)]
        } else {
            EIGHT_TORSION[0]
        };
        let mut encoded = (B * a + torsion).compress().to_bytes();
        if random.one_in(3) {
            encoded = random.bytes();
        }
        let theirs = VerifyingKey::from_bytes(&encoded)
            .ok()
            .filter(|key| !key.is_weak());
        let canonical = |key: &VerifyingKey| key.to_edwards().compress().to_bytes() == encoded;
        let ours = countersign_kernel::curve::ed25519::VerifyingKey::new(&encoded);
        assert_eq!(
            ours.is_some(),
            theirs.as_ref().is_some_and(canonical),
            "key {encoded:02x?}"
        );
        let (Some(ours), Some(theirs)) = (ours, theirs) else {
            at += 1;
            continue;
        };
        for _ in 0..40 {
            at += 1;
            let mut message = vec![0; random.below(300)];
            message.fill_with(|| random.next() as u8);
            let nonce = Scalar::from_bytes_mod_order(random.bytes::<32>());
            let mut r = (B * nonce).compress().to_bytes();
            // Sums with a low-order component, of low order only, or another encoding.
            let part = EIGHT_TORSION[random.below(8)];
            let kind = random.below(10);
            let mut nonce_used = nonce;
            match kind {
                0 | 1 => r = (B * nonce + part).compress().to_bytes(),
                2 | 3 => {
                    r = part.compress().to_bytes();
                    nonce_used = Scalar::ZERO;
                }
                4 => r = random.bytes(),
                _ => {}
            }
            let k = challenge(&r, &encoded, &message);
            let mut s = (nonce_used + k * a).to_bytes();
            match random.below(14) {
                0 => {
                    // The same residue, not below the order.
                    let mut carry = 0;
                    for (s, l) in s.iter_mut().zip(order) {
                        let sum = *s as u16 + l as u16 + carry;
                        *s = sum as u8;
                        carry = sum >> 8;
                    }
                }
                1 => s[random.below(32)] ^= 1 << random.below(8),
                2 => s = random.bytes(),
                3 => s = order,
                4 if !message.is_empty() => {
                    let at = random.below(message.len());
                    message[at] ^= 1;
                }
                _ => {}
            }
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&r);
            signature[32..].copy_from_slice(&s);
            let found = ours.verify(&message, &signature);
            let reference = Signature::from_bytes(&signature);
            let expected = theirs.verify_strict(&message, &reference).is_ok();
            assert_eq!(
                found, expected,
                "{encoded:02x?} {message:02x?} {signature:02x?}"
            );
            valid += found as u64;
            mixed += (found && torsion != EIGHT_TORSION[0]) as u64;
            // That the rule against a low-order `R` decides something.
            let accepted_otherwise =
                ed25519_dalek::Verifier::verify(&theirs, &message, &reference).is_ok();
            let decoded = CompressedEdwardsY(r).decompress();
            low_r += (accepted_otherwise && !found && decoded.is_some_and(|r| r.is_small_order()))
                as u64;
        }
    }
    println!(
        "  Ed25519: {mixed} valid by keys with a low-order component, {low_r} refused only for a low-order R"
    );
    assert!(count < 5000 || (mixed > 0 && low_r > 0));
    valid
}
