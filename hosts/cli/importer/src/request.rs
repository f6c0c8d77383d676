//! The conditions on a request: its path, host and method.

use crate::{
    formula::Formula,
    input::Node,
    text::{How, Text},
    tokens::unknown,
};

/// A comparison of the path without its query.
pub(crate) fn path<'i>(node: &Node<'i>, text: &Text) -> Formula<'i> {
    let bounds = text.paths();
    if bounds.inner != bounds.outer {
        let sure = bounds.inner.as_ref().map(|inner| format!("`{inner}`"));
        let sure = sure.as_deref().unwrap_or("nothing");
        let around = bounds.outer.as_ref().map(|outer| outer.hull().to_string());
        let around = around.unwrap_or_default();
        let way_out = match bounds
            .outer
            .as_ref()
            .is_some_and(|outer| outer.hull() != *outer)
        {
            true => "; if whole segments are meant, use `--whole-segments`",
            false => "",
        };
        node.stricter(format!(
            "a policy compares paths by whole segments: {sure} matches for certain, and the \
             stricter decision is taken for the rest of `{around}`{way_out}"
        ));
    } else if matches!(text.how, How::Exact(_)) && bounds.outer.is_some() {
        node.changed("a trailing slash and percent-encoding are ignored in paths");
    }
    Formula::Path(bounds)
}

/// A comparison of `:authority`.
pub(crate) fn host<'i>(node: &Node<'i>, text: &Text) -> Formula<'i> {
    let bounds = text.hosts();
    if bounds.inner != bounds.outer {
        node.stricter(
            "a policy compares hosts without port, and `*.` stands for one label: where that \
             leaves it open, the stricter decision is taken",
        );
    } else if matches!(text.how, How::Exact(_)) {
        node.changed("the port of a host is ignored");
    }
    Formula::Host(bounds)
}

/// A comparison of `:method`.
pub(crate) fn method<'i>(node: &Node<'i>, text: &Text) -> Formula<'i> {
    let one = |name: &str| Formula::Method(name.to_owned());
    match &text.how {
        How::Present | How::Any => Formula::Const(true),
        How::Exact(name) if !text.ignore_case => one(name),
        How::Regex(regex) => {
            let regex = regex
                .trim_start_matches(['^', '('])
                .trim_end_matches(['$', ')']);
            let is_name =
                |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase());
            match regex.split('|').all(is_name) {
                true => Formula::Any(regex.split('|').map(one).collect()),
                false => unknown(node, "a method is compared as a whole, not by a pattern"),
            }
        }
        _ => unknown(
            node,
            "a method is compared as a whole, not by a part or a pattern",
        ),
    }
}
