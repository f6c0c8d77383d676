//! What every topic needs.

pub(super) use countersign::Code;
pub(super) use serde_json::{Value, json};

pub(super) use super::super::{
    draft::{Draft, vector},
    expect::*,
    key::{self, A, B, E3, LONG, P256, SECRET, WEAK},
    policy::{JWKS_URI, Policy, fetching, jwks, policy},
    request::*,
    token::{ISS, NOW_S, Token, encode, token},
    topic,
};
pub(super) use crate::vector::{Request, Topic};
