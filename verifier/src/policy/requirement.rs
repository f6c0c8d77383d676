//! `require`: what a rule, or a caller without a request, asks of a token.

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    claims::conditions,
    codes::*,
    grammar,
    issuers::{AGE_MAX_S, fixed, ms},
    names::{IssuerId, Names},
    reader::{Grammar, Node, every},
    report::Read,
    suggest::{quoted, suggestion},
};
use crate::{
    json::Value,
    requirement::{Requirement, Tenant, Words},
};

/// Levels of `all_of` and `any_of`.
const LEVELS: usize = 8;

/// What a requirement may refer to.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) names: &'c Names<'c>,
    pub(super) segments: Segments<'c>,
}

/// The path segments whose names every path of the rule captures.
#[derive(Clone, Copy)]
pub(super) enum Segments<'c> {
    /// The paths could not be read: none is missed.
    Unread,
    /// There is no path.
    None,
    Captured(&'c [&'c str]),
}

pub(super) fn requirement(node: Node<'_, '_>, context: Context<'_>) -> Read<Requirement> {
    part(node, context, None, LEVELS)
}

/// One level. `admitted` are the issuers that the level above it admits.
fn part(
    node: Node<'_, '_>,
    context: Context<'_>,
    admitted: Option<&[IssuerId]>,
    levels: usize,
) -> Read<Requirement> {
    let mut fields = node.fields()?;
    let issuers = fields.optional("issuers", |node| issuers(node, context.names));
    let named: Option<Vec<IssuerId>> = issuers.as_ref().ok().and_then(|issuers| {
        let issuers = issuers.as_ref()?;
        Some(
            issuers
                .iter()
                .filter_map(|name| context.names.issuer(name))
                .collect(),
        )
    });
    let admitted = named.as_deref().or(admitted);
    let audiences = fields.or("audiences", Vec::new(), |node| node.words(1, grammar::text));
    let types = fields.or("types", Vec::new(), |node| {
        types(node, context.names, admitted)
    });
    let tenant = fields.optional("tenant", |node| tenant(node, context, admitted));
    let scopes = fields.or("scopes", Words::default(), |node| {
        words(node, grammar::scope)
    });
    let roles = fields.or("roles", Words::default(), |node| words(node, grammar::text));
    let claims = fields.or("claims", Vec::new(), conditions);
    let max_age_s = fields.optional("max_age_s", |node| node.integer(1..=AGE_MAX_S));
    let all_of = fields.or("all_of", Vec::new(), |node| {
        parts(node, context, admitted, levels)
    });
    let any_of = fields.or("any_of", Vec::new(), |node| {
        parts(node, context, admitted, levels)
    });
    fields.close();
    Ok(Requirement {
        issuers: issuers?.unwrap_or_default(),
        audiences: audiences?,
        types: types?,
        tenant: tenant?,
        scopes: scopes?,
        roles: roles?,
        claims: claims?,
        max_age_ms: max_age_s?.map(ms),
        all_of: all_of?,
        any_of: any_of?,
    })
}

fn parts(
    node: Node<'_, '_>,
    context: Context<'_>,
    admitted: Option<&[IssuerId]>,
    levels: usize,
) -> Read<Vec<Requirement>> {
    let Some(levels) = levels.checked_sub(1) else {
        let message = format!("`all_of` and `any_of` nest at most {LEVELS} levels deep");
        return Err(node.refuse(TOO_DEEP, message));
    };
    every(
        node.items(1, usize::MAX)?
            .map(|item| part(item, context, admitted, levels)),
    )
}

fn issuers(node: Node<'_, '_>, names: &Names<'_>) -> Read<Vec<Box<str>>> {
    let issuers = node.words(1, grammar::text)?;
    if names.is_complete() {
        every(
            node.items(1, usize::MAX)?
                .zip(&issuers)
                .map(|(item, name)| {
                    if names.issuer(name).is_some() {
                        return Ok(());
                    }
                    let hint = suggestion(name, names.issuers());
                    let message = format!("no issuer is named {}; {hint}", quoted(name));
                    Err(item.refuse(UNKNOWN_NAME, message))
                }),
        )?;
    }
    Ok(issuers)
}

fn types(
    node: Node<'_, '_>,
    names: &Names<'_>,
    admitted: Option<&[IssuerId]>,
) -> Read<Vec<Box<str>>> {
    let types = node.words(1, grammar::text)?;
    if names.is_complete() {
        every(node.items(1, usize::MAX)?.zip(&types).map(|(item, name)| {
            if names.has_type(admitted, name) {
                return Ok(());
            }
            let message = if names.has_type(None, name) {
                format!(
                    "none of the `issuers` admitted here has the token type {}",
                    quoted(name)
                )
            } else {
                let hint = suggestion(name, names.types());
                format!("no issuer has the token type {}; {hint}", quoted(name))
            };
            Err(item.refuse(UNKNOWN_NAME, message))
        }))?;
    }
    Ok(types)
}

fn tenant(node: Node<'_, '_>, context: Context<'_>, admitted: Option<&[IssuerId]>) -> Read<Tenant> {
    if context.names.is_complete() && !context.names.says_tenant(admitted) {
        let message =
            "no issuer admitted here has a `tenant` in its `claims`: every token is denied";
        node.warn(TENANT_UNMAPPED, message);
    }
    const WANTED: &str =
        "`present`, a segment of the path such as `{org}`, or `{ \"fixed\": \"acme\" }`";
    match node.value() {
        Value::Object(_) => fixed(node).map(Tenant::Fixed),
        Value::String(word) if word == "present" => Ok(Tenant::Present),
        Value::String(word) => match word
            .strip_prefix('{')
            .and_then(|word| word.strip_suffix('}'))
        {
            Some(name) => segment(node, name, context.segments),
            None => Err(node.refuse(VALUE_INVALID, format!("the tenant is {WANTED}"))),
        },
        _ => Err(node.type_wrong(WANTED)),
    }
}

fn segment(node: Node<'_, '_>, name: &str, segments: Segments<'_>) -> Read<Tenant> {
    match segments {
        Segments::Unread => {}
        Segments::None => {
            let message = "without a request there is no path to take the tenant from";
            return Err(node.refuse(UNKNOWN_NAME, message));
        }
        Segments::Captured([]) => {
            let message = format!(
                "no segment is named {} in every path of this rule",
                quoted(name)
            );
            return Err(node.refuse(UNKNOWN_NAME, message));
        }
        Segments::Captured(names) => {
            if !names.contains(&name) {
                let hint = suggestion(name, names.iter().copied());
                let message = format!(
                    "no segment is named {} in every path of this rule; {hint}",
                    quoted(name)
                );
                return Err(node.refuse(UNKNOWN_NAME, message));
            }
        }
    }
    Ok(Tenant::Segment(name.into()))
}

/// `["a", "b"]` asks for all of them.
fn words(node: Node<'_, '_>, grammar: Grammar) -> Read<Words> {
    match node.value() {
        Value::Array(_) => Ok(Words {
            all: node.words(1, grammar)?,
            any: Vec::new(),
        }),
        Value::Object(_) => {
            let mut fields = node.fields()?;
            let all = fields.optional("all", |node| node.words(1, grammar));
            let any = fields.optional("any", |node| node.words(1, grammar));
            fields.close();
            if matches!((&all, &any), (Ok(None), Ok(None))) {
                return Err(node.refuse(FIELD_MISSING, "say `all`, `any` or both"));
            }
            Ok(Words {
                all: all?.unwrap_or_default(),
                any: any?.unwrap_or_default(),
            })
        }
        _ => Err(node.type_wrong("an array, or an object of `all` and `any`,")),
    }
}
