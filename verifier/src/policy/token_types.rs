//! `token_types`: the kinds of tokens of an issuer, and how they differ.

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    TokenType,
    claims::{all_within, equalities, pointers},
    codes::*,
    grammar::{self, bare_media_type},
    issuers::{AGE_MAX_S, ms},
    names::{IssuerId, Names},
    reader::{Node, Unique, every},
    report::Read,
    suggest::quoted,
};

/// Every check of a token tries each type of its issuer.
const TYPES: usize = 32;

pub(super) fn token_types<'p>(
    node: Node<'_, 'p>,
    issuer: Option<IssuerId>,
    names: &mut Names<'p>,
) -> Read<Vec<TokenType>> {
    let items = node
        .items(1, TYPES)
        .inspect_err(|_| names.set_complete(false))?;
    let mut unique = Unique::default();
    let types = every(items.map(|item| token_type(item, issuer, names, &mut unique)))?;
    for (index, (item, narrow)) in node.items(1, TYPES)?.zip(&types).enumerate() {
        // Of two that are the same, the second one is told.
        let wide = types.iter().enumerate().find(|(other, wide)| {
            *other != index && within(wide, narrow) && (*other < index || !within(narrow, wide))
        });
        if let Some((_, wide)) = wide {
            compare(item, wide, narrow);
        }
    }
    Ok(types)
}

fn token_type<'p>(
    node: Node<'_, 'p>,
    issuer: Option<IssuerId>,
    names: &mut Names<'p>,
    unique: &mut Unique,
) -> Read<TokenType> {
    let mut fields = node.fields().inspect_err(|_| names.set_complete(false))?;
    let name = fields.required("name", |node| {
        let name = node.word(grammar::name)?;
        unique.add(node, name, "the names of `token_types`")?;
        Ok(name)
    });
    match (issuer, name) {
        (Some(issuer), Ok(name)) => names.add_type(issuer, name),
        _ => names.set_complete(false),
    }
    let claim = fields.node("claim");
    let header = fields.node("header_typ");
    let told = match (claim, header) {
        (None, None) => {
            let message = "a type is told by its `claim`, its `header_typ` or both";
            Err(node.refuse(FIELD_MISSING, message))
        }
        _ => Ok(()),
    };
    let claims = claim.map_or(Ok(Vec::new()), told_by);
    let header_typ = header.map_or(Ok(Vec::new()), header_typ);
    let max_lifetime_s = fields.optional("max_lifetime_s", |node| node.integer(1..=AGE_MAX_S));
    let required_claims = fields.or("required_claims", Vec::new(), |node| pointers(node, 1));
    let scopes_within = fields.optional("scopes_within", |node| {
        node.words(0, grammar::scope_pattern)
    });
    fields.close();
    told?;
    Ok(TokenType {
        name: name?.into(),
        claims: claims?,
        header_typ: header_typ?,
        max_lifetime_ms: max_lifetime_s?.map(ms),
        required_claims: required_claims?,
        scopes_within: scopes_within?,
    })
}

fn told_by(node: Node<'_, '_>) -> Read<Vec<crate::condition::Claims>> {
    let claims = equalities(node)?;
    if claims.is_empty() {
        return Err(node.refuse(VALUE_INVALID, "the object must not be empty"));
    }
    Ok(claims)
}

fn header_typ(node: Node<'_, '_>) -> Read<Vec<Box<str>>> {
    let mut unique = Unique::default();
    every(node.items(1, usize::MAX)?.map(|item| {
        let typ = bare_media_type(item.word(grammar::media_type)?).to_ascii_lowercase();
        unique.add(
            item,
            &typ,
            "this list, where neither case nor `application/` counts",
        )?;
        Ok(typ.into())
    }))
}

/// Whether every token of type `narrow` is also of type `wide`.
fn within(wide: &TokenType, narrow: &TokenType) -> bool {
    let header = wide.header_typ.is_empty()
        || (!narrow.header_typ.is_empty()
            && narrow
                .header_typ
                .iter()
                .all(|typ| wide.header_typ.contains(typ)));
    header && all_within(&wide.claims, &narrow.claims)
}

fn compare(node: Node<'_, '_>, wide: &TokenType, narrow: &TokenType) {
    if within(narrow, wide) {
        let message = format!("the type {} is told in the same way", quoted(&wide.name));
        node.refuse(CONFLICT, message);
    } else {
        let message = format!(
            "every such token is of the type {} too, and a token of two types is refused",
            quoted(&wide.name)
        );
        node.warn(UNREACHABLE, message);
    }
}
