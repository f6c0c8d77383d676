//! Headers that are set for the backend, and headers that are removed.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [values(), sources(), encoding(), removal(), strip()].concat();
    topic(
        "forwarding",
        "What a backend is told, and what it is spared",
        drafts,
    )
}

const NAMES: [&str; 8] = [
    "x-auth-issuer",
    "x-auth-subject",
    "x-auth-type",
    "x-auth-tenant",
    "x-auth-roles",
    "x-auth-scopes",
    "x-auth-expiry",
    "x-auth-claims",
];

fn forwarding() -> Policy {
    policy()
        .issuer("claims", json!({ "tenant": "/tenant_id" }))
        .top(
            "forward",
            json!({
                "X-Auth-Issuer": "issuer", "X-Auth-Subject": "subject", "X-Auth-Type": "type",
                "X-Auth-Tenant": "tenant", "X-Auth-Roles": "roles", "X-Auth-Scopes": "scopes",
                "X-Auth-Expiry": "expiry", "X-Auth-Claims": "claims",
            }),
        )
}

fn subject_only() -> Policy {
    policy().top("forward", json!({ "x-auth-subject": "subject" }))
}

fn values() -> Vec<Draft> {
    let full = || {
        token().claims(json!({
            "tenant_id": "acme", "typ": "pat", "roles": ["admin", "editor"], "scope": "api:read api:write",
        }))
    };
    let bare = || token().without("sub").without("exp");
    vec![
        vector("forward-all", "everything that the token has", &["forward.values", "forward.lists", "forward.claims", "forward.remove"])
            .policy(forwarding().issuer("token_types", json!([{ "name": "pat", "claim": { "typ": "pat" } }])))
            .ask(
                full(),
                sets(json!({
                    "x-auth-issuer": ISS, "x-auth-subject": "user-4711", "x-auth-type": "pat",
                    "x-auth-tenant": "acme", "x-auth-roles": "admin editor", "x-auth-scopes": "api:read api:write",
                    "x-auth-expiry": (NOW_S + 600).to_string(), "x-auth-claims": encode(full().claims_json()),
                }))
                .removing(&NAMES),
            ),
        vector("forward-absent", "what the token has not is not set", &["forward.values", "forward.remove"])
            .policy(forwarding().issuer("exp_required", false))
            .ask(
                bare(),
                sets(json!({ "x-auth-issuer": ISS, "x-auth-claims": encode(bare().claims_json()) })).removing(&NAMES),
            ),
        vector("forward-expiry-fraction", "an expiry in whole seconds", &["forward.values"])
            .policy(policy().top("forward", json!({ "x-exp": "expiry" })))
            .ask(token().claim("exp", json!(NOW_S as f64 + 60.75)), sets(json!({ "x-exp": (NOW_S + 60).to_string() }))),
        vector("forward-claims-literal", "the claims as they were signed, byte by byte", &["forward.claims"])
            .policy(policy().top("forward", json!({ "x-claims": "claims" })))
            .ask(
                token().claims_text(format!(" {} ", token().claims_json())),
                sets(json!({ "x-claims": encode(format!(" {} ", token().claims_json())) })),
            ),
        vector("forward-role-map", "roles after `role_map`", &["forward.values"])
            .policy(policy().issuer("role_map", json!({ "eng": ["editor"] })).top("forward", json!({ "x-roles": "roles" })))
            .ask(token().claim("roles", json!(["eng", "sales"])), sets(json!({ "x-roles": "editor" }))),
    ]
}

fn sources() -> Vec<Draft> {
    let rule = "forward.source";
    let carrying = |source: Value| policy().top("forward", json!({ "x-x": source }));
    let sets_x = |value: &str| sets(json!({ "x-x": value }));
    let none = || sets(json!({}));
    let with = |value: Value| token().claim("x", value);
    let raw = |text: &str| {
        let claims = token().claim("x", 0).claims_json();
        token().claims_text(claims.replace("\"x\":0", &format!("\"x\":{text}")))
    };
    let json = || carrying(json!({ "claim": "/x", "json": true }));
    let signed = |text: &str| sets_x(&encode(text));
    vec![
        vector("forward-claim", "a text, a number, a boolean, an array of texts", &[rule])
            .policy(carrying(json!({ "claim": "/x" })))
            .ask(with(json!("ada@example.com")), sets_x("ada@example.com"))
            .ask(with(json!("Zoë")), sets_x("Zo%C3%AB"))
            .ask(with(json!(10133)), sets_x("10133"))
            .ask(with(json!(false)), sets_x("false"))
            .ask(with(json!(["a", "b c"])), sets_x("a b%20c"))
            .ask(raw("1.50"), sets_x("1.50"))
            .ask(raw("-1e3"), sets_x("-1e3")),
        vector("forward-claim-other", "and nothing else", &[rule])
            .policy(carrying(json!({ "claim": "/x" })))
            .ask_all(
                [json!({ "a": "b" }), json!(["a", 1]), json!([["a"]]), json!([]), json!(""), json!(null)].map(with),
                none(),
            )
            .ask(token(), none()),
        vector("forward-claim-read", "as its source reads it", &[rule, "source.keys", "source.json"])
            .policy(policy().top("forward", json!({
                "x-keys": { "claim": "/k", "as": "keys", "join": "," },
                "x-role": { "claim": "/j", "as": "json", "at": "/role" },
                "x-number": { "claim": "/j", "as": "json", "at": "/n" },
            })))
            .ask(
                token().claims(json!({ "k": { "a": 1, "b": false, "c": {} }, "j": r#"{"role":"editor", "n": 2.50}"# })),
                sets(json!({ "x-keys": "a,c", "x-role": "editor", "x-number": "2.50" })),
            )
            .ask(token().claims(json!({ "k": "a", "j": "{" })), none()),
        vector("forward-join", "joined by another character", &["forward.join"])
            .policy(carrying(json!({ "claim": "/x", "join": "," })))
            .ask(with(json!(["a", "b,c", "d e"])), sets_x("a,b%2Cc,d%20e")),
        vector("forward-join-refused", "which no escape has", &["forward.join"])
            .policy(carrying(json!({ "claim": "/x", "join": "A" })))
            .refused(&[("value_invalid", "/forward/x-x/join")]),
        vector("forward-json", "JSON as it was signed", &["forward.json"])
            .policy(json())
            .ask(raw(r#"{ "b" : [1.50, "\u0061"] }"#), signed(r#"{ "b" : [1.50, "\u0061"] }"#))
            .ask(raw(r#""te\u0078t""#), signed(r#""te\u0078t""#))
            .ask(raw("1e2"), signed("1e2"))
            .ask(raw("[]"), signed("[]"))
            .ask(raw("null"), none())
            .ask(token(), none()),
        vector("forward-json-inside", "a value inside of JSON", &["forward.json"])
            .policy(carrying(json!({ "claim": "/x", "as": "json", "at": "/a/1", "json": true })))
            .ask(with(json!(r#"{"a":[0, {"b": 1.0}]}"#)), signed(r#"{"b": 1.0}"#)),
        vector("forward-reserved", "a header that routes", &["forward.reserved"])
            .policy(policy().top("forward", json!({ "X-Forwarded-Host": "tenant" })))
            .refused(&[("value_invalid", "/forward/X-Forwarded-Host")]),
    ]
}

fn encoding() -> Vec<Draft> {
    let case = |id, title, subject: &str, header: &str| {
        vector(id, title, &["forward.encoding"])
            .policy(subject_only())
            .ask(
                token().claim("sub", subject),
                sets(json!({ "x-auth-subject": header })),
            )
    };
    vec![
        case(
            "forward-plain",
            "visible ASCII stays",
            "a!#$&'*+-.^_`|~(),/:;<=>?@[\\]{}\"z",
            "a!#$&'*+-.^_`|~(),/:;<=>?@[\\]{}\"z",
        ),
        case(
            "forward-line-feed",
            "a line break breaks nothing",
            "a\r\nx-auth-roles: admin",
            "a%0D%0Ax-auth-roles:%20admin",
        ),
        case("forward-nul", "nor does a NUL", "a\0b", "a%00b"),
        case("forward-utf8", "UTF-8, byte by byte", "Zoë", "Zo%C3%AB"),
        case("forward-percent", "a percent sign", "100%25", "100%2525"),
        vector(
            "forward-empty",
            "an empty value is not set",
            &["forward.values"],
        )
        .policy(subject_only())
        .ask(token().claim("sub", ""), sets(json!({}))),
        vector(
            "forward-scope-space",
            "a space inside of an item",
            &["forward.encoding", "forward.lists"],
        )
        .policy(policy().top("forward", json!({ "x-scopes": "scopes" })))
        .ask(
            token().claim("scope", json!(["a b", "c"])),
            sets(json!({ "x-scopes": "a%20b c" })),
        ),
    ]
}

fn removal() -> Vec<Draft> {
    let rules = || {
        subject_only().rules(json!([
            { "path": "/open", "public": true },
            { "path": "/feed", "optional": true },
            { "path": "/**", "require": {} },
        ]))
    };
    let spoofed = |target: &str| get(target).header("x-auth-subject", "root");
    let nobody = || anonymous().setting(json!({})).removing(&["x-auth-subject"]);
    vec![
        vector(
            "forward-public",
            "removed where a rule is public",
            &["forward.remove", "forward.none"],
        )
        .policy(rules())
        .ask(spoofed("/open"), nobody()),
        vector(
            "forward-public-token",
            "and nothing is set, token or not",
            &["forward.remove", "forward.none", "rule.public"],
        )
        .policy(rules())
        .ask(spoofed("/open").bearer(&token()), nobody()),
        vector(
            "forward-optional",
            "removed where a token is optional",
            &["forward.remove", "forward.none"],
        )
        .policy(rules())
        .ask(spoofed("/feed"), nobody()),
        vector(
            "forward-replaced",
            "removed, then set",
            &["forward.remove", "forward.values"],
        )
        .policy(rules())
        .ask(
            spoofed("/x").bearer(&token()),
            sets(json!({ "x-auth-subject": "user-4711" })).removing(&["x-auth-subject"]),
        ),
        vector(
            "forward-nothing",
            "a policy that forwards nothing removes nothing",
            &["forward.remove"],
        )
        .ask(token(), sets(json!({})).removing(&[])),
    ]
}

fn strip() -> Vec<Draft> {
    let places = json!([
        { "header": "Authorization", "scheme": "Bearer" }, { "cookie": "session" }, { "cookie": "legacy" },
    ]);
    let stripping = || {
        subject_only()
            .top("credentials", places.clone())
            .top("strip_credential", true)
            .rules(json!([
                { "path": "/open", "public": true },
                { "path": "/feed", "optional": true },
                { "path": "/**", "require": {} },
            ]))
    };
    let cookie = get("/").header("cookie", format!("a=1; session={}", token().compact()));
    vec![
        vector(
            "strip-header",
            "a token from a header",
            &["strip.header", "strip.cookie"],
        )
        .policy(stripping())
        .ask(
            token(),
            allow()
                .removing(&["x-auth-subject", "authorization"])
                .changing(&[]),
        ),
        vector(
            "strip-header-cookies",
            "a token from a header, and cookies that hold none",
            &["strip.cookie"],
        )
        .policy(stripping())
        .ask(
            get("/")
                .bearer(&token())
                .header("cookie", "a=1; session=; b=2")
                .header("cookie", "legacy=\"\"; sessions=3"),
            allow().changing(&[("cookie", Some("a=1; b=2; sessions=3"))]),
        ),
        vector(
            "strip-cookie",
            "a token from a cookie",
            &["strip.header", "strip.cookie"],
        )
        .policy(stripping())
        .ask(
            cookie,
            allow()
                .removing(&["x-auth-subject", "authorization"])
                .changing(&[("cookie", Some("a=1"))]),
        ),
        vector(
            "strip-cookie-alone",
            "a token from the only cookie",
            &["strip.cookie"],
        )
        .policy(stripping())
        .ask(
            get("/").header("cookie", format!("session={}", token().compact())),
            allow().changing(&[("cookie", None)]),
        ),
        vector(
            "strip-off",
            "kept where the policy does not say so",
            &["strip.header", "strip.cookie"],
        )
        .policy(stripping().top("strip_credential", false))
        .ask(token(), allow().removing(&["x-auth-subject"]).changing(&[])),
        vector(
            "strip-public",
            "kept where the rule is public",
            &["strip.only-used"],
        )
        .policy(stripping())
        .ask(
            get("/open").bearer(&token()),
            anonymous().removing(&["x-auth-subject"]).changing(&[]),
        ),
        vector(
            "strip-optional",
            "kept where nobody is named",
            &["strip.only-used"],
        )
        .policy(stripping())
        .ask(
            get("/feed").header("authorization", "Basic eA=="),
            anonymous().removing(&["x-auth-subject"]).changing(&[]),
        ),
    ]
}
