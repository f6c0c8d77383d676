//! Routes that serve another path or host than the gate decided about.
//!
//! A filter handles a request before its route rewrites it; this is so for the
//! gate and for the filters that it replaces. So a route can serve `/admin` at
//! `/public`, although a rule protects `/admin`.

use crate::input::Node;

/// Members of a route, and the part of the request that each changes.
const ENVOY: [(&str, &str); 8] = [
    ("prefix_rewrite", "path"),
    ("regex_rewrite", "path"),
    ("path_rewrite", "path"),
    ("path_rewrite_policy", "path"),
    ("host_rewrite_literal", "host"),
    ("host_rewrite_header", "host"),
    ("host_rewrite_path_regex", "host"),
    ("auto_host_rewrite", "host"),
];

/// `HTTPRewrite` of Istio, and `HTTPURLRewriteFilter` of the Gateway API.
const ISTIO: [(&str, &str); 5] = [
    ("uri", "path"),
    ("uri_regex_rewrite", "path"),
    ("authority", "host"),
    ("path", "path"),
    ("hostname", "host"),
];

/// Headers that choose the backend and the resource.
const CHOOSING: [(&str, &str); 4] = [
    (":path", "path"),
    (":authority", "host"),
    ("host", "host"),
    (":method", "method"),
];

/// Warns of every rewrite of an Envoy configuration's routes at `node` or
/// below. `route` is the nearest name.
pub(crate) fn warn_of_envoy(node: &Node<'_>, route: Option<&str>) {
    if node.value.is_array() {
        let items = node.items();
        return items.iter().for_each(|item| warn_of_envoy(item, route));
    }
    if !node.value.is_object() {
        return;
    }
    let name = node.member("name").and_then(|name| name.value.as_str());
    let route = name.or(route);
    for (member, value) in node.members() {
        let rewrites = ENVOY.iter().find(|(rewrite, _)| *rewrite == value.kind());
        match (member, rewrites) {
            // Nothing but `false` turns it off.
            (_, Some((_, what))) if *value.value != false => warn(&value, route, what),
            // A client that is sent elsewhere is judged there.
            ("redirect", _) => {}
            ("request_mutations" | "requestMutations", _) => warn_of_mutations(&value, route),
            _ => warn_of_envoy(&value, route),
        }
    }
}

/// Warns of the routes of this name in the file, which a connection manager
/// refers to.
pub(crate) fn warn_of_routes(node: &Node<'_>, name: &str) {
    if node.value.is_array() {
        let items = node.items();
        return items.iter().for_each(|item| warn_of_routes(item, name));
    }
    if !node.value.is_object() {
        return;
    }
    if node.member("virtual_hosts").is_some() {
        let is_it = node.member("name").is_some_and(|node| node.value == name);
        if is_it {
            warn_of_envoy(node, None);
        }
        return;
    }
    let members = node.members();
    members
        .iter()
        .for_each(|(_, node)| warn_of_routes(node, name));
}

/// Warns of a filter behind the gate that sets a header which chooses the
/// resource.
fn warn_of_mutations(mutations: &Node<'_>, filter: Option<&str>) {
    if !mutations.value.is_array() {
        return;
    }
    for mutation in mutations.items() {
        let Some(key) = mutation.at(&["append", "header", "key"]) else {
            continue;
        };
        let key_text = key.text().to_ascii_lowercase();
        if let Some((_, what)) = CHOOSING.iter().find(|(name, _)| *name == key_text) {
            warn(&key, filter, what);
        }
    }
}

/// Warns of every rewrite of a `VirtualService` or an `HTTPRoute`.
pub(crate) fn warn_of_istio(resource: &Node<'_>) {
    let Some(spec) = resource.member("spec") else {
        return;
    };
    let name = resource.at(&["metadata", "name"]);
    let name = name.as_ref().map(Node::text);
    for route in spec.items_of("http") {
        let route_name = route.text_of("name").or(name);
        if let Some(rewrite) = route.member("rewrite") {
            warn_of_members(&rewrite, route_name);
        }
    }
    for rule in spec.items_of("rules") {
        let backends = rule.items_of("backend_refs").into_iter();
        let of_backends = backends.flat_map(|backend| backend.items_of("filters"));
        for filter in rule.items_of("filters").into_iter().chain(of_backends) {
            if let Some(rewrite) = filter.member("url_rewrite") {
                warn_of_members(&rewrite, name);
            }
        }
    }
}

fn warn_of_members(rewrite: &Node<'_>, route: Option<&str>) {
    for (_, value) in rewrite.members() {
        if let Some((_, what)) = ISTIO.iter().find(|(name, _)| *name == value.kind()) {
            warn(&value, route, what);
        }
    }
}

fn warn(rewrite: &Node<'_>, route: Option<&str>, what: &str) {
    let route = route.map_or("a route".to_owned(), |name| format!("`{name}`"));
    let name = rewrite.name();
    rewrite.rewritten(format!(
        "{route} serves another {what} than the gate checks (`{name}`): rules match the {what} of the \
         request, so every rule for this route must be as strict as the {what} that is served needs"
    ));
}
