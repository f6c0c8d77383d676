//! Facts that are combined, and the cases in which one combination holds and
//! another does not.

use crate::fact::{Fact, are_possible};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Formula {
    Const(bool),
    Fact(Fact),
    All(Vec<Formula>),
    Any(Vec<Formula>),
    Not(Box<Formula>),
}

/// Facts that hold, and facts that do not: whatever else is so, the formula holds.
pub(crate) type Case = Vec<(Fact, bool)>;

/// The largest number of cases that a reader can use.
const CASES: usize = 16;
/// How often facts are tried before that is given up.
const STEPS: usize = 5_000;

impl Formula {
    /// The cases in which `self` holds and `other` does not. `None` where there are
    /// too many. `issuers` are all of both policies.
    pub(crate) fn but_not(&self, other: &Self, issuers: &[String]) -> Option<Vec<Case>> {
        let both = Self::All(vec![self.clone(), Self::Not(Box::new(other.clone()))]);
        let mut search = Search {
            issuers,
            known: Vec::new(),
            cases: Vec::new(),
            steps: STEPS,
        };
        search.split(&both.simplified())?;
        Some(search.cases)
    }

    /// The same where `fact` is known.
    fn with(&self, fact: &Fact, holds: bool) -> Self {
        let each = |parts: &[Self]| parts.iter().map(|part| part.with(fact, holds)).collect();
        match self {
            Self::Fact(own) if own == fact => Self::Const(holds),
            Self::Const(_) | Self::Fact(_) => self.clone(),
            Self::All(parts) => Self::All(each(parts)).simplified(),
            Self::Any(parts) => Self::Any(each(parts)).simplified(),
            Self::Not(part) => Self::Not(Box::new(part.with(fact, holds))).simplified(),
        }
    }

    /// A constant, or a formula without one.
    fn simplified(self) -> Self {
        let joined = |parts: Vec<Self>, neutral: bool, several: fn(Vec<Self>) -> Self| {
            let parts = parts.into_iter().map(Self::simplified);
            let parts: Vec<_> = parts.filter(|part| *part != Self::Const(neutral)).collect();
            match parts.contains(&Self::Const(!neutral)) {
                true => Self::Const(!neutral),
                false if parts.is_empty() => Self::Const(neutral),
                false => several(parts),
            }
        };
        match self {
            Self::All(parts) => joined(parts, true, Self::All),
            Self::Any(parts) => joined(parts, false, Self::Any),
            Self::Not(part) => match part.simplified() {
                Self::Const(holds) => Self::Const(!holds),
                part => Self::Not(Box::new(part)),
            },
            other => other,
        }
    }

    fn first(&self) -> Option<&Fact> {
        match self {
            Self::Const(_) => None,
            Self::Fact(fact) => Some(fact),
            Self::All(parts) | Self::Any(parts) => parts.iter().find_map(Self::first),
            Self::Not(part) => part.first(),
        }
    }
}

struct Search<'i> {
    issuers: &'i [String],
    known: Case,
    cases: Vec<Case>,
    steps: usize,
}

impl Search<'_> {
    fn split(&mut self, formula: &Formula) -> Option<()> {
        self.steps = self.steps.checked_sub(1)?;
        let Some(fact) = formula.first() else {
            if *formula == Formula::Const(true) {
                self.cases.push(self.known.clone());
            }
            return (self.cases.len() <= CASES).then_some(());
        };
        for holds in [true, false] {
            self.known.push((fact.clone(), holds));
            if are_possible(&self.known, self.issuers) {
                self.split(&formula.with(fact, holds))?;
            }
            self.known.pop();
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::What;

    fn role(name: &str) -> Formula {
        Formula::Fact(Fact {
            principal: None,
            what: What::Role(name.to_owned()),
        })
    }

    fn texts(cases: Option<Vec<Case>>) -> Vec<String> {
        let text =
            |(fact, holds): &(Fact, bool)| format!("{}{fact}", if *holds { "" } else { "no " });
        let case = |case: &Case| case.iter().map(text).collect::<Vec<_>>().join(", ");
        cases.unwrap().iter().map(case).collect()
    }

    #[test]
    fn the_cases_say_what_is_needed_and_what_must_be_missing() {
        let one = role("a");
        let either = Formula::Any(vec![role("a"), role("b")]);
        assert_eq!(texts(either.but_not(&one, &[])), ["no role `a`, role `b`"]);
        assert_eq!(texts(one.but_not(&either, &[])), [""; 0]);
        let all = Formula::Const(true);
        assert_eq!(texts(all.but_not(&one, &[])), ["no role `a`"]);
    }

    #[test]
    fn too_many_cases_are_none_and_never_a_part_of_them() {
        let many = Formula::Any((0..40).map(|n| role(&n.to_string())).collect());
        assert!(many.but_not(&Formula::Const(false), &[]).is_none());
    }
}
