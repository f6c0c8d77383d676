//! What differs between two policies, as it is reported.

use serde_json::Value;

use crate::region::Region;

/// One difference, and the requests that it can touch.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Which requests.
    pub subject: Subject,
    /// The members that differ.
    pub changes: Vec<Change>,
    /// What that can do: at least one effect.
    pub effects: Vec<Effect>,
}

/// The requests that a difference can touch.
#[derive(Clone, Debug)]
pub enum Subject {
    /// Those in these regions, in every spelling of their paths: in other case, with
    /// a slash at the end, with escapes. More specific paths that are not listed are
    /// covered only where both policies decide the same.
    Rules {
        /// The regions, smaller ones first.
        regions: Vec<Region>,
        /// The rule's place in the old policy; `None` where none matches.
        old: Option<usize>,
        /// In the new one.
        new: Option<usize>,
    },
    /// Other spellings of the paths in these regions: they are refused where they
    /// lead to another rule, and which rules there are has changed.
    Spellings(Vec<Region>),
    /// Those with a token of this issuer.
    Issuer {
        /// Its name.
        name: String,
        /// The places of the rules in the new policy that can take its tokens.
        rules: Vec<usize>,
    },
    /// Every request to which the members that changed apply.
    Policy,
    /// Every request: the regions are too many to compare.
    TooMany,
}

/// A member that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its name, or a sentence for what is collected from several.
    pub name: String,
    /// `null` where it is not there. Of an inherited one, the policy's.
    pub old: Value,
    /// The same in the new policy.
    pub new: Value,
}

/// What a difference does to requests.
#[derive(Clone, Debug)]
pub struct Effect {
    /// Which way it goes.
    pub admits: Admits,
    /// The requests in question: facts that hold, and facts that do not hold. Empty
    /// where every request of the subject is.
    pub facts: Vec<(String, bool)>,
    /// Requests on which both may decide differently, the likeliest first: cases as
    /// those of `countersign policy test`, without `name` and `expect`.
    pub examples: Vec<Value>,
}

/// Which way a difference goes. A request is admitted where a backend gets it: what
/// the gate answers itself is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admits {
    /// The new policy admits requests that the old one denies.
    More,
    /// It may, or it cannot be told.
    CanMore,
    /// It denies requests that the old one admits.
    Less,
    /// It admits the same; codes, challenges or headers can differ.
    Same,
}

impl Difference {
    /// Whether the new policy admits more, or may.
    pub fn admits_more(&self) -> bool {
        let mut effects = self.effects.iter();
        effects.any(|effect| matches!(effect.admits, Admits::More | Admits::CanMore))
    }
}

impl Effect {
    pub(crate) fn on_all(admits: Admits) -> Self {
        Self {
            admits,
            facts: Vec::new(),
            examples: Vec::new(),
        }
    }
}

impl Change {
    /// The members that differ, of two objects.
    pub(crate) fn of<'v>(
        old: impl IntoIterator<Item = (&'v String, &'v Value)>,
        new: impl IntoIterator<Item = (&'v String, &'v Value)>,
        differ: impl Fn(&str, &Value, &Value) -> bool,
    ) -> Vec<Self> {
        let old: Vec<_> = old.into_iter().collect();
        let new: Vec<_> = new.into_iter().collect();
        let find = |list: &[(&'v String, &'v Value)], name: &str| {
            let mut list = list.iter();
            let found = list.find(|(own, _)| *own == name);
            found.map(|(_, value)| (*value).clone()).unwrap_or_default()
        };
        let mut names: Vec<&String> = old.iter().map(|(name, _)| *name).collect();
        let added = new.iter().map(|(name, _)| *name);
        names.extend(added.filter(|name| !old.iter().any(|(own, _)| own == name)));
        let change = |name: &String| Self {
            name: name.clone(),
            old: find(&old, name),
            new: find(&new, name),
        };
        let changes = names.into_iter().map(change);
        changes
            .filter(|change| differ(&change.name, &change.old, &change.new))
            .collect()
    }
}
