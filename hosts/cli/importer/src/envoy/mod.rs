//! `jwt_authn` and RBAC of an Envoy configuration.

mod provider;
mod rbac;
mod requirement;
mod route;

use crate::{
    gateway::Gateway,
    input::{Document, Node, Notes},
    options::Options,
    plugin::{Plugin, Settings},
    policy::Policy,
    provider::issuers,
    rewrite,
    tokens::Tokens,
};

const JWT_AUTHN: &str = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
const RBAC: &str = "envoy.extensions.filters.http.rbac.v3.RBAC";

/// The policy for the one filter chain with `jwt_authn`; `None` where the notes
/// have the reason.
pub(crate) fn plugin(document: &Document, notes: &Notes, options: &Options) -> Option<Plugin> {
    let root = document.root(notes);
    let mut chains = Vec::new();
    find_chains(&root, &mut chains);
    let at = options.at.as_deref().unwrap_or_default();
    chains.retain(|chain| chain.pointer.starts_with(at));
    let chain = match chains.as_slice() {
        [chain] => chain,
        [] => {
            root.refuse("no `http_filters` with a `jwt_authn` filter are here");
            return None;
        }
        several => {
            for chain in several {
                chain.refuse(
                    "several listeners have a `jwt_authn` filter: choose this one with `--at`",
                );
            }
            return None;
        }
    };
    route::refuse_own_settings(chain);
    rewrite::warn_of_envoy(chain, None);
    if let Some(name) = chain.at(&["rds", "route_config_name"]) {
        rewrite::warn_of_routes(&root, name.text());
    }

    let mut tokens = None;
    let mut bypass_cors_preflight = false;
    let mut gateway = Gateway::default();
    for filter in chain.items_of("http_filters") {
        if filter.flag_of("disabled") {
            filter.dropped("the filter is disabled");
        } else if let Some(config) = config_of(&filter, JWT_AUTHN) {
            if tokens.is_some() {
                filter.refuse("a second `jwt_authn` filter in one chain cannot be carried over");
                return None;
            }
            let read = tokens_of(&config, options);
            bypass_cors_preflight = config.flag_of("bypass_cors_preflight");
            gateway.authn = requirement::rules(&config, &read);
            gateway.issuers = read.issuer_names();
            tokens = Some(read);
        } else if let Some(config) = config_of(&filter, RBAC) {
            // Before `jwt_authn` there are no claims to look at.
            gateway.filters.push(match &tokens {
                Some(tokens) => rbac::filter(&config, tokens),
                None => rbac::filter(&config, &Tokens::default()).without_token(),
            });
        }
    }
    let tokens = tokens?;
    Some(Plugin {
        envoy: Settings {
            bypass_cors_preflight,
            ..Settings::of(&tokens.providers)
        },
        policy: Policy::new(&root, &tokens, gateway, options)?,
    })
}

/// Every connection manager below `node` whose chain has `jwt_authn`.
fn find_chains<'i>(node: &Node<'i>, found: &mut Vec<Node<'i>>) {
    if let Some(filters) = node.member("http_filters") {
        let filters = filters.items();
        if filters
            .iter()
            .any(|filter| config_of(filter, JWT_AUTHN).is_some())
        {
            found.push(node.clone());
        }
    } else if node.value.is_object() {
        let members = node.members();
        members
            .iter()
            .for_each(|(_, node)| find_chains(node, found));
    } else if node.value.is_array() {
        node.items()
            .iter()
            .for_each(|node| find_chains(node, found));
    }
}

/// The filter's configuration, if it is of this type.
fn config_of<'i>(filter: &Node<'i>, message: &str) -> Option<Node<'i>> {
    let config = filter.member("typed_config")?;
    let is_it = config
        .value
        .get("@type")
        .and_then(|name| name.as_str())
        .is_some_and(|name| name.rsplit('/').next() == Some(message));
    is_it.then_some(config)
}

fn tokens_of<'i>(config: &Node<'i>, options: &Options) -> Tokens<'i> {
    let providers = config.member("providers").map(|node| node.members());
    let providers = providers.unwrap_or_default().into_iter();
    let mut providers: Vec<_> = providers
        .map(|(name, node)| provider::provider(name, &node, options))
        .collect();
    requirement::add_audiences(config, &mut providers);
    let either = requirement::Either::of(config);
    if config.flag_of("bypass_cors_preflight") && !options.plugin {
        config.stricter("a policy cannot express CORS preflights and denies them: use `--plugin`");
    }
    for node in config.others(&[
        "@type",
        "providers",
        "rules",
        "requirement_map",
        "filter_state_rules",
        "bypass_cors_preflight",
    ]) {
        node.dropped("this changes no decision and is not carried over");
    }
    Tokens {
        issuers: issuers(&mut providers, &|a, b| either.says(a, b)),
        providers,
    }
}
