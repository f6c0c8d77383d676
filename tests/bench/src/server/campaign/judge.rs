//! Whether a decision is right.

use super::{
    tokens::Kind,
    world::{Known, Variant},
};

/// What the server has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    Allowed,
    /// With this code.
    Denied(&'a str),
    /// It cannot decide now, or does not want to.
    Unavailable,
}

/// Whether it is right for a request of this kind, with a token of a key of which the
/// server knows this much.
pub(super) fn is_right(said: Said<'_>, kind: Kind, known: Known, variant: Variant) -> bool {
    // Nobody passes by it: it is counted elsewhere.
    if said == Said::Unavailable {
        return true;
    }
    let by_claims = match kind {
        Kind::Repeated | Kind::New | Kind::Admin => said == Said::Allowed,
        Kind::Member => match variant {
            Variant::Plain => said == Said::Allowed,
            Variant::Strict => said == Said::Denied("role_denied"),
            Variant::Between => matches!(said, Said::Allowed | Said::Denied("role_denied")),
        },
        Kind::Expired => said == Said::Denied("token_expired"),
        Kind::Forged => said == Said::Denied("signature_invalid"),
        Kind::OtherAudience => said == Said::Denied("audience_mismatch"),
        Kind::OtherTenant => said == Said::Denied("tenant_denied"),
        Kind::Missing => return said == Said::Denied("token_missing"),
    };
    let by_key = said == Said::Denied("key_unknown");
    match known {
        Known::Good => by_claims,
        Known::Gone => by_key,
        Known::Either => by_claims || by_key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_token_must_be_denied_for_its_own_reason() {
        let right = |said| is_right(said, Kind::Forged, Known::Good, Variant::Plain);
        assert!(right(Said::Denied("signature_invalid")));
        assert!(!right(Said::Denied("token_expired")));
        assert!(!right(Said::Allowed));
    }

    #[test]
    fn a_token_of_a_key_that_is_gone_must_be_denied() {
        let right = |said, known| is_right(said, Kind::Repeated, known, Variant::Plain);
        assert!(right(Said::Allowed, Known::Good) && right(Said::Allowed, Known::Either));
        assert!(!right(Said::Allowed, Known::Gone));
        assert!(!right(Said::Denied("key_unknown"), Known::Good));
    }

    #[test]
    fn the_policy_in_force_decides() {
        let right = |said, variant| is_right(said, Kind::Member, Known::Good, variant);
        assert!(right(Said::Allowed, Variant::Plain) && !right(Said::Allowed, Variant::Strict));
        let denied = Said::Denied("role_denied");
        assert!(right(denied, Variant::Strict) && !right(denied, Variant::Plain));
        assert!(right(denied, Variant::Between) && right(Said::Allowed, Variant::Between));
    }
}
