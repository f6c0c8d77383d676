//! A vector of sixteen bytes: WebAssembly SIMD, or plain Rust, which the compiler vectorises on
//! other targets.

#[cfg(target_arch = "wasm32")]
pub(super) use simd::U8x16;

#[cfg(target_arch = "wasm32")]
mod simd {
    use core::arch::wasm32::*;

    use crate::memory::{read, write};

    #[derive(Clone, Copy)]
    pub(crate) struct U8x16(v128);

    /// Each function enables `simd128`, and so must its callers (see `rsa/lanes/simd.rs`).
    impl U8x16 {
        #[inline]
        #[target_feature(enable = "simd128")]
        pub(crate) fn load(bytes: &[u8; 16]) -> Self {
            Self(read::<v128, _, 0, 16>(bytes))
        }

        #[inline]
        #[target_feature(enable = "simd128")]
        pub(crate) fn splat(byte: u8) -> Self {
            Self(u8x16_splat(byte))
        }

        #[inline]
        #[target_feature(enable = "simd128")]
        pub(crate) fn or(self, other: Self) -> Self {
            Self(v128_or(self.0, other.0))
        }

        #[inline]
        #[target_feature(enable = "simd128")]
        pub(crate) fn and(self, other: Self) -> Self {
            Self(v128_and(self.0, other.0))
        }

        #[inline]
        #[target_feature(enable = "simd128")]
        pub(crate) fn xor(self, other: Self) -> Self {
            Self(v128_xor(self.0, other.0))
        }

        /// Modulo 256.
        #[inline]
        #[target_feature(enable = "simd128")]
        pub(crate) fn add(self, other: Self) -> Self {
            Self(u8x16_add(self.0, other.0))
        }

        /// 0xff where the bytes are equal, else 0.
        #[inline]
        #[target_feature(enable = "simd128")]
        pub(crate) fn equal(self, other: Self) -> Self {
            Self(u8x16_eq(self.0, other.0))
        }

        /// 0xff where the byte of `self` is less, else 0.
        #[inline]
        #[target_feature(enable = "simd128")]
        pub(crate) fn less(self, other: Self) -> Self {
            Self(u8x16_lt(self.0, other.0))
        }

        /// The low six bits of each byte, joined to twelve bytes.
        #[inline]
        #[target_feature(enable = "simd128")]
        pub(crate) fn sextets(self) -> [u8; 12] {
            let high = u16x8_shl(v128_and(self.0, u16x8_splat(0x3f)), 6);
            let low = u16x8_shr(v128_and(self.0, u16x8_splat(0x3f00)), 8);
            let twelve = v128_or(high, low);
            // Pairs of 12 bits: the first is shifted left by 12.
            let all = i32x4_dot_i16x8(twelve, i16x8(4096, 1, 4096, 1, 4096, 1, 4096, 1));
            let all =
                u8x16_shuffle::<2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 3, 7, 11, 15>(all, all);
            let mut bytes = [0; 16];
            write::<v128, _, 0, 16>(&mut bytes, all);
            let [sextets @ .., _, _, _, _] = bytes;
            sextets
        }

        /// The index of the first byte whose highest bit is set; 32 if there is none.
        #[inline]
        #[target_feature(enable = "simd128")]
        pub(crate) fn first(self) -> u32 {
            u32::from(u8x16_bitmask(self.0)).trailing_zeros()
        }

        /// Whether any bit is set.
        #[inline]
        #[target_feature(enable = "simd128")]
        pub(crate) fn any(self) -> bool {
            v128_any_true(self.0)
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Copy)]
pub(crate) struct U8x16([u8; 16]);

#[cfg(not(target_arch = "wasm32"))]
impl U8x16 {
    fn zip(self, other: Self, each: impl Fn(u8, u8) -> u8) -> Self {
        let mut bytes = self.0;
        for (byte, other) in bytes.iter_mut().zip(other.0) {
            *byte = each(*byte, other);
        }
        Self(bytes)
    }

    #[inline]
    pub(crate) fn load(bytes: &[u8; 16]) -> Self {
        Self(*bytes)
    }

    #[inline]
    pub(crate) fn splat(byte: u8) -> Self {
        Self([byte; 16])
    }

    #[inline]
    pub(crate) fn or(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    #[inline]
    pub(crate) fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    #[inline]
    pub(crate) fn xor(self, other: Self) -> Self {
        self.zip(other, |a, b| a ^ b)
    }

    /// Modulo 256.
    #[inline]
    pub(crate) fn add(self, other: Self) -> Self {
        self.zip(other, u8::wrapping_add)
    }

    /// 0xff where the bytes are equal, else 0.
    #[inline]
    pub(crate) fn equal(self, other: Self) -> Self {
        self.zip(other, |a, b| if a == b { 0xff } else { 0 })
    }

    /// 0xff where the byte of `self` is less, else 0.
    #[inline]
    pub(crate) fn less(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { 0xff } else { 0 })
    }

    /// The low six bits of each byte, joined to twelve bytes.
    #[inline]
    pub(crate) fn sextets(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let (quads, triples) = (self.0.as_chunks().0, bytes.as_chunks_mut().0);
        for ([a, b, c, d], triple) in quads.iter().zip(triples) {
            *triple = [a << 2 | b >> 4 & 3, b << 4 | c >> 2 & 15, c << 6 | d & 63];
        }
        bytes
    }

    /// The index of the first byte whose highest bit is set; 32 if there is none.
    #[inline]
    pub(crate) fn first(self) -> u32 {
        let mask = (0..16)
            .zip(self.0)
            .map(|(at, byte)| u32::from(byte >> 7) << at);
        mask.sum::<u32>().trailing_zeros()
    }

    /// Whether any bit is set.
    #[inline]
    pub(crate) fn any(self) -> bool {
        self.0 != [0; 16]
    }
}
