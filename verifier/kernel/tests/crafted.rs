//! Signatures chosen by the signer so that the last round adds equal or opposite points. They
//! were made with known discrete logarithms (see `differential/crafted.rs`), for combs with 7
//! teeth for the generator and 5 for a key.

use countersign_kernel::curve::p256::VerifyingKey;

fn hex<const N: usize>(text: &str) -> [u8; N] {
    assert_eq!(text.len(), 2 * N);
    std::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
}

/// What is met, whether the signature is good, then `x`, `y`, digest and signature.
const CASES: [(&str, bool, [&str; 4]); 7] = [
    (
        "equal to the last entry",
        true,
        [
            "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978",
            "f888aaee24712fc0d6c26539608bcf244582521ac3167dd661fb4862dd878c2e",
            "e930180135469c1558d59d0d4302f00117fefdf77126f88dbdd3a000bccb4dca",
            "0b1078b41b4f718652e5e27299534bb42ef3161cd83d2746f7ed736c8defbb227e68190e94ea4d0deba2def209013cf71f2783b48b603e523bcff496fa87644b",
        ],
    ),
    (
        "opposite to the last entry, so the sum is at infinity",
        false,
        [
            "54ccc9415026d73f20a845b72a58e5b18bd27f198542a0beeea6bc92071e5c83",
            "1c433f45b45145323a8f8715dad2bf22929e0bcc5d8ee496cfd08ef7140916a1",
            "85c13447e44414b1ad7d675aa6a97479c99c9c33865757cbefe8e1c3fe1ec977",
            "8059356846ab323ba610472485b9552807e67139be357720870246be29d6b5bfc36302cedb4c60f6670e549621fc47d97e221cfc41c360204ee755c21a7cc6bf",
        ],
    ),
    (
        "equal to the key's first entry",
        true,
        [
            "bfa6f32b2b6318f71ec8d89daf5d3fb996b26d7014d0e30e88a60f958fb4aa76",
            "9063370ac640d298088985114a877af2596bf2f48d987c9657a18ee4e0864756",
            "61a8ee0b981bd7679a902893fef14fc9fa03f7ea3b1c2c4f8003ab44eb598645",
            "15400f9a5611361574f19c0df277b1c48f12c4e9cfc156fd8c3f408b1256e1569750ce2e751c1e9c31ee0f1764d6208ddd95345a9b5ad3528069171480a53317",
        ],
    ),
    (
        "opposite to the key's first entry",
        true,
        [
            "d0e0919688e932b64134bf13b346027cd8a7fd0b7d761d04ac24e6436e12e1df",
            "069c9a59fe7d1452b4eb60b691dbf867544cc4bd9846b8df6a6544db9fd28fbe",
            "3aee8da11f105a1e9f2235ed37a79913d6f964242aded3a5ee22bff0eaeff43d",
            "b7fb2f0b68e2bb6f1f267b72acb83874e93dfa020fed4c5f823fe02bd2f423ac4b7fb2f0768e2bb731f267b72acb83873dcd9e4b8ac4bc67351270b37c480b8f",
        ],
    ),
    (
        "opposite to the generator's second entry",
        true,
        [
            "d32e851a25c965c2fba2f5bdf8f0482610ec719690525db1fe39d9aca1dc428e",
            "6bec05a1fcc5d64e45cc6d22a98a834031f58d904694f768b551d5b501cfe158",
            "cb24da3dc320dc83f7eee5fc0be4a510370f0af3028893227da25bd438f303a4",
            "3a909da7047cacb86c50e6b8f193933d8517cb4ebd21a03fe48f4f8edf91f6b5863ebf7fb3b99a9bc209272a28b6d0f7fc65eccda9fd996b04f80f44b32d90d1",
        ],
    ),
    (
        "equal to the generator's second entry",
        true,
        [
            "51590b7a515140d2d784c85608668fdfef8c82fd1f5be52421554a0dc3d033ed",
            "e0c17da8904a727d8ae1bf36bf8a79260d012f00d4d80888d1d0bb44fda16da4",
            "f6091c80d6ae3146a07d58dae1e49b41d80dc1d7bb2655708b25cd508d614e33",
            "563f932a9623d524c57db2cc17e07c8bbde568daa6ae4f779f3c74841fbf4589e1303f529b4ee0e257bcdcf586bf6528d565a8e575ce41e7c1f9799a8f19f801",
        ],
    ),
    (
        "opposite to the generator's first entry",
        true,
        [
            "b01a172a76a4602c92d3242cb897dde3024c740debb215b4c6b0aae93c2291a9",
            "e85c10743237dad56fec0e2dfba703791c00f7701c7e16bdfd7c48538fc77fe2",
            "0dfb131bed47eb21e9f20806b1ff2c49f8014ce5016db91046d70e62088fd749",
            "4872a3650b77bf9d53232cd2f023882e7ba08817467d2239e9ee9d2bf395f894ca28e7b0a65bdda02479ed6a039462d9aa72e519f92b54de1b80c18139870199",
        ],
    ),
];

#[test]
fn sums_that_meet_equal_or_opposite_points_are_right() {
    for (met, good, [x, y, digest, signature]) in CASES {
        let key = VerifyingKey::new(&hex(x), &hex(y)).expect("a good key");
        let (digest, mut signature) = (hex(digest), hex(signature));
        assert_eq!(key.verify(&digest, &signature), good, "{met}");
        assert!(
            countersign_kernel::curve::check::p256_needs_complete_addition(
                &key, &digest, &signature
            ),
            "{met}"
        );
        signature[63] ^= 1;
        assert!(!key.verify(&digest, &signature), "{met}, bent");
    }
}

#[test]
fn scalars_out_of_range_and_points_off_the_curve_are_refused() {
    let order: [u8; 32] = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let (_, _, [x, y, digest, signature]) = CASES[0];
    let key = VerifyingKey::new(&hex(x), &hex(y)).expect("a good key");
    for bad in [[0; 32], order, [0xff; 32]] {
        let mut r: [u8; 64] = hex(signature);
        r[..32].copy_from_slice(&bad);
        assert!(!key.verify(&hex(digest), &r));
        let mut s: [u8; 64] = hex(signature);
        s[32..].copy_from_slice(&bad);
        assert!(!key.verify(&hex(digest), &s));
    }
    assert!(VerifyingKey::new(&hex(y), &hex(x)).is_none());
    assert!(VerifyingKey::new(&[0; 32], &[0; 32]).is_none());
    // The point (5, ...) with 5 + p for its abscissa.
    let high = hex("ffffffff00000001000000000000000000000001000000000000000000000004");
    let y5 = hex("459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc");
    assert!(VerifyingKey::new(&high, &y5).is_none());
    let mut five = [0; 32];
    five[31] = 5;
    assert!(VerifyingKey::new(&five, &y5).is_some());
}
