//! What every topic needs.

pub(super) use countersign::Code;
pub(super) use serde_json::{Value, json};

pub(super) use super::super::{
    draft::*,
    key::{self, A, B, E3, Key, LONG, P256, SECRET, WEAK},
    policy::{JWKS_URI, Policy, fetching, jwks, policy},
    token::{ISS, NOW_S, Token, encode, token},
    topic,
};
pub(super) use crate::vector::{Request, Topic};
