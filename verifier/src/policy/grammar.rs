//! The grammar of the texts in a policy, each with its error message.

use crate::base::is_token;

type Checked = Result<(), &'static str>;

fn check(holds: bool, message: &'static str) -> Checked {
    if holds { Ok(()) } else { Err(message) }
}

/// A text that is not empty: an audience, role, group or tenant.
pub(super) fn text(text: &str) -> Checked {
    check(!text.is_empty(), "the text must not be empty")
}

/// The start of a text. In a URL it does not end within the host.
pub(super) fn start(start: &str) -> Checked {
    text(start)?;
    let scheme = start.as_bytes().windows(3).rposition(|w| w == b"://");
    let rest = scheme.and_then(|at| start.as_bytes().get(at.saturating_add(3)..));
    check(
        rest.is_none_or(|rest| rest.contains(&b'/')),
        "the start of a URL goes on to the `/` after its host",
    )
}

/// A name that the operator chooses. It appears in logs and metrics.
pub(super) fn name(name: &str) -> Checked {
    text(name)?;
    check(
        name.chars().nth(128).is_none(),
        "a name has at most 128 characters",
    )?;
    check(
        !name.chars().any(|c| c.is_ascii_control()),
        "a name has no control characters",
    )
}

/// How opaque tokens begin. JWTs begin with `eyJ`, and are not asked about.
pub(super) fn prefix(prefix: &str) -> Checked {
    check(
        (3..=64).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_graphic()),
        "a prefix has 3 to 64 visible ASCII characters",
    )?;
    check(
        !prefix.starts_with("eyJ"),
        "tokens that begin so are JWTs, which are for issuers with keys",
    )
}

/// A header name (RFC 9110 §5.1) that no proxy drops and every host reads as it
/// is.
pub(super) fn header(name: &str) -> Checked {
    check(
        is_token(name.as_bytes()) && !name.contains('_'),
        "a header name has letters, digits and `-`; hosts and proxies read `_` as `-`, or drop it",
    )
}

/// A cookie name (RFC 6265 §4.1.1).
pub(super) fn cookie(name: &str) -> Checked {
    check(
        is_token(name.as_bytes()),
        "a cookie name has letters, digits, `-`, `_` and `.`",
    )
}

/// A parameter of a query that needs no escapes.
pub(super) fn parameter(name: &str) -> Checked {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    check(
        !name.is_empty() && name.bytes().all(legal),
        "a parameter's name has letters, digits, `-`, `.`, `_` and `~`",
    )
}

/// A WebSocket's subprotocol (RFC 6455 §4.1).
pub(super) fn protocol(name: &str) -> Checked {
    check(
        is_token(name.as_bytes()),
        "a subprotocol is one word, such as `v1.json`",
    )
}

/// An authentication scheme (RFC 9110 §11.1).
pub(super) fn scheme(name: &str) -> Checked {
    check(
        is_token(name.as_bytes()),
        "a scheme is one word, such as `Bearer`",
    )
}

/// A method (RFC 9110 §9.1). The gate refuses methods of more than 64 bytes.
pub(super) fn method(name: &str) -> Checked {
    check(
        is_token(name.as_bytes()) && name.len() <= 64,
        "a method is one word, such as `GET`",
    )?;
    let upper = !name.bytes().any(|b| b.is_ascii_lowercase());
    check(
        upper,
        "methods are written in capitals: they compare with case",
    )
}

/// An exact scope: `scope-token` of RFC 6749 §3.3 without a wildcard.
pub(super) fn scope(scope: &str) -> Checked {
    scope_token(scope)?;
    check(
        !scope.contains('*'),
        "a required scope is exact: a wildcard belongs to the token's scope (`scope_wildcards`)",
    )
}

/// An exact scope, `prefix:*` or `*`.
pub(super) fn scope_pattern(pattern: &str) -> Checked {
    scope_token(pattern)?;
    let exact = match pattern {
        "*" => return Ok(()),
        _ => pattern.strip_suffix(":*").unwrap_or(pattern),
    };
    check(
        !exact.is_empty() && !exact.contains('*'),
        "`*` stands alone or after a last `:`, as in `node:*`",
    )
}

fn scope_token(scope: &str) -> Checked {
    let legal = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
    check(
        !scope.is_empty() && scope.bytes().all(legal),
        "a scope is visible ASCII without spaces, `\"` and `\\`",
    )
}

/// A realm: characters that a quoted string contains unescaped (RFC 9110
/// §5.6.4).
pub(super) fn realm(realm: &str) -> Checked {
    let legal = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
    check(
        !realm.is_empty() && realm.bytes().all(legal),
        "a realm is visible ASCII without spaces, `\"` and `\\`",
    )
}

/// A value of `acr`, which a challenge can name in a quoted string.
pub(super) fn acr(acr: &str) -> Checked {
    let legal = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
    check(
        !acr.is_empty() && acr.bytes().all(legal),
        "an `acr` is visible ASCII without spaces, `\"` and `\\`",
    )
}

/// The `typ` of a JOSE header (RFC 7515 §4.1.9).
pub(super) fn media_type(typ: &str) -> Checked {
    let legal = |b: u8| b.is_ascii_graphic();
    check(
        !bare_media_type(typ).is_empty() && typ.bytes().all(legal),
        "a `typ` is a media type, such as `at+jwt`",
    )
}

/// Removes the optional prefix `application/` (RFC 7515 §4.1.9).
pub(super) fn bare_media_type(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.split_at_checked(PREFIX.len()) {
        Some((head, rest)) if head.eq_ignore_ascii_case(PREFIX) => rest,
        _ => typ,
    }
}

/// A host of a rule: an exact name, or a wildcard for one label
/// (`*.example.com`).
pub(super) fn host(host: &str) -> Checked {
    check(
        host.is_ascii(),
        "an international host name is written in its ASCII form (`xn--…`)",
    )?;
    check(
        !host.contains('/'),
        "a host has no scheme and no path: `example.com`, not `https://example.com/`",
    )?;
    check(host != "*", "leave `hosts` out where any host will do")?;
    let name = host.strip_prefix("*.").unwrap_or(host);
    check(
        !name.contains('*'),
        "`*.` stands for one label, and only at the start",
    )?;
    if host.starts_with('[') {
        return check(
            is_address(host),
            "an IPv6 address is written in brackets, without a port",
        );
    }
    check(
        !name.contains(':'),
        "a host has no port: it compares without one",
    )?;
    check(
        !name.ends_with('.'),
        "a host is written without a dot at its end",
    )?;
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let label = |label: &str| !label.is_empty() && label.bytes().all(legal);
    check(name.split('.').all(label), "this is no host name")
}

/// Returns whether the text looks like an IPv6 address in brackets (RFC 3986
/// §3.2.2).
fn is_address(host: &str) -> bool {
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let legal = |b: u8| b.is_ascii_hexdigit() || b == b':' || b == b'.';
    address.is_some_and(|address| address.contains(':') && address.bytes().all(legal))
}
