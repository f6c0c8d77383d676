//! What nginx cannot do.

use crate::{
    facts::Facts,
    options::{Options, Version},
    problem::Problems,
};

/// Before it, nginx took requests with `Content-Length` and `Transfer-Encoding`, and control
/// characters in targets.
const OLDEST: Version = Version([1, 21, 1]);

/// Headers that nginx, or the configuration, sets for reasons of its own.
const OF_NGINX: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub(super) fn check(facts: &Facts, options: &Options, problems: &mut Problems) {
    if let Some(version) = options.version.filter(|version| *version < OLDEST) {
        problems.refuse(
            "",
            format!("nginx {version} takes requests that a backend can read in another way: {OLDEST} is the oldest that does not"),
        );
    }
    for header in facts.changed_headers() {
        let name = &header.name;
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !name.bytes().all(is_plain) {
            problems.refuse(
                &header.pointer,
                format!("nginx has no variable for the header `{name}`: only letters, digits and `-` are possible"),
            );
        } else if OF_NGINX.contains(&name.as_str()) {
            problems.refuse(
                &header.pointer,
                format!("nginx itself sets the header `{name}`"),
            );
        } else if name.starts_with("x-countersign-") {
            problems.refuse(
                &header.pointer,
                format!("the header `{name}` is one by which nginx and the server talk"),
            );
        }
    }
}
