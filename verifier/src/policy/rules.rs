//! Parses `rules`.

use alloc::{boxed::Box, vec::Vec};

use super::{
    codes::*,
    credentials::Lists,
    fields::Fields,
    grammar,
    names::Names,
    pattern::pattern,
    reach::Reach,
    reader::{Node, Unique},
    report::Read,
    requirement::{Context, Segments, requirement},
    tokens::{optional, tokens, warn_of_tokens},
};
use crate::{
    base::limits,
    json::Value,
    model::{Access, Credentials, Host, Pattern, Requirement, Rule},
};

pub(super) fn rules(
    node: Node<'_, '_>,
    names: &Names<'_>,
    shared: &Credentials,
    lists: &mut Lists<'_>,
) -> Read<Vec<Rule>> {
    let mut reach = Reach::default();
    node.list(0, limits::POLICY_RULES, |item| {
        let before = item.refusals();
        let rule = rule(item, names, shared, lists, &mut reach)?;
        if item.refusals() == before {
            warn_of_tokens(item, &rule, shared, lists);
        }
        Ok(rule)
    })
}

fn rule(
    node: Node<'_, '_>,
    names: &Names<'_>,
    shared: &Credentials,
    lists: &mut Lists<'_>,
    reach: &mut Reach,
) -> Read<Rule> {
    let before = node.refusals();
    let mut fields = node.fields()?;
    let path = fields.node("path");
    let paths = fields.required("path", paths);
    let captured = shared_names(&paths);
    let context = Context {
        names,
        segments: match node.refusals() == before {
            true => Segments::Captured(&captured),
            false => Segments::Unread,
        },
    };
    let access = access(node, &mut fields, context);
    let is_public = matches!(access, Ok(Access::Public));
    let tokens = tokens(&mut fields, context, shared, lists, is_public);
    let hosts = fields.or("hosts", Vec::new(), hosts);
    let methods = fields.or("methods", Vec::new(), methods);
    fields.close();
    let rule = Rule {
        access: access?,
        hosts,
        paths,
        methods,
        tokens,
    };
    if let Some(path) = path.filter(|_| node.refusals() == before) {
        warn_unreachable(path, &reach.add(&rule));
    }
    Ok(rule)
}

fn access(node: Node<'_, '_>, fields: &mut Fields<'_, '_>, context: Context<'_>) -> Read<Access> {
    let public = fields.node("public").map_or(Ok(false), Node::flag);
    let optional = fields.node("optional").map_or(Ok(false), optional);
    let require = fields.node("require");
    let requirement = fields.or("require", Requirement::default(), |node| {
        requirement(node, context)
    });
    match (public?, optional?, require) {
        (true, false, None) => Ok(Access::Public),
        (false, true, _) => Ok(Access::Optional(requirement)),
        (false, false, Some(_)) => Ok(Access::Required(requirement)),
        (false, false, None) => {
            let message = "say who may pass: `public`, `optional` or `require` \
                           (`\"require\": {}` asks for a good token and nothing more)";
            Err(node.refuse(FIELD_MISSING, message))
        }
        (true, true, _) => {
            Err(node.refuse(CONFLICT, "a rule is `public`, or a token is `optional`"))
        }
        (true, false, Some(_)) => {
            let message = "a `public` rule looks at no token, so it can `require` nothing";
            Err(node.refuse(CONFLICT, message))
        }
    }
}

fn paths(node: Node<'_, '_>) -> Read<Vec<Pattern>> {
    match node.value() {
        Value::String(_) => pattern(node).map(|pattern| Vec::from([pattern])),
        Value::Array(_) => {
            let mut unique = Unique::default();
            node.list(1, usize::MAX, |item| {
                unique.add(item, item.text()?, "this list")?;
                pattern(item)
            })
        }
        _ => Err(node.type_wrong("a string or an array")),
    }
}

/// Returns the names that every path captures.
fn shared_names(paths: &[Pattern]) -> Vec<&str> {
    let Some((first, others)) = paths.split_first() else {
        return Vec::new();
    };
    let shared = |name: &&str| others.iter().all(|path| path.names().any(|n| n == *name));
    first.names().filter(shared).collect()
}

fn methods(node: Node<'_, '_>) -> Read<Vec<Box<str>>> {
    node.words(1, grammar::method)
}

fn hosts(node: Node<'_, '_>) -> Read<Vec<Host>> {
    let mut unique = Unique::default();
    node.list(1, usize::MAX, |item| {
        let host = item.word(grammar::host)?.to_ascii_lowercase();
        unique.add(item, &host, "this list, where case does not count")?;
        Ok(match host.strip_prefix("*.") {
            Some(parent) => Host::Wildcard(parent.into()),
            None => Host::Exact(host.into()),
        })
    })
}

/// Reports a warning for each path whose requests earlier rules match.
fn warn_unreachable(path: Node<'_, '_>, covered: &[bool]) {
    let mut covered = covered.iter();
    path.each(&mut |path| {
        if covered.next() == Some(&true) {
            let message = "earlier rules match every request that this path could match";
            path.warn(UNREACHABLE, message);
        }
    });
}
