//! Conditions on claims: issuers, token types and rules use them. `README.md`
//! lists the other files that a new condition changes.
//!
//! A condition is true, false, or unknown (`None`): of a claim that is missing
//! or of another type nothing is known, so that `not` never holds for it.

use alloc::{boxed::Box, vec::Vec};

use super::Source;
use crate::{base::Limits, json::Value};

/// A claim and its condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClaimCondition {
    pub(crate) source: Source,
    pub(crate) condition: Condition,
    /// The index of the source in the policy's `kept`, if it is there.
    pub(crate) kept: Option<usize>,
}

/// The condition on a claim. The values come from the policy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    Equals(Value<'static>),
    /// Equals a value of the request.
    Asked(RequestValue),
    StartsWith(Box<str>),
    EndsWith(Box<str>),
    Present(bool),
    /// One item of an array meets the condition.
    Some(Box<Condition>),
    /// Each item does, and there is one.
    Every(Box<Condition>),
    /// The members of an object meet these conditions.
    Members(Vec<ClaimCondition>),
    Not(Box<Condition>),
    AllOf(Vec<Condition>),
    AnyOf(Vec<Condition>),
}

/// A value of the request, which is compared with a claim.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RequestValue {
    /// The path segment of this name.
    Segment(Box<str>),
    /// The first label of the host.
    Host,
    /// The one field of this lower-case name.
    Header(Box<str>),
}

/// What a condition reads beside the claim.
pub(crate) struct Context<'c> {
    pub(crate) limits: &'c Limits,
    pub(crate) request: &'c dyn Fn(&RequestValue) -> Option<&'c [u8]>,
}

impl<'c> Context<'c> {
    /// The context of a condition that reads nothing of the request.
    pub(crate) fn token(limits: &'c Limits) -> Self {
        let request = &|_: &RequestValue| None;
        Self { limits, request }
    }
}

impl ClaimCondition {
    pub(crate) fn truth(&self, claims: &Value<'_>, context: &Context<'_>) -> Option<bool> {
        let value = self.source.read(claims, context.limits).ok()?;
        self.condition.truth(value.as_deref(), context)
    }
}

impl Condition {
    /// Returns whether a claim meets the condition. `None` stands for a claim
    /// that is not there.
    pub(crate) fn truth(&self, claim: Option<&Value<'_>>, context: &Context<'_>) -> Option<bool> {
        let claim = claim.filter(|value| !matches!(value, Value::Null));
        match (self, claim) {
            (Self::Present(wanted), claim) => Some(claim.is_some() == *wanted),
            (Self::Not(inner), claim) => inner.truth(claim, context).map(|held| !held),
            (Self::AllOf(all), claim) => {
                fold(false, &mut all.iter().map(|c| c.truth(claim, context)))
            }
            (Self::AnyOf(any), claim) => {
                fold(true, &mut any.iter().map(|c| c.truth(claim, context)))
            }
            (Self::Equals(wanted), Some(value)) => equal(value, wanted),
            (Self::Asked(wanted), Some(Value::String(text))) => {
                Some((context.request)(wanted)? == text.as_bytes())
            }
            (Self::StartsWith(start), Some(Value::String(text))) => {
                Some(text.as_bytes().starts_with(start.as_bytes()))
            }
            (Self::EndsWith(end), Some(Value::String(text))) => {
                Some(text.as_bytes().ends_with(end.as_bytes()))
            }
            (Self::Some(inner), Some(Value::Array(items))) => fold(
                true,
                &mut items.iter().map(|item| inner.truth(Some(item), context)),
            ),
            (Self::Every(inner), Some(Value::Array(items))) if !items.is_empty() => fold(
                false,
                &mut items.iter().map(|item| inner.truth(Some(item), context)),
            ),
            (Self::Members(all), Some(object @ Value::Object(_))) => fold(
                false,
                &mut all.iter().map(|member| member.truth(object, context)),
            ),
            _ => None,
        }
    }
}

/// Combines results: one `decisive` result decides; otherwise an unknown one
/// makes the whole unknown.
fn fold(decisive: bool, results: &mut dyn Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut whole = Some(!decisive);
    for result in results {
        match result {
            Some(result) if result == decisive => return Some(decisive),
            Some(_) => {}
            None => whole = None,
        }
    }
    whole
}

/// Unknown for two types, and for an inexact number: several different texts
/// give the same double.
fn equal(value: &Value<'_>, wanted: &Value<'_>) -> Option<bool> {
    match (value, wanted) {
        (Value::String(a), Value::String(b)) => Some(a == b),
        (Value::Bool(a), Value::Bool(b)) => Some(a == b),
        (Value::Number(a), Value::Number(b)) if a.is_exact() => Some(a == b),
        _ => None,
    }
}
