//! The resources that apply to the workload of the policy.

use std::collections::BTreeSet;

use crate::{input::Node, options::Options};

/// Its resources are for every workload.
const ROOT_NAMESPACE: &str = "istio-system";

/// Those that apply to the workload of the options, or to the only one that
/// there is. `None` where it has to be chosen.
pub(super) fn of_one_workload<'i>(
    mut resources: Vec<Node<'i>>,
    options: &Options,
) -> Option<Vec<Node<'i>>> {
    resources.retain(|node| {
        let namespace = namespace(node);
        let is_meant = options
            .namespace
            .as_ref()
            .is_none_or(|chosen| *chosen == namespace);
        namespace == ROOT_NAMESPACE || is_meant
    });
    let is_chosen = !options.label.is_empty() || options.target.is_some();
    if is_chosen {
        resources.retain(|node| is_selected(node, options));
    }
    let namespaces = resources.iter().map(namespace);
    let namespaces: BTreeSet<_> = namespaces.filter(|name| name != ROOT_NAMESPACE).collect();
    let scopes: BTreeSet<_> = resources.iter().filter_map(scope).collect();
    let mut is_one = true;
    for node in &resources {
        if namespaces.len() > 1 {
            is_one = false;
            node.refuse("several namespaces are here: choose one with `--namespace`");
        }
        if let Some(scope) = scope(node).filter(|_| scopes.len() > 1 && !is_chosen) {
            is_one = false;
            node.refuse(format!(
                "several workloads are here, and a policy is for one: choose with `--label` or \
                 `--target`; this is for {scope}"
            ));
        }
    }
    is_one.then_some(resources)
}

fn namespace(node: &Node<'_>) -> String {
    let namespace = node.at(&["metadata", "namespace"]);
    namespace.map_or("default", |node| node.text()).to_owned()
}

/// The workloads that the resource names; `None` where it is for all.
fn scope(node: &Node<'_>) -> Option<String> {
    let mut names: Vec<_> = labels(node)
        .iter()
        .map(|(key, value)| format!("`{key}={value}`"))
        .collect();
    names.extend(targets(node).iter().map(|target| format!("`{target}`")));
    names.sort();
    (!names.is_empty()).then(|| names.join(", "))
}

fn is_selected(node: &Node<'_>, options: &Options) -> bool {
    let targets = targets(node);
    let is_target = |target: &String| targets.contains(target);
    let has_label = |label: &(String, String)| options.label.contains(label);
    labels(node).iter().all(has_label)
        && (targets.is_empty() || options.target.as_ref().is_some_and(is_target))
}

fn labels(node: &Node<'_>) -> Vec<(String, String)> {
    let labels = node.at(&["spec", "selector", "match_labels"]);
    let labels = labels.map(|labels| labels.members()).unwrap_or_default();
    let labels = labels.into_iter();
    labels
        .map(|(key, value)| (key.to_owned(), value.text().to_owned()))
        .collect()
}

/// `Gateway/ingress`.
fn targets(node: &Node<'_>) -> Vec<String> {
    let one = node.at(&["spec", "target_ref"]);
    let several = node.member("spec").map(|spec| spec.items_of("target_refs"));
    let all = one.into_iter().chain(several.into_iter().flatten());
    let name = |target: Node<'_>| {
        let word = |name| target.text_of(name).unwrap_or_default().to_owned();
        format!("{}/{}", word("kind"), word("name"))
    };
    all.map(name).collect()
}
