//! Changes of a token: of the numbers of its signature, of its bytes, of its text.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use num_bigint::BigUint;

use crate::{
    curves::{self, Ecdsa},
    pool::{Pool, Secret, Token, input},
    random::Random,
    rsa::fixed,
};

/// A token to decide about.
pub(crate) struct Case {
    pub(crate) token: String,
    /// Whether it is good, if that is known.
    pub(crate) is_good: Option<bool>,
}

/// Chooses a token of the pool, and changes most of them in one way.
pub(crate) fn case(random: &mut Random, pool: &Pool) -> Case {
    let token = pool.token(random);
    let is_changed = !random.one_in(5);
    let mut header = token.header.clone();
    let mut signature = token.signature.clone();
    if is_changed {
        match random.below(8) {
            0 => {
                // Another key signs, or the same one for another algorithm.
                let other = random.of(&pool.tokens);
                header = other.header.clone();
            }
            1 => {
                header
                    .as_object_mut()
                    .expect("a header")
                    .shift_remove("kid");
            }
            2 | 3 => damage(random, &mut signature),
            _ => numbers(random, pool, token, &mut signature),
        }
    }
    let mut text = format!(
        "{}.{}",
        input(&header, &token.claims),
        B64.encode(&signature)
    );
    if is_changed && random.one_in(16) {
        // Any bit of the text: mostly of the signed bytes.
        let place = random.below(text.len());
        let mut bytes = text.into_bytes();
        bytes[place] ^= 1 << random.below(7);
        text = String::from_utf8_lossy(&bytes).into_owned();
    }
    Case {
        token: text,
        is_good: token.is_good.filter(|_| !is_changed),
    }
}

/// Changes bytes, whatever they mean.
fn damage(random: &mut Random, signature: &mut Vec<u8>) {
    let place = random.below(signature.len());
    match random.below(8) {
        0..=2 => signature[place] ^= 1 << random.below(8),
        3 => signature[place] = random.next() as u8,
        4 => signature.truncate(place),
        5 => signature.extend(random.bytes(1 + place % 5)),
        6 => signature.insert(0, 0),
        _ => *signature = random.bytes(signature.len()),
    }
}

/// Changes the numbers of a signature: to others that are equal to them for a lax
/// verifier, or to those at the ends of their ranges.
fn numbers(random: &mut Random, pool: &Pool, token: &Token, signature: &mut Vec<u8>) {
    match &pool.keys[token.key].secret {
        Secret::Rsa(key) => {
            let s = BigUint::from_bytes_be(signature);
            let one = BigUint::from(1_u8);
            let changed = match random.below(10) {
                0 => BigUint::ZERO,
                1 => one,
                2 => &key.n - one,
                3 => key.n.clone(),
                4 => &key.n + one,
                5 | 6 => s + &key.n,
                7 => &key.n - s % &key.n,
                8 => s + one,
                _ => s % (&key.n >> 9),
            };
            *signature = key.bytes(&changed);
        }
        Secret::Ecdsa(key) => ecdsa(random, key, signature),
        Secret::Ed25519(_) if signature.len() == 64 => ed25519(random, signature),
        Secret::Hmac(_) => signature.truncate(signature.len() / 2),
        Secret::Ed25519(_) => damage(random, signature),
    }
}

fn ecdsa(random: &mut Random, key: &Ecdsa, signature: &mut Vec<u8>) {
    let order = key.curve.order();
    let length = key.curve.length();
    if signature.len() != 2 * length {
        return damage(random, signature);
    }
    let numbers = [&signature[..length], &signature[length..]].map(BigUint::from_bytes_be);
    let mut change = |number: &BigUint| match random.below(10) {
        0 => BigUint::ZERO,
        1 => BigUint::from(1_u8),
        2 => &order - 1_u8,
        3 => order.clone(),
        4 => &order + number,
        5 | 6 => &order - (number % &order),
        7 => number + 1_u8,
        _ => number.clone(),
    };
    let [r, s] = &numbers;
    let (r, s) = match change(s) {
        // The other valid signature of ECDSA.
        changed if *s < order && changed == &order - s => (r.clone(), changed),
        changed => (change(r), changed),
    };
    let (r, s) = match random.one_in(12) {
        true => (s, r),
        false => (r, s),
    };
    *signature = match random.one_in(12) {
        true => der(&r, &s),
        false => [fixed(&r, length), fixed(&s, length)].concat(),
    };
}

/// The form of a signature outside JOSE (RFC 3279 §2.2.3).
fn der(r: &BigUint, s: &BigUint) -> Vec<u8> {
    let integer = |number: &BigUint| {
        let bytes = [&[0][..], &number.to_bytes_be()].concat();
        [&[2, bytes.len() as u8], &*bytes].concat()
    };
    let content = [integer(r), integer(s)].concat();
    [&[0x30, content.len() as u8], &*content].concat()
}

fn ed25519(random: &mut Random, signature: &mut Vec<u8>) {
    let (r, s) = signature.split_at(32);
    let (mut r, mut s) = (r.to_vec(), s.to_vec());
    match random.below(8) {
        0 => r = curves::low_order(random),
        1 | 2 => r = curves::moved(&r, 1 + random.below(7)),
        3 => r[31] ^= 0x80,
        4 => s = vec![0; 32],
        _ => {
            let times = 1 + random.below(7);
            let number = BigUint::from_bytes_le(&s) + curves::ed25519_order() * times;
            s = fixed(&number, 32);
            s.reverse();
        }
    }
    *signature = [r, s].concat();
}
