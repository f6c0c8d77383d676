//! The token of a principal: the one that counts, whether it is good from its
//! place, and the origin of its cookie.

use alloc::string::String;

use super::{Admitted, Checks};
use crate::{
    model::{Credentials, Place},
    refusal::{Code, Halt, Trace, quoted},
    request::{
        Request,
        credential::{self, Found, Presented},
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
        let held = Held { list, places };
        let mut places = list.places.iter().enumerate();
        let place = places.find(|(index, _)| held.has(*index));
        place.map_or_else(
            || "the places of the rule".into(),
            |(_, c)| describe(&c.place),
        )
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
        request: &Request<'_>,
        trace: &mut Trace<'_>,
    ) -> Result<(Admitted<'r>, Held<'c>), Halt> {
        let Found { first, others } = found;
        let Some(first) = first else {
            return Err(Code::TokenMissing.into());
        };
        let verify = |presented: Presented<'r>, trace: &mut Trace<'_>| {
            let places = presented.places;
            let held = Held { list, places };
            let token = presented.token;
            let mut admitted = self.verify_token(token, Some(held), accept_expired_ms, trace)?;
            admitted.proven = self.check_sender(&admitted, held, request, trace)?;
            Ok((admitted, held))
        };
        let verified = verify(first, trace);
        let Err(first_bad) = verified else {
            return verified;
        };
        if others.is_empty() || !first_bad.is_bad_token() {
            return Err(first_bad);
        }
        for presented in others {
            match verify(presented, trace) {
                Err(halt) if halt.is_bad_token() => {}
                decided => return decided,
            }
        }
        trace.record("credential", Err(first_bad), || {
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
        for (index, credential) in held.list.places.iter().enumerate() {
            if !held.has(index) {
                continue;
            }
            match &credential.place {
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
        for (index, credential) in held.list.places.iter().enumerate() {
            let is_good = match credential.issuers.is_empty() {
                true => !is_named(&self.policy.kept_issuers),
                false => is_named(&credential.issuers),
            };
            if is_good && held.has(index) {
                return true;
            }
        }
        false
    }
}

impl Held<'_> {
    /// Returns whether a place with the scheme `DPoP` holds the token.
    pub(super) fn is_by_dpop(self) -> bool {
        self.places & self.list.dpop != 0
    }

    fn has(self, index: usize) -> bool {
        self.places.checked_shr(index as u32).unwrap_or(0) & 1 != 0
    }
}
