//! The token of a principal: the one that counts, whether it is good from its
//! place, and the origin of its cookie.

use alloc::string::String;

use super::{Admitted, Checks};
use crate::{
    model::{Credential, Credentials, Place},
    refusal::{Code, Halt, Trace, quoted},
    request::{
        Request,
        credential::{self, Found},
    },
};

/// The places that hold a token: those of a list whose bits are set.
#[derive(Clone, Copy)]
pub(super) struct Held<'c> {
    list: &'c Credentials,
    places: u32,
}

/// Refuses a principal without a token.
pub(super) fn present<'r>(
    found: Result<Found<'r>, Code>,
    list: &Credentials,
    trace: &mut Trace<'_>,
) -> Result<Found<'r>, Halt> {
    let found = found.and_then(|found| match found.first {
        Some(_) => Ok(found),
        None => Err(Code::TokenMissing),
    });
    let places = match &found {
        Ok(Found {
            first: Some(token), ..
        }) => token.places,
        _ => 0,
    };
    trace.record("credential", found, || {
        let place = Held { list, places }.places().next();
        place.map_or_else(|| "the places of the rule".into(), describe)
    })
}

fn describe(place: &Place) -> String {
    let (kind, name) = match place {
        Place::Header { name, .. } => ("header ", name),
        Place::Cookie { name, .. } => ("cookie ", name),
        Place::Query(name) => ("query ", name),
        Place::Protocol { after, prefix, .. } => match after.is_empty() {
            true => ("subprotocol that begins with ", prefix),
            false => ("subprotocol after ", after),
        },
    };
    [kind, &*quoted(name.as_bytes())].concat()
}

impl Checks<'_> {
    /// Chooses the first good token, if there are several.
    pub(super) fn choose<'r, 'c>(
        &self,
        found: Found<'r>,
        list: &'c Credentials,
        accept_expired_ms: i64,
        trace: &mut Trace<'_>,
    ) -> Result<(Admitted<'r>, Held<'c>), Halt> {
        let several = !found.others.is_empty();
        let mut first_bad = None;
        for presented in found.first.into_iter().chain(found.others) {
            let places = presented.places;
            let held = Held { list, places };
            match self.verify_token(presented.token, Some(held), accept_expired_ms, trace) {
                Err(halt) if several && halt.is_bad_token() => {
                    first_bad.get_or_insert(halt);
                }
                Err(halt) => return Err(halt),
                Ok(admitted) => return Ok((admitted, held)),
            }
        }
        let halt = first_bad.unwrap_or_else(|| Code::InternalError.into());
        trace.record("credential", Err(halt), || {
            "none of these cookies holds a good token".into()
        })
    }

    /// Checks the origin of a token that only cookies hold which are for one.
    pub(super) fn admit_origin(
        &self,
        held: Held<'_>,
        request: &Request<'_>,
        trace: &mut Trace<'_>,
    ) -> Result<(), Halt> {
        let mut admitted = false;
        for place in held.places() {
            match place {
                Place::Cookie {
                    same_origin: true,
                    trusted,
                    ..
                } => admitted = admitted || credential::is_same_origin(request, trusted),
                _ => {
                    trace.skip("rule.origin", "no same-origin cookie");
                    return Ok(());
                }
            }
        }
        trace.record(
            "rule.origin",
            admitted.then_some(()).ok_or(Code::OriginDenied),
            || "`sec-fetch-site`, or `origin` and the authority".into(),
        )
    }

    /// Returns whether the tokens of an issuer are good from one of the places.
    pub(super) fn is_good_from(&self, held: Option<Held<'_>>, issuer: usize) -> bool {
        let Some(held) = held else {
            return true;
        };
        let is_named = |names: &[usize]| names.binary_search(&issuer).is_ok();
        held.credentials()
            .any(|credential| match credential.issuers.is_empty() {
                true => !is_named(&self.policy.kept_issuers),
                false => is_named(&credential.issuers),
            })
    }
}

impl<'c> Held<'c> {
    fn credentials(self) -> impl Iterator<Item = &'c Credential> {
        let places = self.list.places.iter().enumerate();
        let is_held = move |(index, credential)| {
            (self.places.checked_shr(index as u32).unwrap_or(0) & 1 != 0).then_some(credential)
        };
        places.filter_map(is_held)
    }

    fn places(self) -> impl Iterator<Item = &'c Place> {
        self.credentials().map(|credential| &credential.place)
    }
}
