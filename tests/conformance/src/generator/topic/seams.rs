//! Requests that a backend, a proxy or a browser interprets differently.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [
        authorities(),
        bytes(),
        fields(),
        slashes(),
        cases(),
        escapes(),
        handshakes(),
    ]
    .concat();
    topic(
        "seams",
        "Requests that a backend, a proxy or a browser takes for something else",
        drafts,
    )
}

/// A policy with a public part, one for editors, and the rest for admins.
fn parts(path_case: &str) -> Policy {
    policy().top("path_case", path_case).rules(json!([
        { "path": "/public/**", "public": true },
        { "path": "/items/{id}", "require": { "roles": ["editor"] } },
        { "path": "/Reports/{id}", "public": true },
        { "path": "/**", "require": { "roles": ["admin"] } },
    ]))
}

fn case(id: &str, title: &str, rule: &str, policy: Policy, target: &str, admitted: bool) -> Draft {
    let editor = token().claim("roles", json!(["editor"]));
    let request = get(target).bearer(&editor);
    let draft = vector(id, title, &[rule]).policy(policy);
    match admitted {
        true => draft.ask(request, allow()),
        false => draft.ask(request, Code::RequestAmbiguous),
    }
}

fn authorities() -> Vec<Draft> {
    let rule = "request.authority";
    let of = |authority: &str, hosts: &[&str]| {
        let request = get("/").to(authority).bearer(&token());
        hosts
            .iter()
            .fold(request, |request, host| request.header("host", *host))
    };
    let ours =
        || policy().rules(json!([{ "hosts": ["api.example.com"], "path": "/**", "require": {} }]));
    let draft = |id, title| vector(id, title, &[rule]).policy(ours());
    vec![
        draft("authority-host", "the `host` field alone")
            .ask(of("", &["api.example.com"]), allow())
            .ask(of("", &["API.example.com:8443"]), allow())
            .ask(of("", &["www.example.com"]), Code::RuleDenied),
        draft("authority-both", "both say the same")
            .ask(of("api.example.com", &["api.example.com"]), allow())
            .ask(of("api.example.com", &["API.example.com"]), allow()),
        draft("authority-differs", "they say different things")
            .ask(
                of("api.example.com", &["admin.example.com"]),
                Code::RequestAmbiguous,
            )
            .ask(
                of("admin.example.com", &["api.example.com"]),
                Code::RequestAmbiguous,
            )
            .ask(
                of("api.example.com", &["api.example.com:8443"]),
                Code::RequestAmbiguous,
            ),
        draft("authority-two-hosts", "`host` twice")
            .ask(
                of("", &["api.example.com", "admin.example.com"]),
                Code::RequestAmbiguous,
            )
            .ask(
                of("", &["api.example.com", "api.example.com"]),
                Code::RequestAmbiguous,
            ),
        draft("authority-host-form", "a `host` field that is no host")
            .ask(of("", &["api.example.com/x"]), Code::RequestAmbiguous)
            .ask(
                of("", &["api.example.com, www.example.com"]),
                Code::RequestAmbiguous,
            ),
        draft("authority-empty", "an empty `host` field").ask(of("", &[""]), Code::RuleDenied),
    ]
}

fn bytes() -> Vec<Draft> {
    let open = || policy().rules(json!([{ "path": "/**", "public": true }]));
    let refused = |id, title, target: &str| {
        vector(id, title, &["path.utf8"])
            .policy(open())
            .ask(get(target), Code::RequestAmbiguous)
    };
    vec![
        vector("path-utf8", "UTF-8 in escapes", &["path.utf8"])
            .policy(open())
            .ask(get("/caf%C3%A9"), anonymous()),
        refused("path-utf8-latin", "a byte of Latin-1", "/caf%E9"),
        refused("path-utf8-overlong", "an overlong slash", "/a%c0%afb"),
        refused("path-utf8-cut", "half of a letter", "/caf%C3"),
        refused("path-utf8-surrogate", "half of a pair", "/%ED%A0%80"),
    ]
}

fn fields() -> Vec<Draft> {
    let rule = "request.connection";
    let policy = || policy().top("forward", json!({ "x-auth-subject": "subject" }));
    let asked = |value: &str| get("/").bearer(&token()).header("connection", value);
    let draft = |id, title| vector(id, title, &[rule]).policy(policy());
    let draft_of = |id, title| vector(id, title, &["request.fields"]).policy(policy());
    let many = |count| {
        let request = get("/").bearer(&token());
        (1..count).fold(request, |request, _| request.header("connection", "close"))
    };
    vec![
        draft("connection-other", "names of nobody's interest")
            .ask(asked("keep-alive, x-other"), allow()),
        draft("connection-names", "a header that the gate sets")
            .ask(asked("close, X-Auth-Subject"), Code::RequestAmbiguous),
        draft("connection-variant", "with an underscore")
            .ask(asked("x_auth_subject"), Code::RequestAmbiguous),
        draft("connection-second", "in a second field").ask(
            asked("close").header("connection", " x-auth-subject "),
            Code::RequestAmbiguous,
        ),
        draft_of("fields-most", "1,000 fields").ask(many(1_000), allow()),
        draft_of("fields-over", "a field more").ask(many(1_001), Code::RequestAmbiguous),
    ]
}

fn slashes() -> Vec<Draft> {
    let rule = "rule.other-slash";
    vec![
        case(
            "slash-other-rule",
            "a router takes it for a segment more, which is for admins",
            rule,
            parts("refuse"),
            "/items/5/",
            false,
        ),
        case(
            "slash-none",
            "no slash",
            rule,
            parts("refuse"),
            "/items/5",
            true,
        ),
        case(
            "slash-same-rule",
            "the same rule either way",
            rule,
            parts("refuse"),
            "/public/a/",
            true,
        ),
    ]
}

fn cases() -> Vec<Draft> {
    let rule = "rule.other-case";
    let refused = |id, title, target| case(id, title, rule, parts("refuse"), target, false);
    vec![
        refused("case-upper", "capitals lead to another rule", "/PUBLIC/a"),
        refused("case-one", "one is enough", "/publiC/a"),
        refused("case-escaped", "as an escape", "/%50ublic/a"),
        refused(
            "case-policy",
            "a rule in capitals, a path without",
            "/reports/1",
        ),
        refused(
            "case-kelvin",
            "letters that turn into ASCII",
            "/publ%C4%B1c/a",
        ),
        refused("case-slash", "and a slash", "/Items/5/"),
        case(
            "case-same-rule",
            "the same rule either way",
            rule,
            parts("refuse"),
            "/public/README",
            true,
        ),
        case(
            "case-name",
            "a name keeps its case",
            rule,
            parts("refuse"),
            "/items/ABC",
            true,
        ),
        vector("case-exact", "backends that tell case apart", &[rule])
            .policy(parts("exact"))
            .ask(
                get("/PUBLIC/a").bearer(&token().claim("roles", json!(["admin"]))),
                allow(),
            )
            .ask(get("/PUBLIC/a"), Code::TokenMissing),
        vector(
            "case-no-rule",
            "no rule as it is written, and one without case",
            &[rule],
        )
        .policy(policy().rules(json!([{ "path": "/admin", "require": {} }])))
        .ask(get("/Admin").bearer(&token()), Code::RequestAmbiguous)
        .ask(get("/other").bearer(&token()), Code::RuleDenied),
        vector("case-unknown", "another word", &["policy.all-problems"])
            .policy(policy().top("path_case", "ignore"))
            .refused(&[("value_invalid", "/path_case")]),
    ]
}

fn escapes() -> Vec<Draft> {
    let rule = "rule.as-sent";
    let users = || {
        policy().rules(json!([
            { "path": "/users/@me", "public": true },
            { "path": "/users/{id}", "require": { "roles": ["editor"] } },
        ]))
    };
    vec![
        case(
            "as-sent-other-rule",
            "a router that does not decode is at another rule",
            rule,
            parts("refuse"),
            "/pu%62lic/a",
            false,
        ),
        case(
            "as-sent-no-rule",
            "a router that does not decode is at its catch-all, of which no rule speaks",
            rule,
            policy().rules(json!([{ "path": "/public/**", "public": true }])),
            "/pu%62lic/a",
            false,
        ),
        case(
            "as-sent-at",
            "a literal that may stand bare, escaped",
            rule,
            users(),
            "/users/%40me",
            false,
        ),
        case(
            "as-sent-at-of-a-name",
            "the same where it is a name's",
            rule,
            users(),
            "/users/a%40b",
            true,
        ),
        case(
            "as-sent-same-rule",
            "the same rule either way",
            rule,
            parts("refuse"),
            "/public/%61",
            true,
        ),
        vector(
            "as-sent-reserved",
            "an at sign and a colon, which may stand as they are",
            &[rule],
        )
        .policy(policy().rules(json!([
            { "path": "/a@b:c/**", "public": true },
            { "path": "/users/{name}", "public": true },
            { "path": "/**", "require": { "roles": ["admin"] } },
        ])))
        .ask(get("/a@b:c/d"), anonymous())
        .ask(get("/a%40b:c"), Code::RequestAmbiguous)
        .ask(get("/a@b%3Ac/d"), Code::RequestAmbiguous)
        .ask(get("/users/me%40example.com"), anonymous()),
        case(
            "as-sent-needed",
            "an escape that has to be",
            rule,
            parts("refuse"),
            "/items/a%20b",
            true,
        ),
    ]
}

fn handshakes() -> Vec<Draft> {
    let policy = || {
        policy().top(
            "credentials",
            json!([
                { "header": "authorization", "scheme": "Bearer" },
                { "cookie": "session", "same_origin": true },
            ]),
        )
    };
    let cookie = |method: &str| {
        request(method, "/").header("cookie", format!("session={}", token().compact()))
    };
    let draft = |id, title| vector(id, title, &["origin.handshake"]).policy(policy());
    let foreign = |request: Request| request.header("origin", "https://evil.example");
    vec![
        draft(
            "handshake-cross-site",
            "a page of another site opens a WebSocket",
        )
        .attack("cross-site-request-forgery")
        .ask(
            foreign(cookie("GET").header("upgrade", "websocket")),
            Code::OriginDenied,
        )
        .ask(
            cookie("GET")
                .header("upgrade", "websocket")
                .header("sec-fetch-site", "cross-site"),
            Code::OriginDenied,
        ),
        draft("handshake-no-origin", "nobody says from where").ask(
            cookie("GET").header("upgrade", "websocket"),
            Code::OriginDenied,
        ),
        draft("handshake-mode", "a browser says that it is one").ask(
            foreign(cookie("GET").header("sec-fetch-mode", "websocket")),
            Code::OriginDenied,
        ),
        draft("handshake-http2", "an extended CONNECT")
            .ask(
                foreign(cookie("CONNECT").header(":protocol", "websocket")),
                Code::OriginDenied,
            )
            .ask(
                foreign(cookie("GET").header(":protocol", "websocket")),
                Code::OriginDenied,
            ),
        draft("handshake-any-upgrade", "whatever it changes to").ask(
            foreign(cookie("GET").header("upgrade", "h2c")),
            Code::OriginDenied,
        ),
        draft("handshake-own", "a page of this origin").ask(
            cookie("GET")
                .header("upgrade", "websocket")
                .header("origin", "https://api.example.com"),
            allow(),
        ),
        draft("handshake-header", "a token from a header").ask(
            foreign(get("/").bearer(&token()).header("upgrade", "websocket")),
            allow(),
        ),
    ]
}
