//! Reads the claims that an issuer maps: subject, tenants, roles and scopes, and
//! those that its template captures.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    base::{Limits, Set},
    json::Value,
    model::{Capture, Issuer, ListMapping, Source, each_text, text_of},
    refusal::{Code, Refusal},
};

pub(super) fn invalid(claim: &str) -> Refusal {
    Refusal::claim(Code::ClaimsInvalid, claim)
}

/// Returns the text that a source reads. An empty one counts as absent.
pub(super) fn text_at(
    claims: &Value<'_>,
    source: &Source,
    numbers: bool,
    limits: &Limits,
) -> Result<Option<Box<str>>, Refusal> {
    let invalid = || invalid(source.pointer.as_str());
    let Some(value) = source.read(claims, limits).map_err(|_| invalid())? else {
        return Ok(None);
    };
    let text = text_of(&value, numbers).ok_or_else(invalid)?;
    Ok((!text.is_empty()).then(|| text.into()))
}

/// Collects the texts at all places without duplicates.
pub(super) fn words_at(
    claims: &Value<'_>,
    places: &ListMapping,
    numbers: bool,
    limits: &Limits,
) -> Result<Vec<Box<str>>, Refusal> {
    let mut words = Words::default();
    for source in &places.claims {
        let readable = match source.read(claims, limits) {
            Ok(None) => true,
            Ok(Some(value)) => each_text(&value, numbers, &mut |word| words.add(word)),
            Err(_) => false,
        };
        if places.strict && !readable {
            return Err(invalid(source.pointer.as_str()));
        }
    }
    Ok(words.list)
}

/// Checks that each captured text of a template equals its claim.
pub(super) fn admit_captures(
    captures: &[Capture],
    iss: &str,
    claims: &Value<'_>,
    limits: &Limits,
) -> Result<(), Refusal> {
    for capture in captures {
        let code = match capture.claim.read(claims, limits) {
            Ok(Some(value)) if value.as_str() == Some(capture.of(iss)) => continue,
            Ok(None) => Code::ClaimMissing,
            _ => Code::ClaimMismatch,
        };
        return Err(Refusal::claim(code, capture.claim.pointer.as_str()));
    }
    Ok(())
}

/// Words in order, without duplicates.
#[derive(Default)]
struct Words {
    list: Vec<Box<str>>,
    seen: Set,
}

impl Words {
    /// Adds a word. It scans a short list and uses a set for a long one: a
    /// token can have thousands of words.
    fn add(&mut self, word: &str) {
        const SCAN: usize = 16;
        if word.is_empty() {
            return;
        }
        if self.list.len() == SCAN && self.seen.len() == 0 {
            self.list.iter().for_each(|word| {
                self.seen.insert(word.as_bytes());
            });
        }
        let known = if self.list.len() < SCAN {
            self.list.iter().any(|w| **w == *word)
        } else {
            !self.seen.insert(word.as_bytes())
        };
        if !known {
            self.list.push(word.into());
        }
    }
}

/// Maps the issuer's groups to roles of the policy. If there is a map, it drops
/// groups that are not in it.
pub(super) fn map_roles(issuer: &Issuer, groups: Vec<Box<str>>) -> Vec<Box<str>> {
    let Some(map) = &issuer.role_map else {
        return groups;
    };
    let mut roles = Words::default();
    for role in groups
        .iter()
        .filter_map(|group| map.get(group.as_bytes()))
        .flatten()
    {
        roles.add(role);
    }
    roles.list
}
