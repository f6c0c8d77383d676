//! The decision in force beside a candidate's.

use crate::decision::Decision;

/// How a candidate's decision compares with the one in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    /// Both allow with the same effects, both deny with the same code, or both
    /// answer.
    Agree,
    /// The candidate admits what the policy in force refuses.
    WouldAllow,
    /// The candidate refuses what the policy in force admits.
    WouldDeny,
    /// Both allow with other effects, both deny with another code, or one allows
    /// what the other answers.
    Differs,
    /// The candidate could not decide without waiting, or one of the two is a denial
    /// with 503.
    NotCompared,
}

impl Comparison {
    /// Compares two decisions, each with its effects. A candidate that could not
    /// decide has denied with 503.
    pub(crate) fn of(
        (in_force, its): (&Decision, Option<&[u8]>),
        (candidate, candidates): (&Decision, Option<&[u8]>),
    ) -> Self {
        let agree = |agree| if agree { Self::Agree } else { Self::Differs };
        let undecided = |decision: &Decision| decision.denial().is_some_and(|d| d.status == 503);
        if undecided(in_force) || undecided(candidate) {
            return Self::NotCompared;
        }
        match (in_force, candidate) {
            (Decision::Deny(one), Decision::Deny(other)) => agree(one.code == other.code),
            (Decision::Deny(_), _) => Self::WouldAllow,
            (_, Decision::Deny(_)) => Self::WouldDeny,
            (Decision::Allow(_), Decision::Allow(_)) => agree(its == candidates),
            (Decision::Answer(_), Decision::Answer(_)) => Self::Agree,
            (Decision::Allow(_), Decision::Answer(_))
            | (Decision::Answer(_), Decision::Allow(_)) => Self::Differs,
        }
    }

    /// Stable name: `agree`, `would_allow`, `would_deny`, `differs`, `not_compared`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agree => "agree",
            Self::WouldAllow => "would_allow",
            Self::WouldDeny => "would_deny",
            Self::Differs => "differs",
            Self::NotCompared => "not_compared",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Comparison::{self, Agree, Differs, NotCompared, WouldAllow, WouldDeny};
    use crate::decision::{Answered, Decision, Denial, Grant};

    fn deny(status: u16, code: &str) -> Decision {
        Decision::Deny(Denial {
            code: code.into(),
            status,
            ..Denial::internal_error()
        })
    }

    #[test]
    fn each_pair_of_decisions_has_one_comparison() {
        let allow = Decision::Allow(Grant::of_principal(None));
        let answer = Decision::Answer(Answered {
            status: 200,
            headers: Vec::new(),
            body: Vec::new(),
        });
        let (expired, missing) = (deny(401, "token_expired"), deny(401, "token_missing"));
        let waits = deny(503, "keys_unavailable");
        let (a, b) = (Some(&[1][..]), Some(&[2][..]));
        let table = [
            ((&allow, a), (&waits, None), NotCompared),
            ((&waits, None), (&allow, a), NotCompared),
            ((&waits, None), (&waits, None), NotCompared),
            ((&expired, None), (&waits, None), NotCompared),
            ((&expired, None), (&allow, a), WouldAllow),
            ((&expired, None), (&answer, None), WouldAllow),
            ((&allow, a), (&expired, None), WouldDeny),
            ((&answer, None), (&expired, None), WouldDeny),
            ((&expired, None), (&expired, None), Agree),
            ((&expired, None), (&missing, None), Differs),
            ((&allow, a), (&allow, a), Agree),
            ((&allow, a), (&allow, b), Differs),
            ((&answer, None), (&answer, None), Agree),
            ((&allow, a), (&answer, None), Differs),
            ((&answer, None), (&allow, a), Differs),
        ];
        for (in_force, candidate, expected) in table {
            let compared = Comparison::of(in_force, candidate);
            assert_eq!(compared, expected, "{in_force:?} {candidate:?}");
        }
    }
}
