//! `rules`: which requests, and who may make them.

use alloc::{boxed::Box, vec::Vec};

use super::{
    Access, Host, Pattern, Rule,
    codes::*,
    grammar,
    names::Names,
    pattern::pattern,
    reach::Reach,
    reader::{Node, Unique, every},
    report::Read,
    requirement::{Context, Segments, requirement},
};
use crate::{json::Value, limits, requirement::Requirement};

pub(super) fn rules(node: Node<'_, '_>, names: &Names<'_>) -> Read<Vec<Rule>> {
    let mut reach = Reach::default();
    every(
        node.items(0, limits::POLICY_RULES)?
            .map(|item| rule(item, names, &mut reach)),
    )
}

fn rule(node: Node<'_, '_>, names: &Names<'_>, reach: &mut Reach) -> Read<Rule> {
    let mut fields = node.fields()?;
    let path = fields.node("path");
    let paths = fields.required("path", paths);
    let methods = fields.or("methods", Vec::new(), methods);
    let hosts = fields.or("hosts", Vec::new(), hosts);
    let public = fields.or("public", false, Node::flag);
    let optional = fields.or("optional", false, Node::flag);
    let shared = paths.as_deref().ok().map(shared_names);
    let segments = shared
        .as_deref()
        .map_or(Segments::Unread, Segments::Captured);
    let context = Context { names, segments };
    let require = fields.optional("require", |node| requirement(node, context));
    fields.close();
    let access = access(node, public?, optional?, require?);
    let rule = Rule {
        hosts: hosts?,
        paths: paths?,
        methods: methods?,
        access: access?,
    };
    if let Some(path) = path {
        warn_unreachable(path, &rule, reach)?;
    }
    Ok(rule)
}

fn access(
    node: Node<'_, '_>,
    public: bool,
    optional: bool,
    require: Option<Requirement>,
) -> Read<Access> {
    match (public, optional, require) {
        (true, false, None) => Ok(Access::Public),
        (false, true, require) => Ok(Access::Optional(require.unwrap_or_default())),
        (false, false, Some(require)) => Ok(Access::Required(require)),
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
            every(node.items(1, usize::MAX)?.map(|item| {
                unique.add(item, item.text()?, "this list")?;
                pattern(item)
            }))
        }
        _ => Err(node.type_wrong("a string or an array")),
    }
}

/// The names that every path captures.
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
    every(node.items(1, usize::MAX)?.map(|item| {
        let host = item.word(grammar::host)?.to_ascii_lowercase();
        unique.add(item, &host, "this list, where case does not count")?;
        Ok(match host.strip_prefix("*.") {
            Some(parent) => Host::Wildcard(parent.into()),
            None => Host::Exact(host.into()),
        })
    }))
}

/// A warning for each path that earlier rules leave nothing to.
fn warn_unreachable(node: Node<'_, '_>, rule: &Rule, reach: &mut Reach) -> Read<()> {
    let covered = reach.add(rule);
    let warn = |node: Node<'_, '_>| {
        node.warn(
            UNREACHABLE,
            "earlier rules match every request that this path could match",
        );
    };
    match node.value() {
        Value::Array(_) => node
            .items(1, usize::MAX)?
            .zip(covered)
            .filter(|(_, covered)| *covered)
            .for_each(|(item, _)| warn(item)),
        _ if covered.contains(&true) => warn(node),
        _ => {}
    }
    Ok(())
}
