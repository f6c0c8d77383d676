//! Names of headers, as configurations have them.

use crate::{
    facts::{Facts, Named},
    forged,
    problem::Problems,
};

/// The headers that a proxy replaces by those of the reply. One whose name would be more
/// than a name in a configuration is refused.
pub(crate) fn replaced(facts: &Facts, problems: &mut Problems) -> Vec<String> {
    let replaced = facts.changed_headers();
    for Named { name, pointer } in replaced.iter().filter(|named| !is_plain(&named.name)) {
        problems.refuse(
            pointer,
            format!(
                "this proxy's configuration cannot hold the header `{name}`: use letters, digits \
                 and `-`"
            ),
        );
    }
    replaced.into_iter().map(|named| named.name).collect()
}

/// The list behind `replaces=`: the headers, and `_`, as all with `_` are removed.
pub(crate) fn list(replaced: &[String]) -> String {
    let names = replaced.iter().map(|name| format!("{name},"));
    names.chain(["_".to_owned()]).collect()
}

/// The headers that no client may write: those that the gate sets, and those that backends
/// believe, but for the ones that the gate reads itself.
pub(crate) fn removed(facts: &Facts) -> Vec<&str> {
    let certificate = facts.client_certificate.iter().map(|(header, _)| header);
    let read = facts.credential_headers.iter().chain(&facts.compared);
    let read: Vec<&str> = read.chain(certificate).map(|named| &*named.name).collect();
    // One that the gate reads and sets is replaced after the question only.
    let mut removed: Vec<&str> = facts.forward.iter().map(|named| &*named.name).collect();
    for name in forged::all() {
        removed.push(name);
    }
    removed.retain(|name| !read.contains(name));
    removed
}

fn is_plain(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Refuses a policy that uses a header which the proxy writes itself, or removes from its
/// question: the gate would not see the client's.
pub(crate) fn not_of_the_proxy(
    proxy: &str,
    its_own: &[&str],
    facts: &Facts,
    problems: &mut Problems,
) {
    let certificate = facts.client_certificate.iter().map(|(header, _)| header);
    let used = facts.forward.iter().chain(&facts.credential_headers);
    for Named { name, pointer } in used.chain(&facts.compared).chain(certificate) {
        if its_own.contains(&&**name) {
            problems.refuse(
                pointer,
                format!(
                    "{proxy} uses the header `{name}` itself: the gate would not get the client's"
                ),
            );
        }
    }
}

/// Whether an address can stand in a configuration as it is.
pub(crate) fn is_plain_address(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte);
    text.bytes().all(is_plain)
}
