//! The headers that a rule compares with claims.

use super::{
    Request,
    credential::{is_variant, trim},
};
use crate::refusal::Code;

/// Maximum bytes of a value.
const BYTES: usize = 1_024;

/// Returns the value of the one field of this name; `None` if it is not sent.
/// Refuses what a backend could read differently: two fields, a list, another
/// spelling of the name, and bytes that are not visible ASCII.
pub(crate) fn value<'r>(request: &Request<'r>, name: &str) -> Result<Option<&'r [u8]>, Code> {
    let mut found = None;
    for (field, value) in request.headers {
        if is_variant(field, name) {
            let value = trim(value);
            let plain =
                value.len() <= BYTES && value.iter().all(|b| b.is_ascii_graphic() && *b != b',');
            if found.replace(value).is_some() || !plain || field.contains(&b'_') {
                return Err(Code::RequestAmbiguous);
            }
        }
    }
    Ok(found.filter(|value| !value.is_empty()))
}
