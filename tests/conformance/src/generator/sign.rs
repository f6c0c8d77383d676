//! Makes signatures of every algorithm. No salt and no nonce is random, so that
//! every run gives the same bytes.

use hmac::{Hmac, KeyInit, Mac};
use rsa::{
    BoxedUint, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey,
    hazmat::rsa_decrypt,
    rand_core::TryCryptoRng,
    traits::{PublicKeyParts, SignatureScheme},
};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::key::Key;

/// Signs `input` with the algorithm of this name. An unknown name is signed
/// with RS256, because the name is the fault that the vector tests.
pub(crate) fn sign(key: &Key, alg: &str, input: &[u8]) -> Vec<u8> {
    match alg {
        "RS384" => key.sign_rsa(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(input)),
        "RS512" => key.sign_rsa(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(input)),
        "PS256" => key.private_operation(&pss::<Sha256, Sha256>(input, &salt(32))),
        "PS384" => key.private_operation(&pss::<Sha384, Sha384>(input, &salt(48))),
        "PS512" => key.private_operation(&pss::<Sha512, Sha512>(input, &salt(64))),
        "ES256" => {
            use p256::ecdsa::{Signature, SigningKey, signature::Signer};
            let signing = SigningKey::from_slice(&key.bytes("d")).expect("a P-256 key");
            let signature: Signature = signing.sign(input);
            signature.to_bytes().to_vec()
        }
        "ES384" => {
            use p384::ecdsa::{Signature, SigningKey, signature::Signer};
            let signing = SigningKey::from_slice(&key.bytes("d")).expect("a P-384 key");
            let signature: Signature = signing.sign(input);
            signature.to_bytes().to_vec()
        }
        "ES512" => {
            use p521::ecdsa::{Signature, SigningKey, signature::Signer};
            let signing = SigningKey::from_slice(&key.bytes("d")).expect("a P-521 key");
            let signature: Signature = signing.sign(input);
            signature.to_bytes().to_vec()
        }
        "EdDSA" | "Ed25519" => {
            use ed25519_dalek::{Signer, SigningKey};
            let seed = key.bytes("d").try_into().expect("a seed of 32 bytes");
            SigningKey::from_bytes(&seed)
                .sign(input)
                .to_bytes()
                .to_vec()
        }
        "HS256" => hmac::<Hmac<Sha256>>(&key.bytes("k"), input),
        "HS384" => hmac::<Hmac<Sha384>>(&key.bytes("k"), input),
        "HS512" => hmac::<Hmac<Sha512>>(&key.bytes("k"), input),
        _ => key.sign_rsa(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(input)),
    }
}

/// An HMAC with any bytes as the secret.
pub(crate) fn hmac<M: Mac + KeyInit>(secret: &[u8], input: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(secret).expect("HMAC takes any length");
    mac.update(input);
    mac.finalize().into_bytes().to_vec()
}

/// Returns a fixed salt: 1, 2, 3 …
pub(crate) fn salt(length: u8) -> Vec<u8> {
    (1..=length).collect()
}

/// EMSA-PSS (RFC 8017 §9.1.1) for a modulus of 2048 bits: hash `D`, mask of `M`.
pub(crate) fn pss<D: Digest, M: Digest>(input: &[u8], salt: &[u8]) -> Vec<u8> {
    const LENGTH: usize = 256;
    let digest = D::digest(input);
    let hash = D::new()
        .chain_update([0; 8])
        .chain_update(&digest)
        .chain_update(salt)
        .finalize();
    let mut block = vec![0; LENGTH - hash.len() - salt.len() - 2];
    block.push(1);
    block.extend_from_slice(salt);
    let mask = (0_u32..).flat_map(|n| {
        let part = M::new()
            .chain_update(&hash)
            .chain_update(n.to_be_bytes())
            .finalize();
        part.to_vec()
    });
    block
        .iter_mut()
        .zip(mask)
        .for_each(|(byte, mask)| *byte ^= mask);
    block[0] &= 0x7f;
    [&block, &hash[..], &[0xbc]].concat()
}

/// No padding: the digest is the block.
pub(crate) struct Unpadded;

impl SignatureScheme for Unpadded {
    fn sign<R: TryCryptoRng + ?Sized>(
        self,
        rng: Option<&mut R>,
        key: &RsaPrivateKey,
        block: &[u8],
    ) -> rsa::Result<Vec<u8>> {
        let block = BoxedUint::from_be_slice(block, key.n_bits_precision())
            .map_err(|_| rsa::Error::InputNotHashed)?;
        Ok(rsa_decrypt(rng, key, &block)?.to_be_bytes().to_vec())
    }

    fn verify(self, _: &RsaPublicKey, _: &[u8], _: &[u8]) -> rsa::Result<()> {
        Err(rsa::Error::Verification)
    }
}
