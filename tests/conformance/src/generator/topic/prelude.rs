//! Imports for every topic.

pub(super) use countersign::Code;
pub(super) use serde_json::{Value, json};

pub(super) use super::super::{
    draft::{Draft, vector},
    expect::*,
    key::{A, B, E3, ED, ED_B, Key, LONG, P256, P384, P521, SECRET, WEAK, thumbprint},
    policy::{JWKS_URI, Policy, fetching, jwks, policy},
    request::*,
    sign::{hmac, pss, salt, sign},
    token::{ISS, NOW_S, Token, base64, bound, encode, proof, token},
    topic,
};
pub(super) use crate::vector::{Expect, Request, Topic};
