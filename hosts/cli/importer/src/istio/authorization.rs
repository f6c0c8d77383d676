//! `rules` of an `AuthorizationPolicy`.

use crate::{
    formula::Formula,
    input::Node,
    request,
    text::{How, Text},
    tokens::{Tokens, unknown},
};

/// One rule: `from`, `to` and `when`, all of which must hold.
pub(super) fn rule<'i>(rule: &Node<'i>, tokens: &Tokens<'i>) -> Formula<'i> {
    let mut all = Vec::new();
    for part in rule.others(&[]) {
        let items = part.items();
        let each = items.iter();
        all.push(match part.name().as_str() {
            "from" => Formula::Any(each.map(|item| source(item, tokens)).collect()),
            "to" => Formula::Any(each.map(operation).collect()),
            "when" => Formula::All(each.map(|item| condition(item, tokens)).collect()),
            _ => unknown(&part, "this is not known here"),
        });
    }
    Formula::All(all)
}

fn source<'i>(item: &Node<'i>, tokens: &Tokens<'i>) -> Formula<'i> {
    let Some(source) = item.member("source") else {
        return Formula::Const(true);
    };
    let all = source
        .others(&[])
        .into_iter()
        .map(|part| match part.name().as_str() {
            "requestPrincipals" => any_of(&part, |node| principal(node, tokens)),
            "notRequestPrincipals" => !any_of(&part, |node| principal(node, tokens)),
            _ => unknown(
                &part,
                "a policy cannot see the client of the connection, only the issuer of the token",
            ),
        });
    Formula::All(all.collect())
}

fn operation<'i>(item: &Node<'i>) -> Formula<'i> {
    let Some(operation) = item.member("operation") else {
        return Formula::Const(true);
    };
    let method = |node: &Node<'i>| request::method(node, &Text::of_istio(node.text()));
    let host = |node: &Node<'i>| request::host(node, &Text::of_istio(node.text()));
    let all = operation
        .others(&[])
        .into_iter()
        .map(|part| match part.name().as_str() {
            "paths" => any_of(&part, path),
            "notPaths" => !any_of(&part, path),
            "methods" => any_of(&part, method),
            "notMethods" => !any_of(&part, method),
            "hosts" => any_of(&part, host),
            "notHosts" => !any_of(&part, host),
            _ => unknown(&part, "a rule can match only path, method and host"),
        });
    Formula::All(all.collect())
}

fn path<'i>(node: &Node<'i>) -> Formula<'i> {
    let text = node.text();
    let text = match text.contains("{*}") || text.contains("{**}") {
        true => Text::new(How::Template(text.to_owned())),
        false => Text::of_istio(text),
    };
    request::path(node, &text)
}

fn any_of<'i>(list: &Node<'i>, read: impl Fn(&Node<'i>) -> Formula<'i>) -> Formula<'i> {
    Formula::Any(list.items().iter().map(read).collect())
}

/// `iss/sub`, split at the last slash as in Istio.
fn principal<'i>(node: &Node<'i>, tokens: &Tokens<'i>) -> Formula<'i> {
    let any = || Text::new(How::Present);
    let exact = |text: &str| Text::new(How::Exact(text.to_owned()));
    let value = node.text();
    let (iss, sub) = if value == "*" {
        (any(), any())
    } else {
        match (
            value.rsplit_once('/'),
            value.starts_with('*'),
            value.ends_with('*'),
        ) {
            (Some((iss, sub)), true, _) => (Text::of_istio(iss), exact(sub)),
            (Some((iss, sub)), false, true) => (exact(iss), Text::of_istio(sub)),
            (Some((iss, sub)), false, false) => (exact(iss), exact(sub)),
            (None, true, _) => (any(), Text::of_istio(value)),
            (None, false, true) => (Text::of_istio(value), any()),
            (None, false, false) => (exact(value), exact("")),
        }
    };
    let sub_is = tokens.text(node, &["sub".to_owned()], &sub);
    Formula::All(vec![tokens.issuer(node, &iss), sub_is])
}

fn condition<'i>(item: &Node<'i>, tokens: &Tokens<'i>) -> Formula<'i> {
    let key = item.text_of("key").unwrap_or_default();
    let one = |node: &Node<'i>| match key {
        "request.auth.principal" => principal(node, tokens),
        "request.auth.audiences" => claim(node, &["aud".to_owned()], tokens),
        "request.auth.presenter" => claim(node, &["azp".to_owned()], tokens),
        _ => match key.strip_prefix("request.auth.claims").and_then(names) {
            Some(names) => claim(node, &names, tokens),
            None => unknown(
                item,
                "a policy can use only path, method, host and the token",
            ),
        },
    };
    let mut all = Vec::new();
    if let Some(values) = item.member("values") {
        all.push(any_of(&values, one));
    }
    if let Some(values) = item.member("not_values") {
        all.push(!any_of(&values, one));
    }
    Formula::All(all)
}

/// A claim that is this text, or a list with it.
fn claim<'i>(node: &Node<'i>, names: &[String], tokens: &Tokens<'i>) -> Formula<'i> {
    tokens.either(node, names, &Text::of_istio(node.text()))
}

/// `[a][b]`.
fn names(brackets: &str) -> Option<Vec<String>> {
    let inner = brackets.strip_prefix('[')?.strip_suffix(']')?;
    let names: Vec<_> = inner.split("][").map(str::to_owned).collect();
    names
        .iter()
        .all(|name| !name.is_empty() && !name.contains(['[', ']']))
        .then_some(names)
}
