//! `RequestAuthentication` and `AuthorizationPolicy` of Istio.

mod authentication;
mod authorization;
mod scope;

use crate::{
    access::{Authn, Optional, Verified},
    formula::Formula,
    gateway::Gateway,
    input::{Document, Node, Notes},
    options::Options,
    plugin::{Plugin, Settings},
    policy::Policy,
    provider::issuers,
    rewrite,
    tokens::{Tokens, unknown},
};

/// The policy for one workload; `None` where the notes have the reason.
pub(crate) fn plugin(documents: &[Document], notes: &Notes, options: &Options) -> Option<Plugin> {
    let roots: Vec<_> = documents
        .iter()
        .map(|document| document.root(notes))
        .collect();
    let first = roots.first()?;
    let mut resources = Vec::new();
    for root in &roots {
        match root.member("items") {
            Some(items) => resources.extend(items.items()),
            None => resources.push(root.clone()),
        }
    }
    let is = |node: &Node<'_>, kind| node.member("kind").is_some_and(|node| node.value == kind);
    for resource in &resources {
        if is(resource, "VirtualService") || is(resource, "HTTPRoute") {
            rewrite::warn_of_istio(resource);
        }
    }
    resources.retain(|node| is(node, "RequestAuthentication") || is(node, "AuthorizationPolicy"));
    let resources = scope::of_one_workload(resources, options)?;
    let (authentications, authorizations): (Vec<_>, Vec<_>) = resources
        .into_iter()
        .partition(|node| is(node, "RequestAuthentication"));

    let rules: Vec<_> = authentications
        .iter()
        .filter_map(|node| node.member("spec"))
        .flat_map(|spec| spec.items_of("jwt_rules"))
        .collect();
    let mut providers: Vec<_> = rules
        .iter()
        .map(|rule| authentication::provider(rule, options))
        .collect();
    let tokens = Tokens {
        // A token of any rule will do.
        issuers: issuers(&mut providers, &|_, _| true),
        providers,
    };
    let authn = Authn::Verified(Verified {
        optional: match authentication::is_optional(&rules) {
            true => Optional::Missing,
            false => Optional::Nothing,
        },
        ..tokens.of_any()
    });
    let gateway = Gateway {
        authn: vec![(Formula::Const(true), authn)],
        filters: filters(&authorizations, &tokens),
        issuers: tokens.issuer_names(),
    };
    Some(Plugin {
        envoy: Settings::of(&tokens.providers),
        policy: Policy::new(first, &tokens, gateway, options)?,
    })
}

/// `DENY` takes precedence over `ALLOW`. Where there is an `ALLOW`, whatever none
/// of them matches is denied.
fn filters<'i>(policies: &[Node<'i>], tokens: &Tokens<'i>) -> Vec<Formula<'i>> {
    let mut filters = Vec::new();
    let mut allowed = None;
    for policy in policies {
        let spec = policy.member("spec");
        let rules = || {
            let rules = spec.iter().flat_map(|spec| spec.items_of("rules"));
            let rules = rules.map(|rule| authorization::rule(&rule, tokens));
            Formula::Any(rules.collect())
        };
        let action = spec.as_ref().and_then(|spec| spec.text_of("action"));
        match action.unwrap_or("ALLOW") {
            "ALLOW" => allowed.get_or_insert_with(Vec::new).push(rules()),
            "DENY" => filters.push(!rules()),
            "AUDIT" => policy.dropped("rules that only log are not carried over"),
            _ => {
                let authorizer = unknown(policy, "an external authorizer is not called");
                filters.push(Formula::Any(vec![!rules(), authorizer]));
            }
        }
    }
    filters.extend(allowed.map(Formula::Any));
    filters
}
