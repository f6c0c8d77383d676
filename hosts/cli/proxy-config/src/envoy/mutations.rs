//! Headers that Envoy removes, or lets a reply change, in every spelling.

use crate::facts::Facts;

/// A regular expression for all spellings of a name that a backend could read as it.
pub(super) fn pattern(name: &str) -> String {
    name.replace('-', "[-_]")
}

/// Headers that only the gate sets: those of the client go before a route is chosen.
fn only_set_by_the_gate(facts: &Facts) -> Vec<String> {
    let forward = facts.forward.iter().map(|named| &named.name);
    let certificate = facts
        .client_certificate
        .iter()
        .map(|(named, _)| &named.name);
    // Envoy itself has removed the client's, and may have set its own.
    let certificate = certificate.filter(|name| *name != "x-forwarded-client-cert");
    forward.chain(certificate).cloned().collect()
}

fn alternatives(names: &[String]) -> String {
    let patterns: Vec<_> = names.iter().map(|name| pattern(name)).collect();
    patterns.join("|")
}

/// Removes them from requests before anything else, also on routes without the filter.
pub(crate) fn early(facts: &Facts) -> String {
    let names = only_set_by_the_gate(facts);
    if names.is_empty() {
        return String::new();
    }
    format!(
        "# Nobody but the gate sets these: they go before a route is chosen, on all routes.\n\
         early_header_mutation_extensions:\n  \
           - name: envoy.http.early_header_mutation.header_mutation\n    \
             typed_config:\n      \
               \"@type\": type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation\n      \
               mutations:\n        \
                 - remove_on_match: {{ key_matcher: {{ safe_regex: {{ regex: \"{}\" }} }} }}\n",
        alternatives(&names)
    )
}

/// Removes them, and those that the gate reads, from trailers.
pub(super) fn trailers(facts: &Facts) -> String {
    let mut names = only_set_by_the_gate(facts);
    let read = facts.credential_headers.iter().chain(&facts.compared);
    names.extend(read.map(|named| named.name.clone()));
    names.extend((!facts.cookies.is_empty()).then(|| "cookie".to_owned()));
    format!(
        "# Some backends read trailers as headers. No server sees trailers before it decides.\n\
         - name: envoy.filters.http.header_mutation\n  \
           typed_config:\n    \
             \"@type\": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation\n    \
             mutations:\n      \
               request_trailers_mutations:\n        \
                 - remove_on_match: {{ key_matcher: {{ safe_regex: {{ regex: \"{}\" }} }} }}\n",
        alternatives(&names)
    )
}

/// What a reply may change.
pub(super) fn allowed(facts: &Facts) -> String {
    let changed = facts.changed_headers().into_iter();
    let mut patterns: Vec<_> = changed.map(|named| pattern(&named.name)).collect();
    patterns.extend((!facts.query_parameters.is_empty()).then(|| ":path".to_owned()));
    match patterns.is_empty() {
        true => String::new(),
        false => format!(
            "allow_expression: {{ regex: \"{}\" }}\n",
            patterns.join("|")
        ),
    }
}
