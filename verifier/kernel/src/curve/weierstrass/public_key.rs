//! The public key of a curve: one definition for P-256, P-384 and P-521, which differ in
//! lengths only. It uses the `CURVE` of the module in which it is called.

/// Defines `VerifyingKey`; lengths are in bytes.
macro_rules! verifying_key {
    (
        field: $field:ty, tables: $tables:literal, coordinate: $coordinate:literal,
        hash: $hash:literal, digest: $digest:literal, signature: $signature:literal
    ) => {
        #[doc = concat!("A public key with its tables, ", $tables, ".")]
        pub struct VerifyingKey(pub(super) Key<$field>);

        impl VerifyingKey {
            /// The key with these big-endian coordinates, or `None` if they are not a
            /// point of the curve.
            pub fn new(x: &[u8; $coordinate], y: &[u8; $coordinate]) -> Option<Self> {
                Key::new(&CURVE, x, y).map(Self)
            }

            /// Whether `r` and `s` are in `[1, n)` (FIPS 186-5 §6.4.2, step 1). Any other
            /// signature is invalid.
            pub fn admits(&self, signature: &[u8; $signature]) -> bool {
                let (r, s) = signature.split_at($coordinate);
                self.0.admits(r, s)
            }

            #[doc = concat!("Whether `signature`, `r` then `s`, is this key's for the ", $hash)]
            /// `digest` of a message. Both `s` and `n - s` are accepted, as JWS has no
            /// rule against the larger one.
            pub fn verify(&self, digest: &[u8; $digest], signature: &[u8; $signature]) -> bool {
                let (r, s) = signature.split_at($coordinate);
                self.0.verify(digest, r, s)
            }
        }
    };
}
pub(in crate::curve) use verifying_key;
