//! Parses `token_types`: the types of an issuer's tokens, and how the gate
//! recognises them.

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    claims::pointers,
    codes::Code::*,
    conditions::{all_within, conditions},
    grammar::{self, bare_media_type},
    names::{IssuerId, Names},
    reader::{Node, Unique},
    report::Read,
    suggest::quoted,
};
use crate::{
    model::{ClaimCondition, TokenType},
    token::is_never,
};

/// Maximum number of types: each check of a token tries every type of its
/// issuer.
const TYPES: usize = 32;

pub(super) fn token_types<'p>(
    node: Node<'_, 'p>,
    issuer: Option<IssuerId>,
    names: &mut Names<'p>,
) -> Read<Vec<TokenType>> {
    let before = node.refusals();
    let mut unique = Unique::default();
    let types = node
        .list(1, TYPES, |item| {
            token_type(item, issuer, names, &mut unique)
        })
        .inspect_err(|_| names.set_complete(false))?;
    if node.refusals() == before {
        let mut index = 0;
        node.each(&mut |item| {
            compare(item, index, &types);
            index += 1;
        });
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
    match issuer {
        Some(issuer) if !name.is_empty() => names.add_type(issuer, name),
        _ => names.set_complete(false),
    }
    let recognised_by = [fields.node("claim"), fields.node("header_typ")];
    if recognised_by.iter().all(Option::is_none) {
        let message = "a type is recognised by its `claim`, its `header_typ` or both";
        return Err(node.refuse(FieldMissing, message));
    }
    let token_type = TokenType {
        name: name.into(),
        claims: fields.or("claim", Vec::new(), type_claims),
        header_typ: fields.or("header_typ", Vec::new(), header_typ),
        max_lifetime_ms: fields.optional("max_lifetime_s", Node::age_ms),
        required_claims: fields.or("required_claims", Vec::new(), |node| pointers(node, 1)),
        scopes_within: fields.optional("scopes_within", |node| {
            node.words(0, grammar::scope_pattern)
        }),
    };
    fields.close();
    Ok(token_type)
}

fn type_claims(node: Node<'_, '_>) -> Read<Vec<ClaimCondition>> {
    if node.object()?.iter().len() == 0 {
        return Err(node.refuse(ValueInvalid, "the object must not be empty"));
    }
    conditions(node, None)
}

fn header_typ(node: Node<'_, '_>) -> Read<Vec<Box<str>>> {
    let mut unique = Unique::default();
    node.list(1, usize::MAX, |item| {
        let typ = bare_media_type(item.word(grammar::media_type)?).to_ascii_lowercase();
        let within = "this list, where neither case nor `application/` counts";
        unique.add(item, &typ, within)?;
        if is_never(&typ) {
            let message = "a token of this `typ` is no access token: it is refused";
            item.warn(MatchesNothing, message);
        }
        Ok(typ.into())
    })
}

/// Returns whether every token of type `narrow` is also of type `wide`.
fn within(wide: &TokenType, narrow: &TokenType) -> bool {
    let header = wide.header_typ.is_empty()
        || (!narrow.header_typ.is_empty()
            && narrow
                .header_typ
                .iter()
                .all(|typ| wide.header_typ.contains(typ)));
    header && all_within(&wide.claims, &narrow.claims)
}

/// Reports a type whose tokens all match another type too.
fn compare(node: Node<'_, '_>, index: usize, types: &[TokenType]) {
    let Some(narrow) = types.get(index) else {
        return;
    };
    // Of two equal types, report the second one.
    let wide = types.iter().enumerate().find(|(other, wide)| {
        *other != index && within(wide, narrow) && (*other < index || !within(narrow, wide))
    });
    let Some((_, wide)) = wide else { return };
    let name = quoted(&wide.name);
    if within(narrow, wide) {
        let message = format!("the type {name} is recognised in the same way");
        node.refuse(Conflict, message);
    } else {
        let message = format!(
            "every such token is of the type {name} too, and a token of two types is refused"
        );
        node.warn(Unreachable, message);
    }
}
