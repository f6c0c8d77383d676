//! Targets, methods and authorities that can be read in more than one way.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let mut drafts: Vec<Draft> = AMBIGUOUS
        .iter()
        .map(|(id, title, rule, target)| {
            vector(&format!("target-{id}"), title, &[rule, "order.path-first"])
                .policy(open())
                .ask(get(target), Code::RequestAmbiguous)
        })
        .collect();
    drafts.extend(bytes());
    drafts.extend(PLAIN.iter().map(|(id, title, rule, target)| {
        vector(&format!("target-{id}"), title, &[rule])
            .policy(open())
            .ask(get(target), anonymous())
    }));
    drafts.extend(sizes());
    drafts.extend(methods());
    drafts.extend(hosts());
    topic(
        "target",
        "Targets, methods and authorities that can be read in more than one way",
        drafts,
    )
}

/// A policy in which everything is public, so that only ambiguity denies.
fn open() -> Policy {
    policy().rules(json!([{ "path": "/**", "public": true }]))
}

const AMBIGUOUS: &[(&str, &str, &str, &str)] = &[
    ("empty", "an empty target", "path.origin-form", ""),
    (
        "absolute",
        "absolute form",
        "path.origin-form",
        "http://api.example.com/a",
    ),
    ("asterisk", "asterisk form", "path.origin-form", "*"),
    ("relative", "no leading slash", "path.origin-form", "a/b"),
    (
        "query-only",
        "a query without a path",
        "path.origin-form",
        "?a=/b",
    ),
    ("dotdot", "a `..` segment", "path.dotdot", "/a/../b"),
    (
        "dotdot-last",
        "a `..` segment at the end",
        "path.dotdot",
        "/a/..",
    ),
    (
        "dotdot-first",
        "a `..` segment at the start",
        "path.dotdot",
        "/../a",
    ),
    (
        "dotdot-slash",
        "a `..` segment before a trailing slash",
        "path.dotdot",
        "/a/../",
    ),
    ("dot", "a `.` segment", "path.dotdot", "/a/./b"),
    (
        "dotdot-encoded",
        "`..`, percent-encoded",
        "path.dotdot",
        "/a/%2e%2e/b",
    ),
    (
        "dotdot-half-encoded",
        "`..`, half percent-encoded",
        "path.dotdot",
        "/a/.%2E/b",
    ),
    (
        "dot-encoded",
        "`.`, percent-encoded",
        "path.dotdot",
        "/a/%2e",
    ),
    (
        "double-slash",
        "an empty segment",
        "path.empty-segment",
        "/a//b",
    ),
    (
        "double-slash-first",
        "an empty segment at the start",
        "path.empty-segment",
        "//a",
    ),
    (
        "double-slash-only",
        "two slashes",
        "path.empty-segment",
        "//",
    ),
    (
        "double-slash-last",
        "two slashes at the end",
        "path.empty-segment",
        "/a//",
    ),
    ("slash-encoded", "`%2f`", "path.encoded-slash", "/a%2fb"),
    (
        "slash-encoded-upper",
        "`%2F`",
        "path.encoded-slash",
        "/a%2Fb",
    ),
    ("backslash", "a backslash", "path.backslash", "/a\\b"),
    ("backslash-encoded", "`%5c`", "path.backslash", "/a%5cb"),
    (
        "backslash-encoded-upper",
        "`%5C`",
        "path.backslash",
        "/a%5C..%5Cb",
    ),
    (
        "parameters",
        "path parameters",
        "path.parameters",
        "/a;v=1/b",
    ),
    (
        "parameters-dotdot",
        "`..;`, which some backends read as `..`",
        "path.parameters",
        "/a/..;/b",
    ),
    ("parameters-encoded", "`%3b`", "path.parameters", "/a%3bv=1"),
    ("nul-encoded", "an encoded NUL", "path.control", "/a%00b"),
    (
        "line-feed-encoded",
        "an encoded line feed",
        "path.control",
        "/a%0Ab",
    ),
    ("delete-encoded", "an encoded DEL", "path.control", "/a%7fb"),
    ("nul", "a raw NUL", "path.control", "/a\0b"),
    ("tab", "a raw tab", "path.control", "/a\tb"),
    ("line-feed", "a raw line feed", "path.control", "/a\nb"),
    ("delete", "a raw DEL", "path.control", "/a\x7fb"),
    ("space", "a raw space", "path.raw-bytes", "/a b"),
    ("non-ascii", "raw UTF-8", "path.raw-bytes", "/ä"),
    ("fragment", "a fragment", "path.fragment", "/a#b"),
    (
        "percent-last",
        "a percent sign at the end",
        "path.percent",
        "/a%",
    ),
    (
        "percent-short",
        "a percent sign with one digit",
        "path.percent",
        "/a%2",
    ),
    (
        "percent-letters",
        "a percent sign with letters",
        "path.percent",
        "/a%zz",
    ),
    (
        "percent-sign",
        "a percent sign with a sign and a digit",
        "path.percent",
        "/a%+2b",
    ),
    (
        "double-encoded-slash",
        "`%252f`",
        "path.double-encoding",
        "/a%252fb",
    ),
    (
        "double-encoded-dots",
        "`%252e%252e`",
        "path.double-encoding",
        "/a/%252e%252e/b",
    ),
    (
        "double-encoded-letter",
        "`%2561`",
        "path.double-encoding",
        "/%2561",
    ),
];

const PLAIN: &[(&str, &str, &str, &str)] = &[
    ("root", "the root", "path.origin-form", "/"),
    (
        "query",
        "a query with everything in it",
        "path.query",
        "/a?b=../c//d;e%2f%zz#?\\",
    ),
    ("query-empty", "an empty query", "path.query", "/a?"),
    ("three-dots", "`...` is a name", "path.dotdot", "/a/.../b"),
    (
        "dotfile",
        "`.well-known` is a name",
        "path.dotdot",
        "/.well-known/a",
    ),
    (
        "trailing-slash",
        "a trailing slash",
        "path.empty-segment",
        "/a/",
    ),
    ("encoded-utf8", "encoded UTF-8", "path.raw-bytes", "/%C3%A4"),
    (
        "encoded-space",
        "an encoded space",
        "path.raw-bytes",
        "/a%20b",
    ),
    (
        "encoded-percent",
        "an encoded percent sign that encodes nothing",
        "path.double-encoding",
        "/100%25",
    ),
    (
        "sub-delims",
        "the other marks of RFC 3986",
        "path.parameters",
        "/a:@!$&'()*+,=~_-.b",
    ),
];

fn bytes() -> Vec<Draft> {
    let mut request = get("/");
    request.target = b"/a\xffb".into();
    vec![
        vector("target-raw-ff", "a raw byte 0xFF", &["path.raw-bytes"])
            .policy(open())
            .ask(request, Code::RequestAmbiguous),
    ]
}

fn sizes() -> Vec<Draft> {
    let long = |length: usize| get(&format!("/{}", "a".repeat(length - 1)));
    let deep = |segments: usize| get(&"/a".repeat(segments));
    let sized = |id, title| vector(id, title, &["path.size"]).policy(open());
    vec![
        sized("target-longest", "16,384 bytes").ask(long(16_384), anonymous()),
        sized("target-too-long", "16,385 bytes").ask(long(16_385), Code::RequestAmbiguous),
        sized("target-too-long-query", "a query counts").ask(
            get(&format!("/?{}", "a".repeat(16_383))),
            Code::RequestAmbiguous,
        ),
        sized("target-deepest", "256 segments").ask(deep(256), anonymous()),
        sized("target-too-deep", "257 segments").ask(deep(257), Code::RequestAmbiguous),
    ]
}

fn methods() -> Vec<Draft> {
    let bad = |id, title, method: &str| {
        vector(id, title, &["method.token"])
            .policy(open())
            .ask(request(method, "/"), Code::RequestAmbiguous)
    };
    vec![
        bad("method-empty", "no method", ""),
        bad("method-space", "a method with a space", "GET /"),
        bad("method-line-feed", "a method with a line feed", "GET\n"),
        bad(
            "method-non-ascii",
            "a method with a letter beyond ASCII",
            "GÉT",
        ),
        bad("method-too-long", "a method of 65 bytes", &"M".repeat(65)),
        vector(
            "method-any-token",
            "any token is a method",
            &["method.token"],
        )
        .policy(open())
        .ask(request("M-SEARCH", "/"), anonymous()),
        vector(
            "method-case",
            "a method in lower case is another method",
            &["method.token"],
        )
        .policy(policy().rules(json!([{ "path": "/**", "methods": ["GET"], "public": true }])))
        .ask(request("get", "/"), Code::RuleDenied),
    ]
}

fn hosts() -> Vec<Draft> {
    let to = |id, title, authority: &str| {
        vector(id, title, &["host.form"])
            .policy(open())
            .ask(get("/").to(authority), Code::RequestAmbiguous)
    };
    vec![
        to("host-user", "user information", "user@api.example.com"),
        to("host-slash", "a slash", "api.example.com/a"),
        to(
            "host-list",
            "two hosts in one header",
            "api.example.com, evil.example",
        ),
        to("host-space", "a space", "api.example.com evil.example"),
        to("host-control", "a control byte", "api.example.com\0"),
        to(
            "host-port",
            "a port that is no number",
            "api.example.com:https",
        ),
        to("host-two-ports", "two ports", "api.example.com:443:443"),
        to("host-too-long", "513 bytes", &"a".repeat(513)),
        vector("host-ipv6", "an IPv6 address with a port", &["host.form"])
            .policy(open())
            .ask(get("/").to("[::1]:8443"), anonymous()),
        vector("host-absent", "no authority at all", &["host.form"])
            .policy(open())
            .ask(get("/").to(""), anonymous()),
    ]
}
