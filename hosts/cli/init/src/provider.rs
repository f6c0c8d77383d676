//! One provider, and its policy.

use crate::{error::Error, template::fill, value::Value};

/// An identity provider, or one way to use it.
#[derive(Debug)]
pub struct Provider {
    /// Such as `auth0`.
    pub name: &'static str,
    /// Which tokens of whom: a part of a line, without a full stop.
    pub title: &'static str,
    /// In the order in which a person is asked.
    pub values: &'static [Value],
    pub(crate) template: &'static str,
}

impl Provider {
    /// The policy as YAML with comments. `given` are values by name, the first
    /// of a name counts; an empty one is as if it were not given.
    ///
    /// # Errors
    /// A value is missing, wrong, or not one of this provider.
    pub fn policy(&'static self, given: &[(&str, &str)]) -> Result<String, Error> {
        let is_taken = |name: &str| self.values.iter().any(|value| value.name == name);
        if let Some((name, _)) = given.iter().find(|(name, _)| !is_taken(name)) {
            return Err(Error::NotTaken(self.name, (*name).to_owned()));
        }
        let mut known: Vec<(&str, String)> = Vec::new();
        let mut missing = Vec::new();
        for value in self.values {
            let said = given.iter().find(|(name, _)| *name == value.name);
            match said.map(|(_, text)| *text).filter(|text| !text.is_empty()) {
                Some(text) => {
                    value
                        .check(text)
                        .map_err(|why| Error::Invalid(value, why))?;
                    known.push((value.name, text.to_owned()));
                }
                None => match value.default {
                    Some(default) => known.push((value.name, filled(default, &known))),
                    None if value.optional => {}
                    None => missing.push(value),
                },
            }
        }
        if !missing.is_empty() {
            return Err(Error::Missing(self.name, missing));
        }
        Ok(filled(self.template, &known))
    }

    /// What a value is where nothing is given, with the values known so far.
    pub fn default_of(&self, value: &Value, known: &[(&str, String)]) -> Option<String> {
        value.default.map(|default| filled(default, known))
    }
}

fn filled(template: &str, known: &[(&str, String)]) -> String {
    fill(template, &|name| {
        let found = known.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| text.as_str())
    })
}
