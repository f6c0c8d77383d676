//! Parses `require`: the requirement of a rule or of a caller without a
//! request.

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    codes::Code::*,
    conditions::conditions,
    grammar,
    names::{IssuerId, Names},
    reader::{Grammar, Node},
    report::Read,
    sender::proof,
    suggest::{quoted, suggestion},
    values::{Values, named},
};
use crate::{
    json::Value,
    model::{Named, Requirement, SignIn, Words},
};

/// Maximum nesting of `all_of` and `any_of`.
const LEVELS: usize = 8;

/// The names to which a requirement can refer.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) names: &'c Names<'c>,
    /// `None` if there is no request.
    pub(super) values: Option<&'c Values<'c>>,
}

pub(super) fn requirement(node: Node<'_, '_>, context: Context<'_>) -> Read<Requirement> {
    let requirement = part(node, context, None, LEVELS)?;
    if names_tenants(&requirement, &mut Vec::new()) {
        Ok(requirement)
    } else {
        let message = "it can name two tenants at once, and a request is for one";
        Err(node.refuse(Conflict, message))
    }
}

/// Collects the tenants that a requirement can name. Returns false if it can
/// name two different ones at once: its own, that of its `all_of`, and that of
/// one alternative.
fn names_tenants<'r>(requirement: &'r Requirement, named: &mut Vec<&'r Named>) -> bool {
    let first = named.len();
    let mut naming = 0_usize;
    if let Some(tenant) = requirement
        .tenant
        .as_ref()
        .filter(|t| **t != Named::Present)
    {
        named.push(tenant);
        naming = 1;
    }
    for part in &requirement.all_of {
        let before = named.len();
        if !names_tenants(part, named) {
            return false;
        }
        naming = naming.saturating_add(usize::from(named.len() > before));
    }
    let before = named.len();
    if !requirement
        .any_of
        .iter()
        .all(|part| names_tenants(part, named))
    {
        return false;
    }
    naming = naming.saturating_add(usize::from(named.len() > before));
    let mut own = named.iter().skip(first);
    let one = own.next();
    naming < 2 || own.all(|other| Some(other) == one)
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
        subject: fields.optional("subject", |node| named(node, context.values, true)),
        tenant: fields.optional("tenant", |node| tenant(node, context, admitted)),
        scopes: fields.or("scopes", Words::default(), |node| {
            words(node, grammar::scope)
        }),
        roles: fields.or("roles", Words::default(), |node| words(node, grammar::text)),
        claims: fields.or("claims", Vec::new(), |node| {
            conditions(node, context.values)
        }),
        max_token_age_ms: fields.optional("max_token_age_s", Node::age_ms),
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
        proof: fields.optional("proof", |node| {
            let reads_dpop = |values: &Values<'_>| values.credentials.dpop != 0;
            proof(node, context.values.is_none_or(reads_dpop))
        }),
    };
    fields.close();
    warn_disjoint(node, &requirement);
    Ok(requirement)
}

type List = fn(&Requirement) -> &[Box<str>];

/// Warns of `all_of` whose issuers, or types, no token has at once.
fn warn_disjoint(node: Node<'_, '_>, requirement: &Requirement) {
    const COMPARED: usize = 16;
    let lists: [List; 2] = [|part| &part.issuers, |part| &part.types];
    for list in lists {
        let parts = core::iter::once(requirement).chain(&requirement.all_of);
        let named = parts.map(list).filter(|names| !names.is_empty());
        let named: Vec<&[Box<str>]> = named.take(COMPARED).collect();
        let apart =
            |a: &[Box<str>], b: &[Box<str>]| !a.iter().take(COMPARED).any(|name| b.contains(name));
        if named
            .iter()
            .any(|a| a.len() <= COMPARED && named.iter().any(|b| apart(a, b)))
        {
            node.warn(
                MatchesNothing,
                "`all_of` names `issuers`, or `types`, that no token has at once",
            );
        }
    }
}

fn parts(
    node: Node<'_, '_>,
    context: Context<'_>,
    admitted: Option<&[IssuerId]>,
    levels: usize,
) -> Read<Vec<Requirement>> {
    let Some(levels) = levels.checked_sub(1) else {
        let message = format!("`all_of` and `any_of` nest at most {LEVELS} levels deep");
        return Err(node.refuse(TooDeep, message));
    };
    node.list(1, usize::MAX, |item| part(item, context, admitted, levels))
}

pub(super) fn issuers(node: Node<'_, '_>, names: &Names<'_>) -> Read<Vec<Box<str>>> {
    node.known_words(1, grammar::text, &|item, name| {
        if names.is_complete() && names.issuer(name).is_none() {
            let hint = suggestion(name, names.issuers());
            item.refuse(
                UnknownName,
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
            let hint = suggestion(name, names.types());
            format!("no issuer has the token type {}; {hint}", quoted(name))
        };
        item.refuse(UnknownName, message);
    })
}

fn tenant(node: Node<'_, '_>, context: Context<'_>, admitted: Option<&[IssuerId]>) -> Read<Named> {
    if context.names.is_complete() && !context.names.kind(admitted).tenant {
        let message =
            "no issuer admitted here has a `tenant` in its `claims`: every token is denied";
        node.warn(TenantUnmapped, message);
    }
    named(node, context.values, true)
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
                node.refuse(FieldMissing, "say `all`, `any` or both");
            }
            Ok(words)
        }
        _ => Err(node.type_wrong("an array, or an object of `all` and `any`,")),
    }
}
