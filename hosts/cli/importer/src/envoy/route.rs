//! The requests that a route, a rule or a header matcher matches.

use crate::{
    formula::Formula,
    input::Node,
    request::{host, method, path},
    text::{How, Text},
    tokens::unknown,
};

/// The name under which routes and RBAC policies refer to the `jwt_authn` filter.
pub(super) const JWT_AUTHN_NAME: &str = "envoy.filters.http.jwt_authn";

/// `RouteMatch`.
pub(super) fn condition<'i>(route: &Node<'i>) -> Formula<'i> {
    let mut all = Vec::new();
    for part in route.others(&["case_sensitive"]) {
        let text = || part.text().to_owned();
        let how = match part.kind().as_str() {
            "path" => How::Exact(text()),
            "prefix" => How::Prefix(text()),
            "path_separated_prefix" => How::Segments(text()),
            "safe_regex" => How::Regex(part.text_of("regex").unwrap_or_default().to_owned()),
            "path_match_policy" => match part.at(&["typed_config", "path_template"]) {
                Some(template) => How::Template(template.text().to_owned()),
                None => {
                    all.push(unknown(&part, "this way to match a path is not known here"));
                    continue;
                }
            },
            "headers" => {
                all.extend(part.items().iter().map(header));
                continue;
            }
            _ => {
                all.push(unknown(
                    &part,
                    "a rule can match only path, method and host",
                ));
                continue;
            }
        };
        let ignore_case = route
            .member("case_sensitive")
            .is_some_and(|node| node.value == false);
        let text = Text {
            ignore_case,
            ..Text::new(how)
        };
        all.push(path(&part, &text));
    }
    Formula::All(all)
}

/// `HeaderMatcher`.
pub(super) fn header<'i>(matcher: &Node<'i>) -> Formula<'i> {
    let name = matcher.text_of("name").unwrap_or_default();
    let how = |member: &str, how: fn(String) -> How| {
        let text = matcher.text_of(member)?;
        Some(Text::new(how(text.to_owned())))
    };
    let text = matcher
        .member("string_match")
        .and_then(|node| Text::of_envoy(&node))
        .or_else(|| how("exact_match", How::Exact))
        .or_else(|| how("prefix_match", How::Prefix))
        .or_else(|| how("suffix_match", How::Suffix))
        .or_else(|| how("contains_match", How::Contains))
        .or_else(|| {
            let regex = matcher.at(&["safe_regex_match", "regex"])?;
            Some(Text::new(How::Regex(regex.text().to_owned())))
        })
        .or_else(|| {
            matcher
                .flag_of("present_match")
                .then(|| Text::new(How::Present))
        });
    let formula = match (name.to_ascii_lowercase().as_str(), text) {
        (":path", Some(text)) => with_query(matcher, &text),
        (":method", Some(text)) => method(matcher, &text),
        (":authority" | "host", Some(text)) => host(matcher, &text),
        _ => unknown(matcher, "a policy cannot use other headers"),
    };
    match matcher.flag_of("invert_match") {
        true => !formula,
        false => formula,
    }
}

/// A comparison of `:path`, which has the query too.
fn with_query<'i>(node: &Node<'i>, text: &Text) -> Formula<'i> {
    let formula = path(node, text);
    match (formula, &text.how) {
        (Formula::Path(mut bounds), How::Exact(_)) => {
            node.stricter("for Envoy a query is part of `:path`: the stricter decision is taken");
            bounds.inner = None;
            Formula::Path(bounds)
        }
        (formula, _) => formula,
    }
}

/// Refuses routes that disable a filter or configure it differently.
pub(super) fn refuse_own_settings(node: &Node<'_>) {
    if let Some(settings) = node.member("typed_per_filter_config") {
        for (name, setting) in settings.members() {
            let is_off = setting.flag_of("disabled");
            let concerned = name.contains("jwt_authn") || name.contains("rbac");
            if concerned && is_off && name == JWT_AUTHN_NAME {
                setting.stricter(
                    "disabling the filter for a route is not carried over: requests need a token",
                );
            } else if concerned {
                setting.refuse("settings of a route for `jwt_authn` or RBAC cannot be carried over: write them as rules of the filter");
            }
        }
    }
    if node.value.is_object() {
        let members = node.members().into_iter();
        members
            .filter(|(name, _)| !matches!(*name, "http_filters" | "httpFilters"))
            .for_each(|(_, node)| refuse_own_settings(&node));
    } else if node.value.is_array() {
        node.items().iter().for_each(refuse_own_settings);
    }
}
