//! Compares ECDSA on P-256 with the crate `p256`.
#![no_main]

use std::sync::LazyLock;

use countersign_kernel::curve::p256::VerifyingKey;
use libfuzzer_sys::fuzz_target;
use p256::{
    ecdsa::{Signature, SigningKey, signature::hazmat::PrehashVerifier},
    elliptic_curve::sec1::ToSec1Point,
};

struct Keys {
    ours: VerifyingKey,
    theirs: p256::ecdsa::VerifyingKey,
    signing: SigningKey,
}

/// Keys with scalars 1 to 16, for which additions get equal and opposite points,
/// and with large scalars.
static KEYS: LazyLock<Vec<Keys>> = LazyLock::new(|| {
    let scalars = (1..=16)
        .map(|n| (0, n))
        .chain((1..=16).map(|n| (n * 13, 255 - n)));
    let keys = scalars.map(|(first, last)| {
        let mut scalar = [first; 32];
        scalar[31] = last;
        let signing = SigningKey::from_slice(&scalar).expect("below the order");
        let theirs = *signing.verifying_key();
        let point = theirs.as_affine().to_sec1_point(false);
        let (x, y) = point.as_bytes()[1..].split_at(32);
        let ours = VerifyingKey::new(x.try_into().unwrap(), y.try_into().unwrap());
        Keys {
            ours: ours.expect("a point of the curve"),
            theirs,
            signing,
        }
    });
    keys.collect()
});

fuzz_target!(|input: (u8, bool, [u8; 32], [u8; 64])| {
    let (key, sign, digest, mut signature) = input;
    let key = &KEYS[usize::from(key) % KEYS.len()];
    if sign {
        use p256::ecdsa::signature::hazmat::PrehashSigner;
        // A valid signature, changed where the input has bytes other than zero.
        let good: Signature = key.signing.sign_prehash(&digest).expect("it signs");
        let good = good.to_bytes();
        signature
            .iter_mut()
            .zip(good)
            .for_each(|(byte, good)| *byte ^= good);
    }
    let wanted = Signature::from_slice(&signature)
        .is_ok_and(|signature| key.theirs.verify_prehash(&digest, &signature).is_ok());
    assert_eq!(key.ours.verify(&digest, &signature), wanted);
});
