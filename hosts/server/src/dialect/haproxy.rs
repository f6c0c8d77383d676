//! HAProxy's action. NOT WRITTEN YET: it refuses everything.

use countersign_host::Decision;
use http::{StatusCode, request::Parts};

use super::{
    Ambiguous, Asked,
    reply::{self, Reply},
};

pub(super) fn read<'a>(_: &'a Parts, _: &'a str) -> Result<Asked<'a>, Ambiguous> {
    Err(Ambiguous)
}

pub(super) fn reply(_: &Parts, _: &Decision) -> Reply {
    reply::empty(StatusCode::FORBIDDEN)
}
