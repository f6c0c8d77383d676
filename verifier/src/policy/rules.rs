//! Parses `rules`.

use alloc::{borrow::Cow, boxed::Box, vec::Vec};
use core::cell::RefCell;

use super::{
    challenge::{Documents, challenge},
    codes::Code::*,
    credentials::Lists,
    fields::Fields,
    grammar,
    names::Names,
    pattern::{is_segment_name, pattern},
    reach::Reach,
    reader::{Node, Unique},
    report::Read,
    requirement::{Context, requirement},
    tokens::{optional, tokens, warn_of_tokens},
    values::{Captures, Values},
};
use crate::{
    base::limits,
    json::Value,
    model::{Access, Carry, Credentials, Forward, Host, Named, Pattern, Requirement, Rule},
};

pub(super) fn rules(
    node: Node<'_, '_>,
    names: &Names<'_>,
    shared: &Credentials,
    lists: &mut Lists<'_>,
    documents: &mut Documents<'_>,
) -> Read<Vec<Rule>> {
    let start = node.refusals();
    let mut reach = Reach::default();
    let mut unique = Unique::default();
    let is_tenant = |(_, carry): &(Box<str>, Carry)| matches!(carry, Carry::Part(Forward::Tenant));
    let forwards_tenant = lists.forwarded.user.iter().any(is_tenant);
    let rules = node.list(0, limits::POLICY_RULES, |item| {
        let before = item.refusals();
        let rule = rule(
            item,
            names,
            shared,
            lists,
            documents,
            (&mut reach, &mut unique),
        )?;
        if item.refusals() == before {
            warn_of_tokens(item, &rule, shared, lists);
            if names.is_complete() {
                warn_of_tenant(item, &rule.access, names, forwards_tenant);
            }
        }
        Ok(rule)
    })?;
    // A later rule can have the document, or a wider path.
    if node.refusals() == start {
        let mut read = rules.iter();
        node.each(&mut |node| {
            let Some(rule) = read.next() else { return };
            if documents.hides(rule) {
                let message = "the gate answers a path of this rule itself (`resource_metadata`)";
                node.refuse(Conflict, message);
            }
            if reach.splits(rule) {
                let message = "no `%2f` gets here: split there, the path is also one of a `/**`, \
                               and such a request is refused";
                node.warn(Unreachable, message);
            }
        });
    }
    Ok(rules)
}

fn rule(
    node: Node<'_, '_>,
    names: &Names<'_>,
    shared: &Credentials,
    lists: &mut Lists<'_>,
    documents: &mut Documents<'_>,
    (reach, unique): (&mut Reach, &mut Unique),
) -> Read<Rule> {
    let before = node.refusals();
    let mut fields = node.fields()?;
    let name = fields.optional("name", |node| {
        let name = node.word(grammar::name)?;
        unique.add(node, name, "the names of `rules`")?;
        Ok(Box::from(name))
    });
    let path = fields.node("path");
    let paths = fields.required("path", paths);
    let (hosts, host_names) = fields
        .or("hosts", Vec::new(), hosts)
        .into_iter()
        .unzip::<_, _, Vec<_>, Vec<_>>();
    let captures_are_valid = node.refusals() == before;
    let own = lists.list(&mut fields, false);
    let values = Values {
        captures: captures_are_valid.then_some(Captures {
            paths: &paths,
            hosts: &host_names,
        }),
        credentials: own.as_ref().unwrap_or(shared),
        headers: RefCell::default(),
        email_verified: names.email_verified(),
    };
    let context = Context {
        names,
        values: Some(&values),
    };
    let access = access(node, &mut fields, context);
    let is_public = matches!(access, Ok(Access::Public));
    let mut tokens = tokens(&mut fields, context, lists.complete, is_public);
    let compared = values.headers.take();
    tokens.credentials = own;
    let challenge = fields.optional("challenge", |node| {
        if is_public {
            return Err(node.refuse(Conflict, "a `public` rule has no challenge"));
        }
        challenge(node, documents)
    });
    let keeps_slash = fields.or("encoded_slash", false, |node| {
        let message = "say `keep`, if the backend keeps `%2f` in its segment, or `refuse`";
        node.either(["refuse", "keep"], message)
    });
    let methods = fields.or("methods", Vec::new(), methods);
    fields.close();
    let rule = Rule {
        name,
        access: access?,
        hosts,
        paths,
        methods,
        compared,
        keeps_slash,
        challenge,
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
            Err(node.refuse(FieldMissing, message))
        }
        (true, true, _) => {
            Err(node.refuse(Conflict, "a rule is `public`, or a token is `optional`"))
        }
        (true, false, Some(_)) => {
            let message = "a `public` rule looks at no token, so it can `require` nothing";
            Err(node.refuse(Conflict, message))
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

fn methods(node: Node<'_, '_>) -> Read<Vec<Box<str>>> {
    node.words(1, grammar::method)
}

/// Parses hosts, each with the name of its first label.
fn hosts(node: Node<'_, '_>) -> Read<Vec<(Host, Option<Box<str>>)>> {
    let mut unique = Unique::default();
    node.list(1, usize::MAX, |item| {
        let text = item.text()?;
        let (host, name) = match text.strip_prefix('{').and_then(|text| text.split_once('}')) {
            Some((name, rest)) if is_segment_name(name) && rest.starts_with('.') => {
                (Cow::Owned(["*", rest].concat()), Some(Box::from(name)))
            }
            _ => (Cow::Borrowed(text), None),
        };
        if let Err(sentence) = grammar::host(&host) {
            return Err(item.refuse(ValueInvalid, sentence));
        }
        let host = host.to_ascii_lowercase();
        unique.add(item, &host, "this list, where case does not count")?;
        let host = match host.strip_prefix("*.") {
            Some(parent) => Host::Wildcard(parent.into()),
            None => Host::Exact(host.into()),
        };
        Ok((host, name))
    })
}

/// Warns of a rule that leaves open which tenant a request is for.
fn warn_of_tenant(node: Node<'_, '_>, access: &Access, names: &Names<'_>, forwards_tenant: bool) {
    let (Access::Optional(requirement) | Access::Required(requirement)) = access else {
        return;
    };
    let admitted = names.issuers_named(&requirement.issuers);
    let admitted = (!admitted.is_empty()).then_some(&*admitted);
    let issuers = names.kind(admitted);
    if issuers.open && !requirement.any(&|part| part.tenant.is_some() || !part.claims.is_empty()) {
        let message = "every tenant of an issuer's template passes: ask for a `tenant`";
        node.warn(AdmitsMore, message);
    }
    let named = |part: &Requirement| !matches!(part.tenant, None | Some(Named::Present));
    if issuers.several && forwards_tenant && !requirement.any(&named) {
        let message = "of several tenants none is named, so none is forwarded: ask for a `tenant`";
        node.warn(AdmitsMore, message);
    }
}

/// Reports a warning for each path whose requests earlier rules match.
fn warn_unreachable(path: Node<'_, '_>, covered: &[bool]) {
    let mut covered = covered.iter();
    path.each(&mut |path| {
        if covered.next() == Some(&true) {
            let message = "earlier rules match every request that this path could match";
            path.warn(Unreachable, message);
        }
    });
}
