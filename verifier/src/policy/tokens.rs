//! Parses how a rule takes tokens: `credentials`, `accept_expired_s` and
//! `principals`.

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    codes::Code::*,
    credentials::Lists,
    fields::Fields,
    reader::{Node, ms},
    report::Read,
    requirement::{Context, requirement},
    suggest::{quoted, suggestion},
};
use crate::{
    base::limits,
    json::Value,
    model::{Access, Credentials, Requirement, Rule, Tokens},
};

/// Thirty days.
const ACCEPT_EXPIRED_MAX_S: u32 = 30 * 86_400;

/// Parses the words that only a rule which looks at tokens can have, but for its
/// list of `credentials`, which is read before.
pub(super) fn tokens(
    fields: &mut Fields<'_, '_>,
    context: Context<'_>,
    lists_are_complete: bool,
    is_public: bool,
) -> Tokens {
    let accept_expired_s = fields.optional("accept_expired_s", |node| {
        node.integer(1..=ACCEPT_EXPIRED_MAX_S)
    });
    let has_list = fields.node("credentials").is_some();
    let principals = fields.or("principals", Vec::new(), |node| {
        principals(node, context, lists_are_complete)
    });
    for name in ["credentials", "several", "accept_expired_s", "principals"] {
        let Some(node) = fields.node(name) else {
            continue;
        };
        if is_public {
            node.refuse(Conflict, "a `public` rule looks at no token");
        } else if name == "several" && !has_list {
            node.refuse(Conflict, "`several` stands beside a list of `credentials`");
        }
    }
    Tokens {
        credentials: None,
        ignores_bad: fields
            .node("optional")
            .is_some_and(|node| matches!(node.value(), Value::Object(_))),
        accept_expired_ms: accept_expired_s.map_or(0, ms),
        principals,
    }
}

/// Parses `optional`: a flag, or `{ "bad_token": "ignore" }`.
pub(super) fn optional(node: Node<'_, '_>) -> Read<bool> {
    match node.value() {
        Value::Bool(flag) => Ok(*flag),
        Value::Object(_) => {
            let mut fields = node.fields()?;
            let bad_token = fields.node("bad_token");
            fields.close();
            let message = "say `\"bad_token\": \"ignore\"`: a bad token counts as not sent";
            match bad_token {
                None => Err(node.refuse(FieldMissing, message)),
                Some(node) if node.text()? == "ignore" => Ok(true),
                Some(node) => Err(node.refuse(ValueInvalid, message)),
            }
        }
        _ => Err(node.type_wrong("`true`, `false` or an object")),
    }
}

fn principals(
    node: Node<'_, '_>,
    context: Context<'_>,
    complete: bool,
) -> Read<Vec<(Box<str>, Requirement)>> {
    if node.object()?.iter().len() > limits::PRINCIPALS {
        let message = format!("a rule asks for at most {} of them", limits::PRINCIPALS);
        return Err(node.refuse(TooMany, message));
    }
    let places = context
        .values
        .map_or(&[][..], |values| &values.credentials.places);
    let known = places.iter().filter_map(|place| place.principal.as_deref());
    let known: Vec<&str> = known.collect();
    node.members(|name, value| {
        if complete && !known.contains(&name) {
            let hint = suggestion(name, &known);
            let message = format!(
                "no place of this rule has tokens of {}; {hint}",
                quoted(name)
            );
            value.refuse(UnknownName, message);
        }
        Ok((name.into(), requirement(value, context)?))
    })
}

/// Warns of a rule that takes more tokens than it seems to.
pub(super) fn warn_of_tokens(
    node: Node<'_, '_>,
    rule: &Rule,
    shared: &Credentials,
    lists: &Lists<'_>,
) {
    let (Access::Optional(user) | Access::Required(user)) = &rule.access else {
        return;
    };
    let tokens = &rule.tokens;
    if tokens.accept_expired_ms > 0 {
        let mut issuers = lists.issuers.iter();
        let revokes = issuers.any(|issuer| {
            issuer.revocations.is_some()
                && (user.issuers.is_empty()
                    || user.issuers.iter().any(|name| **name == *issuer.name))
        });
        let message = if rule.paths.iter().any(|path| path.rest) {
            "expired tokens pass for every path below: say one path"
        } else if rule.methods.is_empty() {
            "expired tokens pass with every method: say which `methods`"
        } else if revokes {
            "issuers drop revocations at `exp`: a revoked token passes again after it"
        } else {
            ""
        };
        if !message.is_empty() {
            node.warn(AdmitsMore, message);
        }
    }
    if tokens.principals.is_empty() {
        return;
    }
    let list = tokens.credentials.as_ref().unwrap_or(shared);
    let all = || {
        let others = tokens
            .principals
            .iter()
            .map(|(name, wanted)| (Some(&**name), wanted));
        core::iter::once((None, user)).chain(others)
    };
    for (index, (name, wanted)) in all().enumerate() {
        for (other, also) in all().skip(index.saturating_add(1)) {
            let types = !wanted.types.is_empty()
                && !also.types.is_empty()
                && !wanted.types.iter().any(|name| also.types.contains(name));
            let told_apart = types || !wanted.claims.is_empty() || !also.claims.is_empty();
            if !told_apart && share_issuer(list, name, other) {
                let message = "one token can be that of two principals here: tell them apart by `types` or `claims`";
                node.warn(AdmitsMore, message);
                return;
            }
        }
    }
}

/// Returns whether an issuer's tokens are good for both principals.
fn share_issuer(list: &Credentials, a: Option<&str>, b: Option<&str>) -> bool {
    let places = |name| {
        let places = list.places.iter();
        places.filter(move |place| place.principal.as_deref() == name)
    };
    let mut ids = places(a).flat_map(|place| &place.issuers);
    ids.any(|id| places(b).any(|place| place.issuers.binary_search(id).is_ok()))
}
