//! Compares Ed25519 with the strict verification of ed25519-dalek.
#![no_main]

use countersign_kernel::curve::ed25519::VerifyingKey;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey as Theirs};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, [u8; 32], [u8; 64], Vec<u8>)| {
    let (sign, key, mut signature, message) = input;
    let key = if sign {
        // A valid signature, changed where the input has bytes other than zero.
        let signing = SigningKey::from_bytes(&key);
        let good = signing.sign(&message).to_bytes();
        signature
            .iter_mut()
            .zip(good)
            .for_each(|(byte, good)| *byte ^= good);
        signing.verifying_key().to_bytes()
    } else {
        key
    };
    // Only keys in the canonical encoding, and none of low order.
    let theirs = Theirs::from_bytes(&key).ok();
    let theirs = theirs.filter(|theirs| !theirs.is_weak());
    let theirs = theirs.filter(|theirs| theirs.to_edwards().compress().to_bytes() == key);
    let ours = VerifyingKey::new(&key);
    assert_eq!(ours.is_some(), theirs.is_some());
    if let (Some(ours), Some(theirs)) = (ours, theirs) {
        let wanted = theirs.verify_strict(&message, &Signature::from_bytes(&signature));
        assert_eq!(ours.verify(&message, &signature), wanted.is_ok());
    }
});
