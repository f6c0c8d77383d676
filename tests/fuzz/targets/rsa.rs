//! Compares RSA with big integers, for any modulus, exponent and signature.
#![no_main]

use countersign_kernel::rsa::PublicKey;
use libfuzzer_sys::fuzz_target;
use num_bigint::BigUint;

fuzz_target!(|input: (u8, [u8; 4], Vec<u8>, Vec<u8>)| {
    let (length, exponent, modulus, signature) = input;
    // 2048 to 4088 bits. The input is repeated up to this length.
    let length = 256 + usize::from(length);
    let Some(mut modulus) = repeated(&modulus, length) else {
        return;
    };
    modulus[length - 1] |= 1;
    let Some(signature) = repeated(&signature, length) else {
        return;
    };
    let exponent = match exponent {
        [0, ..] => vec![1, 0, 1],
        exponent => exponent.to_vec(),
    };
    let Some(key) = PublicKey::new(&modulus, &exponent) else {
        return;
    };

    let (n, e) = (
        BigUint::from_bytes_be(&modulus),
        BigUint::from_bytes_be(&exponent),
    );
    let s = BigUint::from_bytes_be(&signature);
    let bytes = n.to_bytes_be().len();
    let signature = &signature[length - bytes..];
    let fits = s.bits() <= 8 * bytes as u64 && s < n;
    let wanted = fits.then(|| {
        let power = s.modpow(&e, &n).to_bytes_be();
        [vec![0; bytes - power.len()], power].concat()
    });
    if fits || s.bits() <= 8 * bytes as u64 {
        assert_eq!(key.power(signature), wanted);
    }
});

fn repeated(part: &[u8], length: usize) -> Option<Vec<u8>> {
    (!part.is_empty()).then(|| part.iter().copied().cycle().take(length).collect())
}
