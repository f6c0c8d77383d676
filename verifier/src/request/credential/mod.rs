//! Finds the tokens of a request in the places of a list.

mod fields;
mod origin;
mod taken;

use alloc::{borrow::Cow, vec::Vec};

use countersign_kernel::bytes;

use super::{Request, each_part};
use crate::{
    model::{Credentials, Place},
    refusal::Code,
};

pub(crate) use fields::{PROTOCOLS, is_variant, refuse_connection, trim};
pub(crate) use origin::is_same_origin;
pub(crate) use taken::{holds_other, without_cookies, without_parameters, without_protocols};

/// Different cookies of one name that are tried where the first place decides.
const TRIED: usize = 4;

/// A token, and the places that hold it: one bit for each place of the list.
#[derive(Debug)]
pub(crate) struct Presented<'a> {
    pub(crate) token: Cow<'a, [u8]>,
    pub(crate) places: u32,
}

/// The tokens of one principal. There are several only where the first place
/// decides, and that is a cookie: the first good one of them counts.
#[derive(Debug, Default)]
pub(crate) struct Found<'a> {
    pub(crate) first: Option<Presented<'a>>,
    pub(crate) others: Vec<Presented<'a>>,
}

/// Finds the tokens of a principal. Refuses two different ones, unless the
/// first place decides: it is unknown which one a backend uses.
pub(crate) fn find<'a>(
    list: &Credentials,
    principal: Option<&str>,
    request: &Request<'a>,
) -> Result<Found<'a>, Code> {
    let mut found = Found::default();
    let mut seen: u32 = 0;
    for (index, credential) in list.places.iter().enumerate() {
        if credential.principal.as_deref() != principal || seen & bit(index) != 0 {
            continue;
        }
        let mut field = 0;
        for (other, place) in list.places.iter().enumerate() {
            if other == index || place.shares_field(credential) {
                field |= bit(other);
            }
        }
        seen |= field;
        let mut search = Search {
            list,
            found: &mut found,
            field,
        };
        match &credential.place {
            Place::Header { name, .. } => {
                let (mut ours, mut others) = (false, false);
                request.each_in(name, b',', &mut |element| {
                    match search.add(&|place| fields::in_header(place, element))? {
                        true => ours = true,
                        false => others = true,
                    }
                    Ok(())
                })?;
                // A header with a token of these schemes has no other element,
                // neither in a second field nor after a comma.
                if ours && others {
                    return Err(Code::TokenMultiple);
                }
            }
            Place::Cookie { name, .. } => request.each_in("cookie", b';', &mut |pair| {
                let value = fields::in_cookie(name, pair);
                search.add(&|_| value.map(Cow::Borrowed)).map(drop)
            })?,
            Place::Query(_) => each_part(fields::query(request.target), b'&', &mut |parameter| {
                let read = search.add(&|place| fields::in_query(place, parameter));
                read.map(drop)
            })?,
            Place::Protocol { .. } => fields::each_protocol(request, &mut |before, element| {
                let read = search.add(&|place| fields::in_protocol(place, before, element));
                read.map(drop)
            })?,
        }
    }
    if list.first {
        found.decided()
    } else {
        Ok(found)
    }
}

fn bit(index: usize) -> u32 {
    u32::try_from(index).map_or(0, |index| 1_u32.checked_shl(index).unwrap_or(0))
}

/// The search in one field, or in the cookies of one name.
struct Search<'s, 'a> {
    list: &'s Credentials,
    found: &'s mut Found<'a>,
    /// The places that are read in this field.
    field: u32,
}

impl<'a> Search<'_, 'a> {
    /// Adds the tokens that the places of the field hold. Returns whether one
    /// of them reads this part of the field.
    fn add(&mut self, read: &dyn Fn(&Place) -> Option<Cow<'a, [u8]>>) -> Result<bool, Code> {
        let mut is_read = false;
        for (index, credential) in self.list.places.iter().enumerate() {
            if self.field & bit(index) == 0 {
                continue;
            }
            if let Some(token) = read(&credential.place) {
                is_read = true;
                if !token.is_empty() {
                    let is_cookie = matches!(credential.place, Place::Cookie { .. });
                    self.add_token(token, bit(index), is_cookie)?;
                }
            }
        }
        Ok(is_read)
    }

    fn add_token(&mut self, token: Cow<'a, [u8]>, place: u32, is_cookie: bool) -> Result<(), Code> {
        let Some(first) = &mut self.found.first else {
            let places = place;
            self.found.first = Some(Presented { token, places });
            return Ok(());
        };
        let mut beside = 0_usize;
        for known in core::iter::once(first).chain(&mut self.found.others) {
            if bytes::equal(&known.token, &token) {
                known.places |= place;
                return Ok(());
            }
            if known.places & self.field != 0 {
                beside = beside.saturating_add(1);
            }
        }
        if !self.list.first || (beside > 0 && !is_cookie) {
            return Err(Code::TokenMultiple);
        }
        // One more is enough to refuse them all.
        if beside <= TRIED {
            let places = place;
            self.found.others.push(Presented { token, places });
        }
        Ok(())
    }
}

impl<'a> Found<'a> {
    /// Keeps the tokens of the first place that holds one.
    fn decided(self) -> Result<Self, Code> {
        if self.others.is_empty() {
            return Ok(self);
        }
        let tokens = || self.first.iter().chain(&self.others);
        let places = tokens().fold(0, |all, token| all | token.places);
        let deciding = places.isolate_lowest_one();
        if tokens()
            .filter(|token| token.places & deciding != 0)
            .count()
            > TRIED
        {
            return Err(Code::TokenMultiple);
        }
        let mut decided = Found::default();
        for token in self.first.into_iter().chain(self.others) {
            if token.places & deciding == 0 {
            } else if decided.first.is_none() {
                decided.first = Some(token);
            } else {
                decided.others.push(token);
            }
        }
        Ok(decided)
    }
}
