//! The requirements on a token, as a rule's `require`.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    claim::{Form, Test},
    required::{Fact, Required},
};

/// `require` of a rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Requirement {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    issuers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audiences: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'static str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    claims: Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    all_of: Vec<Requirement>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    any_of: Vec<Requirement>,
}

impl From<&Required> for Requirement {
    fn from(required: &Required) -> Self {
        let mut requirement = Self::default();
        requirement.add(required);
        requirement
    }
}

impl Requirement {
    fn add(&mut self, required: &Required) {
        match required {
            Required::Nothing => {}
            // The issuer is looked up by `iss`, so that it is always text.
            Required::Never => self.condition("/iss", json!({ "equals": false })),
            Required::Fact(fact) => self.fact(fact),
            Required::All(parts) => parts.iter().for_each(|part| self.add(part)),
            Required::Any(parts) => {
                let parts: Vec<_> = parts.iter().map(Self::from).collect();
                if self.any_of.is_empty() {
                    self.any_of = parts;
                } else {
                    self.all_of.push(Self {
                        any_of: parts,
                        ..Self::default()
                    });
                }
            }
        }
    }

    fn fact(&mut self, fact: &Fact) {
        let words = |words: &std::collections::BTreeSet<String>| words.iter().cloned().collect();
        match fact {
            Fact::Issuers(names) if self.issuers.is_empty() => self.issuers = words(names),
            Fact::Audiences(names) if self.audiences.is_empty() => self.audiences = words(names),
            Fact::Issuers(_) | Fact::Audiences(_) => {
                self.all_of.push((&Required::Fact(fact.clone())).into())
            }
            // An empty `sub` is no subject.
            Fact::Claim(claim)
                if (&*claim.pointer, claim.form, claim.negated) == ("/sub", Form::Value, false)
                    && claim.tests == [Test::NotEmpty] =>
            {
                self.subject = Some("present");
            }
            Fact::Claim(claim) => self.condition(&claim.pointer, claim.condition()),
        }
    }

    /// An object has one condition for a claim: a second one needs another object
    /// in `all_of`.
    fn condition(&mut self, pointer: &str, condition: Value) {
        if !self.claims.contains_key(pointer) {
            self.claims.insert(pointer.to_owned(), condition);
            return;
        }
        let mut beside = Self::default();
        beside.condition(pointer, condition);
        self.all_of.push(beside);
    }
}
