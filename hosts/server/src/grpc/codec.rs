//! Messages as bytes: whatever is in them, there is a reply.

use bytes::{Buf, Bytes};
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder},
};
use tonic_prost::ProstEncoder;

/// Writes `CheckResponse`, and leaves reading to the service. tonic's own codec answers
/// a message that it cannot read with an RPC error, which Envoy may take for an allow.
#[derive(Default)]
pub(super) struct Whole;

impl Codec for Whole {
    type Encode = CheckResponse;
    type Decode = Bytes;
    type Encoder = ProstEncoder<CheckResponse>;
    type Decoder = Self;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Decoder for Whole {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}
