//! Parses `require`: the requirement of a rule or of a caller without a
//! request.

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    claims::conditions,
    codes::*,
    grammar,
    issuers::fixed,
    names::{IssuerId, Names},
    reader::{Grammar, Node},
    report::Read,
    suggest::{quoted, suggestion},
};
use crate::{
    json::Value,
    model::{Requirement, SignIn, Tenant, Words},
};

/// Maximum nesting of `all_of` and `any_of`.
const LEVELS: usize = 8;

/// The names to which a requirement can refer.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) names: &'c Names<'c>,
    pub(super) segments: Segments<'c>,
}

/// The names of path segments that every path of the rule captures.
#[derive(Clone, Copy)]
pub(super) enum Segments<'c> {
    /// The paths are invalid, so an unknown name is no problem.
    Unread,
    /// There is no path.
    None,
    Captured(&'c [&'c str]),
}

pub(super) fn requirement(node: Node<'_, '_>, context: Context<'_>) -> Read<Requirement> {
    part(node, context, None, LEVELS)
}

/// Parses one level. `admitted` are the issuers that the level above admits.
fn part(
    node: Node<'_, '_>,
    context: Context<'_>,
    admitted: Option<&[IssuerId]>,
    levels: usize,
) -> Read<Requirement> {
    let mut fields = node.fields()?;
    let issuers = fields.or("issuers", Vec::new(), |node| issuers(node, context.names));
    let ids: Vec<IssuerId> = context.names.issuers_named(&issuers);
    let admitted = if ids.is_empty() {
        admitted
    } else {
        Some(&*ids)
    };
    let requirement = Requirement {
        issuers,
        audiences: fields.or("audiences", Vec::new(), |node| node.words(1, grammar::text)),
        types: fields.or("types", Vec::new(), |node| {
            types(node, context.names, admitted)
        }),
        tenant: fields.optional("tenant", |node| tenant(node, context, admitted)),
        scopes: fields.or("scopes", Words::default(), |node| {
            words(node, grammar::scope)
        }),
        roles: fields.or("roles", Words::default(), |node| words(node, grammar::text)),
        claims: fields.or("claims", Vec::new(), conditions),
        max_age_ms: fields.optional("max_age_s", Node::age_ms),
        all_of: fields.or("all_of", Vec::new(), |node| {
            parts(node, context, admitted, levels)
        }),
        any_of: fields.or("any_of", Vec::new(), |node| {
            parts(node, context, admitted, levels)
        }),
        sign_in: SignIn {
            max_age_s: fields.optional("max_auth_age_s", |node| node.integer(1..=315_360_000)),
            acr_values: fields.or("acr_values", Vec::new(), |node| node.words(1, grammar::acr)),
        },
    };
    fields.close();
    Ok(requirement)
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
    node.list(1, usize::MAX, |item| part(item, context, admitted, levels))
}

pub(super) fn issuers(node: Node<'_, '_>, names: &Names<'_>) -> Read<Vec<Box<str>>> {
    node.known_words(1, grammar::text, &|item, name| {
        if names.is_complete() && names.issuer(name).is_none() {
            let hint = suggestion(name, &mut names.issuers());
            item.refuse(
                UNKNOWN_NAME,
                format!("no issuer is named {}; {hint}", quoted(name)),
            );
        }
    })
}

fn types(
    node: Node<'_, '_>,
    names: &Names<'_>,
    admitted: Option<&[IssuerId]>,
) -> Read<Vec<Box<str>>> {
    node.known_words(1, grammar::text, &|item, name| {
        if !names.is_complete() || names.has_type(admitted, name) {
            return;
        }
        let message = if names.has_type(None, name) {
            format!(
                "none of the `issuers` admitted here has the token type {}",
                quoted(name)
            )
        } else {
            let hint = suggestion(name, &mut names.types());
            format!("no issuer has the token type {}; {hint}", quoted(name))
        };
        item.refuse(UNKNOWN_NAME, message);
    })
}

fn tenant(node: Node<'_, '_>, context: Context<'_>, admitted: Option<&[IssuerId]>) -> Read<Tenant> {
    if context.names.is_complete() && !context.names.has_tenant(admitted) {
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
        Segments::Captured(names) if names.contains(&name) => {}
        Segments::Captured(names) => {
            let hint = suggestion(name, &mut names.iter().copied());
            let message = format!(
                "not every path of this rule has a segment {}; {hint}",
                quoted(name)
            );
            return Err(node.refuse(UNKNOWN_NAME, message));
        }
    }
    Ok(Tenant::Segment(name.into()))
}

/// Parses words. `["a", "b"]` requires all of them.
fn words(node: Node<'_, '_>, grammar: Grammar) -> Read<Words> {
    match node.value() {
        Value::Array(_) => Ok(Words {
            all: node.words(1, grammar)?,
            any: Vec::new(),
        }),
        Value::Object(_) => {
            let mut fields = node.fields()?;
            let present = [fields.node("all"), fields.node("any")];
            let words = Words {
                all: fields.or("all", Vec::new(), |node| node.words(1, grammar)),
                any: fields.or("any", Vec::new(), |node| node.words(1, grammar)),
            };
            fields.close();
            if present.iter().all(Option::is_none) {
                node.refuse(FIELD_MISSING, "say `all`, `any` or both");
            }
            Ok(words)
        }
        _ => Err(node.type_wrong("an array, or an object of `all` and `any`,")),
    }
}
