//! What a curve's module shows: one body, as the curves differ in lengths only.

/// `VerifyingKey` for the curve `CURVE` of the module; lengths are in bytes.
macro_rules! verifying_key {
    (
        field: $field:ty, tables: $tables:literal, coordinate: $coordinate:literal,
        hash: $hash:literal, digest: $digest:literal, signature: $signature:literal
    ) => {
        #[doc = concat!("A public key with its tables, ", $tables, ".")]
        pub struct VerifyingKey(pub(super) Key<$field>);

        impl VerifyingKey {
            /// The key with these big-endian coordinates, or `None` if they are no
            /// point of the curve.
            pub fn new(x: &[u8; $coordinate], y: &[u8; $coordinate]) -> Option<Self> {
                Key::new(&CURVE, x, y).map(Self)
            }

            #[doc = concat!("Whether `signature`, `r` then `s`, is this key's for the ", $hash)]
            /// `digest` of a message. A large `s` is as good as its negative: JWS has no rule
            /// against it.
            pub fn verify(&self, digest: &[u8; $digest], signature: &[u8; $signature]) -> bool {
                let (r, s) = signature.split_at($coordinate);
                self.0.verify(digest, r, s)
            }
        }
    };
}
pub(in crate::curve) use verifying_key;
