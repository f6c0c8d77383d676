//! Compares the decision in force with that of a candidate. All hosts compare
//! alike.

use countersign::{Code, Decision};

/// What can be compared of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With its effects.
    Allow(Option<[u8; 32]>),
    Deny(Code),
    Answer,
    /// It waits.
    Undecided,
}

/// How a candidate decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Agree,
    WouldAllow,
    WouldDeny(Code),
    Differs,
    NotCompared,
}

impl Outcome {
    /// `effects` are those of the last event.
    pub(crate) fn of(decision: &Decision, effects: Option<[u8; 32]>) -> Self {
        match decision {
            Decision::Allow(_) => Self::Allow(effects),
            Decision::Deny(denial) => Self::Deny(denial.code),
            Decision::Answer(_) => Self::Answer,
            Decision::Wait(_) => Self::Undecided,
        }
    }

    /// Whether it says nothing of the policy, but that something is missing.
    fn is_missing(self) -> bool {
        match self {
            Self::Undecided => true,
            Self::Deny(code) => code.status() == 503,
            Self::Allow(_) | Self::Answer => false,
        }
    }

    pub(crate) fn compare(self, candidate: Self) -> Comparison {
        match (self, candidate) {
            _ if self.is_missing() || candidate.is_missing() => Comparison::NotCompared,
            (Self::Deny(code), Self::Deny(other)) if code == other => Comparison::Agree,
            (Self::Deny(_), Self::Deny(_)) => Comparison::Differs,
            (Self::Deny(_), _) => Comparison::WouldAllow,
            (_, Self::Deny(code)) => Comparison::WouldDeny(code),
            _ if self == candidate => Comparison::Agree,
            _ => Comparison::Differs,
        }
    }
}

impl Comparison {
    pub(crate) const NAMES: [&str; 5] = [
        "agree",
        "would_allow",
        "would_deny",
        "differs",
        "not_compared",
    ];

    pub(crate) fn as_str(self) -> &'static str {
        let [agree, would_allow, would_deny, differs, not_compared] = Self::NAMES;
        match self {
            Self::Agree => agree,
            Self::WouldAllow => would_allow,
            Self::WouldDeny(_) => would_deny,
            Self::Differs => differs,
            Self::NotCompared => not_compared,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparison::*, Outcome::*, *};

    #[test]
    fn decisions_are_compared_as_in_every_host() {
        let [one, other] = [Some([1; 32]), Some([2; 32])];
        let (expired, denied) = (Deny(Code::TokenExpired), Deny(Code::RuleDenied));
        let missing = Deny(Code::KeysUnavailable);
        for (enforced, candidate, comparison) in [
            (Allow(one), Undecided, NotCompared),
            (missing, expired, NotCompared),
            (Allow(one), missing, NotCompared),
            (Answer, Undecided, NotCompared),
            (expired, Allow(one), WouldAllow),
            (expired, Answer, WouldAllow),
            (Allow(one), expired, WouldDeny(Code::TokenExpired)),
            (Answer, denied, WouldDeny(Code::RuleDenied)),
            (expired, expired, Agree),
            (expired, denied, Differs),
            (Allow(one), Allow(one), Agree),
            (Allow(one), Allow(other), Differs),
            (Answer, Answer, Agree),
            (Allow(one), Answer, Differs),
            (Answer, Allow(one), Differs),
        ] {
            assert_eq!(
                enforced.compare(candidate),
                comparison,
                "{enforced:?} {candidate:?}"
            );
        }
    }
}
