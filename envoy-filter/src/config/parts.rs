//! The parts of a configuration.

use countersign::{Problem, json::Value};

use super::{
    Settings,
    problem::{error, field_missing, field_unknown, type_wrong},
    signed::Signed,
};

const MEMBERS: &str = "`policy`, `signed_policy`, `trust`, `shadow`, `envoy`";

/// Its parts, and the problems of what is no policy.
pub(super) struct Parts<'v, 't> {
    pub(super) policy: Policy<'v, 't>,
    pub(super) shadow: Option<&'v Value<'t>>,
    pub(super) settings: Settings,
    pub(super) problems: Vec<Problem>,
}

/// The policy in force.
pub(super) enum Policy<'v, 't> {
    /// And its JSON Pointer.
    Plain(&'v Value<'t>, &'static str),
    Signed(Signed<'v, 't>),
    /// `problems` say why.
    Missing,
}

impl<'v, 't> Parts<'v, 't> {
    pub(super) fn of(value: &'v Value<'t>) -> Self {
        let mut parts = Self {
            policy: Policy::Plain(value, ""),
            shadow: None,
            settings: Settings::default(),
            problems: Vec::new(),
        };
        let Some(members) = value.as_object() else {
            return parts;
        };
        let (plain, signed) = (members.get("policy"), members.get("signed_policy"));
        if plain.is_none() && signed.is_none() {
            return parts;
        }
        let trust = members.get("trust");
        parts.policy = match (plain, signed) {
            (Some(policy), None) => Policy::Plain(policy, "/policy"),
            (None, Some(signed)) => parts.signed(signed, trust),
            _ => {
                let message = "a configuration has `policy` or `signed_policy`";
                parts.refuse(error("/signed_policy", "conflict", message.to_owned()))
            }
        };
        if signed.is_none() && trust.is_some() {
            let message = "`trust` is for a `signed_policy`";
            parts
                .problems
                .push(error("/trust", "conflict", message.to_owned()));
        }
        parts.shadow = members.get("shadow");
        for (name, value) in members.iter() {
            match name {
                "policy" | "signed_policy" | "trust" | "shadow" => {}
                "envoy" => parts.settings = Settings::read(value, "/envoy", &mut parts.problems),
                _ => parts.problems.push(field_unknown("", name, MEMBERS)),
            }
        }
        parts
    }

    fn signed(&mut self, signed: &'v Value<'t>, trust: Option<&'v Value<'t>>) -> Policy<'v, 't> {
        match (signed.as_str(), trust) {
            (Some(text), Some(trust)) => Policy::Signed(Signed { text, trust }),
            (None, _) => self.refuse(type_wrong("/signed_policy", "a string")),
            (_, None) => self.refuse(field_missing("", "trust")),
        }
    }

    fn refuse(&mut self, problem: Problem) -> Policy<'v, 't> {
        self.problems.push(problem);
        Policy::Missing
    }
}
