//! RSA keys of any size and exponent, and signatures with good and bad paddings.

use num_bigint::BigUint;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::random::Random;

/// A private key in the form of RFC 8017 §3.2.
pub(crate) struct Private {
    pub(crate) n: BigUint,
    pub(crate) e: BigUint,
    p: BigUint,
    q: BigUint,
    d_p: BigUint,
    d_q: BigUint,
    q_inverse: BigUint,
}

/// Makes a modulus of so many bits, and a key of it for each exponent.
pub(crate) fn keys(random: &mut Random, bits: u64, exponents: &[u64]) -> Vec<Private> {
    let p = prime(random, bits.div_ceil(2));
    let q = loop {
        let q = prime(random, bits / 2);
        if q != p {
            break q;
        }
    };
    let one = BigUint::from(1_u8);
    let key = |e: &u64| {
        let e = BigUint::from(*e);
        let inverse = |modulus: &BigUint| e.modinv(modulus).expect("`prime` admits it");
        Private {
            n: &p * &q,
            d_p: inverse(&(&p - &one)),
            d_q: inverse(&(&q - &one)),
            q_inverse: q.modinv(&p).expect("two primes"),
            e,
            p: p.clone(),
            q: q.clone(),
        }
    };
    let keys: Vec<Private> = exponents.iter().map(key).collect();
    assert!(keys.iter().all(|key| key.n.bits() == bits));
    keys
}

/// A prime whose two highest bits are 1, so that a product of two has all its bits.
/// Every exponent of this campaign is coprime to its order.
fn prime(random: &mut Random, bits: u64) -> BigUint {
    /// The prime factors of the exponents.
    const FACTORS: [u32; 7] = [3, 5, 17, 257, 65_537, 2_147_483_647, 715_827_883];
    let small: Vec<u32> = (3..4_000_u32)
        .step_by(2)
        .filter(|n| (3..64).step_by(2).all(|d| d * d > *n || n % d != 0))
        .collect();
    loop {
        let mut candidate = random.bits(bits);
        for bit in [0, bits - 2, bits - 1] {
            candidate.set_bit(bit, true);
        }
        let divides = |d: &u32| &candidate % d == BigUint::ZERO;
        let order = &candidate - 1_u8;
        if !small.iter().any(divides)
            && !FACTORS.iter().any(|d| &order % d == BigUint::ZERO)
            && (0..6).all(|_| passes(&candidate, &random.bits(bits - 1)))
        {
            return candidate;
        }
    }
}

/// One round of Miller-Rabin.
fn passes(candidate: &BigUint, base: &BigUint) -> bool {
    let (one, order) = (BigUint::from(1_u8), candidate - 1_u8);
    let twos = order.trailing_zeros().expect("it is even");
    let mut power = base.modpow(&(&order >> twos), candidate);
    if power == one || power == order {
        return true;
    }
    (1..twos).any(|_| {
        power = &power * &power % candidate;
        power == order
    })
}

impl Private {
    /// Bytes of a signature.
    pub(crate) fn length(&self) -> usize {
        self.n.bits().div_ceil(8) as usize
    }

    /// RSASP1 (RFC 8017 §5.2.1) of an encoded message.
    fn sign(&self, encoded: &[u8]) -> Vec<u8> {
        let message = BigUint::from_bytes_be(encoded) % &self.n;
        let m_p = message.modpow(&self.d_p, &self.p);
        let m_q = message.modpow(&self.d_q, &self.q);
        let difference = (&m_p + &self.p - &m_q % &self.p) % &self.p;
        let h = difference * &self.q_inverse % &self.p;
        self.bytes(&(m_q + h * &self.q))
    }

    /// A number in the length of a signature, or longer if it is larger.
    pub(crate) fn bytes(&self, number: &BigUint) -> Vec<u8> {
        fixed(number, self.length())
    }

    pub(crate) fn pkcs1(&self, hash: Hash, message: &[u8], padding: Pkcs1) -> Vec<u8> {
        let digest = hash.digest(&[message]);
        let info = match padding {
            Pkcs1::WithoutNull => hash.info(false),
            Pkcs1::OtherHash => hash.other().info(true),
            Pkcs1::LongLength => {
                let info = hash.info(true);
                [&[0x30, 0x81, info[1]], &info[2..]].concat()
            }
            Pkcs1::NoInfo => Vec::new(),
            _ => hash.info(true),
        };
        let tail = match padding {
            Pkcs1::ExtraBytes => vec![0; 8],
            Pkcs1::ExtraInside => vec![0x05, 0],
            _ => Vec::new(),
        };
        let body = [&*info, &digest, &tail].concat();
        let room = self.length() - body.len() - 3;
        let mut ones = vec![0xff; room];
        match padding {
            Pkcs1::ByteInPadding => ones[room / 2] = 0xfe,
            Pkcs1::ZeroInPadding => ones[room / 2] = 0,
            _ => {}
        }
        let (kind, separator) = match padding {
            Pkcs1::Kind0 => (0, 0),
            Pkcs1::Kind2 => (2, 0),
            Pkcs1::NoSeparator => (1, 0xff),
            _ => (1, 0),
        };
        let encoded = match padding {
            // What Bleichenbacher's attack of 2006 on e = 3 makes.
            Pkcs1::Short => {
                let mut short = [&[0, 1][..], &[0xff; 8], &[0], &body].concat();
                short.resize(self.length(), 0x5a);
                short
            }
            _ => [&[0, kind][..], &ones, &[separator], &body].concat(),
        };
        self.sign(&encoded)
    }

    pub(crate) fn pss(&self, hash: Hash, message: &[u8], salt: &[u8], bad: Pss) -> Vec<u8> {
        let bits = self.n.bits() - 1;
        let length = bits.div_ceil(8) as usize;
        let digest = hash.digest(&[message]);
        let zeros = match bad {
            Pss::SevenZeros => 7,
            _ => 8,
        };
        let h = hash.digest(&[&vec![0; zeros], &digest, salt]);
        let mut block = vec![0; length - h.len() - salt.len() - 2];
        if let (Pss::ByteInPadding, Some(byte)) = (bad, block.first_mut()) {
            *byte = 1;
        }
        block.push(match bad {
            Pss::Separator => 2,
            _ => 1,
        });
        block.extend_from_slice(salt);
        let mask_hash = match bad {
            Pss::MaskHash => hash.other(),
            _ => hash,
        };
        let mask = (0_u32..).flat_map(|n| mask_hash.digest(&[&h, &n.to_be_bytes()]));
        block
            .iter_mut()
            .zip(mask)
            .for_each(|(byte, mask)| *byte ^= mask);
        let unused = (8 * length as u64 - bits) as u32;
        block[0] &= 0xff_u8.checked_shr(unused).unwrap_or(0);
        if let (Pss::TopBit, 1..) = (bad, unused) {
            block[0] |= 0x80 >> (unused - 1);
        }
        let trailer = match bad {
            Pss::Trailer => 0xcc,
            _ => 0xbc,
        };
        self.sign(&[&block, &*h, &[trailer]].concat())
    }
}

/// A number in so many bytes, or more if it is larger.
pub(crate) fn fixed(number: &BigUint, length: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    [vec![0; length.saturating_sub(bytes.len())], bytes].concat()
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pkcs1 {
    Good,
    WithoutNull,
    OtherHash,
    LongLength,
    NoInfo,
    ExtraBytes,
    ExtraInside,
    ByteInPadding,
    ZeroInPadding,
    Kind0,
    Kind2,
    NoSeparator,
    Short,
}

impl Pkcs1 {
    pub(crate) const BAD: [Self; 12] = [
        Self::WithoutNull,
        Self::OtherHash,
        Self::LongLength,
        Self::NoInfo,
        Self::ExtraBytes,
        Self::ExtraInside,
        Self::ByteInPadding,
        Self::ZeroInPadding,
        Self::Kind0,
        Self::Kind2,
        Self::NoSeparator,
        Self::Short,
    ];
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pss {
    Good,
    Trailer,
    TopBit,
    Separator,
    ByteInPadding,
    MaskHash,
    SevenZeros,
}

impl Pss {
    pub(crate) const BAD: [Self; 6] = [
        Self::Trailer,
        Self::TopBit,
        Self::Separator,
        Self::ByteInPadding,
        Self::MaskHash,
        Self::SevenZeros,
    ];
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// That of an algorithm of JWS.
    pub(crate) fn of(algorithm: &str) -> Self {
        match &algorithm[2..] {
            "256" => Self::Sha256,
            "384" => Self::Sha384,
            _ => Self::Sha512,
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Sha256 => Self::Sha512,
            _ => Self::Sha256,
        }
    }

    pub(crate) fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        let message = parts.concat();
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }

    /// DigestInfo (RFC 8017 §9.2) without the digest.
    fn info(self, has_null: bool) -> Vec<u8> {
        let (identifier, length) = match self {
            Self::Sha256 => (1, 32),
            Self::Sha384 => (2, 48),
            Self::Sha512 => (3, 64),
        };
        let null: &[u8] = if has_null { &[5, 0] } else { &[] };
        let oid = [6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, identifier];
        let algorithm = [&oid, null].concat();
        let inner = algorithm.len() as u8;
        let whole = inner + 4 + length;
        [&[0x30, whole, 0x30, inner], &*algorithm, &[4, length]].concat()
    }
}
