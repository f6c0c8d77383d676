//! What texts of a policy have to be, each with the sentence that says so.

use crate::base::is_token;

type Judged = Result<(), &'static str>;

fn must(holds: bool, sentence: &'static str) -> Judged {
    if holds { Ok(()) } else { Err(sentence) }
}

/// Any text that says something: audiences, roles, groups, tenants.
pub(super) fn text(text: &str) -> Judged {
    must(!text.is_empty(), "the text must not be empty")
}

/// A name that the operator gives: it appears in logs and metrics.
pub(super) fn name(name: &str) -> Judged {
    text(name)?;
    must(
        name.chars().nth(128).is_none(),
        "a name has at most 128 characters",
    )?;
    must(
        !name.chars().any(|c| c.is_ascii_control()),
        "a name has no control characters",
    )
}

/// RFC 9110 §5.1.
pub(super) fn header(name: &str) -> Judged {
    must(is_token(name), "a header name has letters, digits and `-`")
}

/// RFC 6265 §4.1.1.
pub(super) fn cookie(name: &str) -> Judged {
    must(
        is_token(name),
        "a cookie name has letters, digits, `-`, `_` and `.`",
    )
}

/// RFC 9110 §11.1.
pub(super) fn scheme(name: &str) -> Judged {
    must(is_token(name), "a scheme is one word, such as `Bearer`")
}

/// RFC 9110 §9.1; the gate takes no method of more than 64 bytes.
pub(super) fn method(name: &str) -> Judged {
    must(
        is_token(name) && name.len() <= 64,
        "a method is one word, such as `GET`",
    )?;
    let upper = !name.bytes().any(|b| b.is_ascii_lowercase());
    must(
        upper,
        "methods are written in capitals: they compare with case",
    )
}

/// `scope-token` of RFC 6749 §3.3, and exact.
pub(super) fn scope(scope: &str) -> Judged {
    scope_token(scope)?;
    must(
        !scope.contains('*'),
        "a required scope is exact: a wildcard belongs to the token's scope (`scope_wildcards`)",
    )
}

/// An exact scope, `prefix:*` or `*`.
pub(super) fn scope_pattern(pattern: &str) -> Judged {
    scope_token(pattern)?;
    let exact = match pattern {
        "*" => return Ok(()),
        _ => pattern.strip_suffix(":*").unwrap_or(pattern),
    };
    must(
        !exact.is_empty() && !exact.contains('*'),
        "`*` stands alone or after a last `:`, as in `node:*`",
    )
}

fn scope_token(scope: &str) -> Judged {
    let legal = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
    must(
        !scope.is_empty() && scope.bytes().all(legal),
        "a scope is visible ASCII without spaces, `\"` and `\\`",
    )
}

/// What may stand in a quoted string as it is (RFC 9110 §5.6.4).
pub(super) fn realm(realm: &str) -> Judged {
    let legal = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
    must(
        !realm.is_empty() && realm.bytes().all(legal),
        "a realm is visible ASCII without spaces, `\"` and `\\`",
    )
}

/// The `typ` of a header (RFC 7515 §4.1.9).
pub(super) fn media_type(typ: &str) -> Judged {
    let legal = |b: u8| b.is_ascii_graphic();
    must(
        !bare_media_type(typ).is_empty() && typ.bytes().all(legal),
        "a `typ` is a media type, such as `at+jwt`",
    )
}

/// Without the `application/` that may be left out (RFC 7515 §4.1.9).
pub(super) fn bare_media_type(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.split_at_checked(PREFIX.len()) {
        Some((head, rest)) if head.eq_ignore_ascii_case(PREFIX) => rest,
        _ => typ,
    }
}

/// A host as rules name it: exact, or one label below (`*.example.com`).
pub(super) fn host(host: &str) -> Judged {
    must(
        host.is_ascii(),
        "an international host name is written in its ASCII form (`xn--…`)",
    )?;
    must(
        !host.contains('/'),
        "a host has no scheme and no path: `example.com`, not `https://example.com/`",
    )?;
    must(host != "*", "leave `hosts` out where any host will do")?;
    let name = host.strip_prefix("*.").unwrap_or(host);
    must(
        !name.contains('*'),
        "`*.` stands for one label, and only at the start",
    )?;
    if host.starts_with('[') {
        return must(
            is_address(host),
            "an IPv6 address is written in brackets, without a port",
        );
    }
    must(
        !name.contains(':'),
        "a host has no port: it compares without one",
    )?;
    must(
        !name.ends_with('.'),
        "a host is written without a dot at its end",
    )?;
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let label = |label: &str| !label.is_empty() && label.bytes().all(legal);
    must(name.split('.').all(label), "this is no host name")
}

/// An IPv6 address in brackets (RFC 3986 §3.2.2), roughly.
fn is_address(host: &str) -> bool {
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let legal = |b: u8| b.is_ascii_hexdigit() || b == b':' || b == b'.';
    address.is_some_and(|address| address.contains(':') && address.bytes().all(legal))
}
