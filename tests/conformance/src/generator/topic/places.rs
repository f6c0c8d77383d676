//! A rule's own places: the query, subprotocols, passwords, and the issuers of
//! a place.

use super::prelude::*;
use crate::vector::Change;

pub(super) fn vectors() -> Topic {
    let drafts = [own(), query(), protocols(), basic(), issuers(), policies()].concat();
    topic(
        "places",
        "The places of a rule: the query, subprotocols, passwords, and whose tokens are good there",
        drafts,
    )
}

fn good() -> String {
    token().compact()
}

fn other() -> String {
    token().claim("sub", "user-1234").compact()
}

/// A rule for `/ws` with its own list, before one for every path.
fn listing(places: Value) -> Policy {
    policy().rules(json!([
        { "path": "/ws", "require": {}, "credentials": places },
        { "path": "/**", "require": {} },
    ]))
}

fn target(target: &str) -> Change {
    Change::SetTarget(target.into())
}

fn own() -> Vec<Draft> {
    vec![
        vector(
            "own-list",
            "a rule's list stands in place of the policy's",
            &["credential.own", "credential.missing"],
        )
        .policy(listing(json!([{ "header": "x-token" }])))
        .ask(get("/ws").header("x-token", good()), allow())
        .ask(get("/ws").bearer(&token()), Code::TokenMissing)
        .ask(get("/").bearer(&token()), allow())
        .ask(get("/").header("x-token", good()), Code::TokenMissing),
        vector(
            "own-list-stripped",
            "a stripped credential is one of any list",
            &["strip.header", "strip.cookie"],
        )
        .policy(
            listing(json!([{ "header": "x-token" }, { "cookie": "session", "same_origin": true }]))
                .top("strip_credential", true),
        )
        .ask(
            get("/").bearer(&token()).header("cookie", "a=1; session=x"),
            allow()
                .removing(&["authorization", "x-token"])
                .changing(&[("cookie", Some("a=1"))]),
        ),
    ]
}

fn query() -> Vec<Draft> {
    let list =
        json!([{ "header": "authorization", "scheme": "Bearer" }, { "query": "access_token" }]);
    let asking = |id, title, rules: &[&str]| vector(id, title, rules).policy(listing(list.clone()));
    vec![
        asking(
            "query",
            "a token in the query",
            &["credential.query", "credential.query-taken"],
        )
        .ask(
            get(&format!("/ws?access_token={}", good())),
            allow().making(&[target("/ws")]),
        )
        .ask(
            get(&format!("/ws?a=%31&access_token={}&b&a=", good())),
            allow().making(&[target("/ws?a=%31&b&a=")]),
        ),
        asking(
            "query-encoded",
            "name and value are decoded once",
            &["credential.query", "credential.query-taken"],
        )
        .ask(
            get(&format!(
                "/ws?x=y&access%5Ftoken={}",
                good().replace('.', "%2E")
            )),
            allow().making(&[target("/ws?x=y")]),
        )
        .ask(
            get(&format!(
                "/ws?access_token={}",
                good().replace('.', "%252E")
            )),
            Code::TokenMalformed,
        ),
        asking(
            "query-half-escape",
            "a value that cannot be decoded",
            &["credential.query"],
        )
        .ask(get("/ws?access_token=%4"), Code::TokenMalformed),
        asking(
            "query-empty",
            "an empty parameter is no token",
            &["credential.missing"],
        )
        .ask_all(
            [
                get("/ws?access_token="),
                get("/ws?access_token"),
                get("/ws?"),
            ],
            Code::TokenMissing,
        ),
        asking(
            "query-twice",
            "the same token twice",
            &["credential.same", "credential.query-taken"],
        )
        .ask(
            get(&format!("/ws?access_token={0}&access_token={0}", good())),
            allow().making(&[target("/ws")]),
        ),
        asking(
            "query-and-header",
            "another token in the header",
            &["credential.multiple"],
        )
        .attack("multi-token")
        .ask(
            get(&format!("/ws?access_token={}", good()))
                .header("authorization", format!("Bearer {}", other())),
            Code::TokenMultiple,
        )
        .ask(
            get(&format!(
                "/ws?access_token={}&access_token={}",
                good(),
                other()
            )),
            Code::TokenMultiple,
        ),
        asking(
            "query-unread",
            "a query that the rule does not read stays",
            &["credential.query-taken"],
        )
        .ask(
            get("/?access_token=x").bearer(&token()),
            allow().making(&[]),
        ),
        asking(
            "query-other-name",
            "names compare with case",
            &["credential.query"],
        )
        .ask(
            get(&format!("/ws?Access_Token={}", good())),
            Code::TokenMissing,
        ),
    ]
}

fn protocols() -> Vec<Draft> {
    let after = json!([{ "websocket_protocol": { "after": "v1.json" } }]);
    let prefix = json!([{ "websocket_protocol": { "prefix": "b64.", "base64url": true } }]);
    let asking = |id, title, rules: &[&str], list: &Value| {
        vector(id, title, rules).policy(listing(list.clone()))
    };
    let rule = "credential.websocket-protocol";
    let taken = "credential.websocket-protocol-taken";
    let with = |value: String| get("/ws").header("sec-websocket-protocol", value);
    let encoded = encode(good());
    vec![
        asking(
            "protocol-after",
            "the element after another one",
            &[rule, taken],
            &after,
        )
        .ask(
            with(format!("v1.json, {}", good())),
            allow().changing(&[("sec-websocket-protocol", Some("v1.json"))]),
        )
        .ask(
            with("a,v1.json".into()).header("sec-websocket-protocol", format!("{},z", good())),
            allow().changing(&[("sec-websocket-protocol", Some("a, v1.json, z"))]),
        ),
        asking(
            "protocol-nothing-after",
            "no element after it",
            &[rule, "credential.missing"],
            &after,
        )
        .ask_all(
            [
                with("v1.json".into()),
                with(good()),
                with(format!("V1.json, {}", good())),
            ],
            Code::TokenMissing,
        ),
        asking(
            "protocol-prefix",
            "an element with a prefix, encoded once more",
            &[rule, taken],
            &prefix,
        )
        .ask(
            with(format!("v1, b64.{encoded}")),
            allow().changing(&[("sec-websocket-protocol", Some("v1"))]),
        )
        .ask(
            with(format!("b64.{encoded}")),
            allow().changing(&[("sec-websocket-protocol", None)]),
        )
        .ask(with(format!("b64.{}", good())), Code::TokenMalformed)
        .ask(with(format!("B64.{encoded}")), Code::TokenMissing),
        asking(
            "protocol-two",
            "two tokens in one list",
            &["credential.multiple"],
            &prefix,
        )
        .attack("multi-token")
        .ask(
            with(format!("b64.{encoded}, b64.{}", encode(other()))),
            Code::TokenMultiple,
        ),
    ]
}

fn basic() -> Vec<Draft> {
    let list = json!([
        { "header": "authorization", "scheme": "Bearer" },
        { "header": "authorization", "scheme": "Basic" },
    ]);
    let asking = |id, title, rules: &[&str]| {
        let policy = listing(list.clone()).top("strip_credential", true);
        vector(id, title, rules).policy(policy)
    };
    let password = |text: String| format!("Basic {}", base64(text));
    let with = |value: String| get("/ws").header("authorization", value);
    vec![
        asking("basic", "the password is the token", &["credential.basic"])
            .ask(with(password(format!("git:{}", good()))), allow())
            .ask(with(password(format!(":{}", good()))), allow())
            .ask(with(format!("Bearer {}", good())), allow()),
        asking(
            "basic-malformed",
            "no padded base64, or no colon",
            &["credential.basic"],
        )
        .ask_all(
            [
                with("Basic dTpw!".into()),
                with(
                    password(format!("x:{}", good()))
                        .trim_end_matches('=')
                        .to_owned()
                        + "A",
                ),
                with(password("user".into())),
                with(format!("Basic {}", good())),
                with(password("user:password".into())),
                with(password(format!("a:b:{}", good()))),
            ],
            Code::TokenMalformed,
        ),
        asking(
            "basic-empty",
            "an empty password is no token",
            &["credential.missing", "challenge.basic"],
        )
        .ask_all(
            [with(password("user:".into())), get("/ws")],
            deny(Code::TokenMissing).challenging(
                "Bearer realm=\"platform\", Basic realm=\"platform\", charset=\"UTF-8\"",
            ),
        ),
        asking(
            "basic-challenge",
            "each 401 of the rule asks for a password too",
            &["challenge.basic"],
        )
        .ask(
            with("Bearer x".into()),
            deny(Code::TokenMalformed).challenging(
                "Bearer realm=\"platform\", error=\"invalid_token\", \
                     error_description=\"the token is not a compact JWS\", \
                     Basic realm=\"platform\", charset=\"UTF-8\"",
            ),
        )
        .ask(
            get("/"),
            deny(Code::TokenMissing).challenging("Bearer realm=\"platform\""),
        ),
        asking(
            "basic-and-bearer",
            "a token and a password in one header",
            &["credential.multiple", "credential.mixed"],
        )
        .attack("multi-token")
        .ask(
            with(format!(
                "Bearer {}, {}",
                good(),
                password(format!("x:{}", other()))
            )),
            Code::TokenMultiple,
        )
        .ask(
            with(format!("Bearer {}, Digest x", good())),
            Code::TokenMultiple,
        ),
    ]
}

fn issuers() -> Vec<Draft> {
    const PARTNER: &str = "https://partner.example.com";
    let partner = || token().claim("iss", PARTNER).key(&B);
    let asking = |id, title, rules: &[&str], list: Value| {
        let policy = policy()
            .and_issuer("partner", PARTNER, &B)
            .top("credentials", list);
        vector(id, title, rules).policy(policy)
    };
    let list = json!([
        { "header": "authorization", "scheme": "Bearer", "issuers": ["platform"] },
        { "header": "x-token", "issuers": ["partner"] },
    ]);
    let bearer = |token: &Token| format!("Bearer {}", token.compact());
    let unsigned = partner().signed_by(&A);
    vec![
        asking(
            "place-issuers",
            "a token is good only from its issuer's place",
            &["credential.issuers"],
            list.clone(),
        )
        .ask(get("/").bearer(&token()), allow())
        .ask(get("/").header("x-token", partner().compact()), allow())
        .ask(get("/").bearer(&partner()), Code::IssuerUnknown)
        .ask(get("/").header("x-token", good()), Code::IssuerUnknown),
        asking(
            "place-issuers-either",
            "a token in two places may use either",
            &["credential.issuers"],
            list.clone(),
        )
        .ask(
            get("/")
                .header("authorization", bearer(&partner()))
                .header("x-token", partner().compact()),
            allow(),
        ),
        asking(
            "place-issuers-before-keys",
            "the place is asked before keys",
            &["order.issuer", "credential.issuers"],
            list.clone(),
        )
        .ask(
            get("/").bearer(&unsigned.clone().header("kid", "unknown")),
            Code::IssuerUnknown,
        )
        .ask(
            get("/").header("x-token", unsigned.compact()),
            Code::SignatureInvalid,
        ),
        asking(
            "place-remembered",
            "a remembered token is good from no other place",
            &["memory.place"],
            list,
        )
        .ask(get("/").bearer(&token()), allow())
        .ask(get("/").header("x-token", good()), Code::IssuerUnknown)
        .ask(get("/").bearer(&token()), allow()),
        asking(
            "place-kept",
            "an issuer beside a principal is good from no other place",
            &["credential.kept-issuers"],
            json!([
                { "header": "authorization", "scheme": "Bearer" },
                { "header": "x-service", "issuers": ["partner"], "principal": "service" },
            ]),
        )
        .ask(get("/").bearer(&token()), allow())
        .ask(get("/").bearer(&partner()), Code::IssuerUnknown),
    ]
}

fn policies() -> Vec<Draft> {
    let refused = |id, title, rules: &[&str], policy: Policy, problem: (&str, &str)| {
        vector(id, title, rules).policy(policy).refused(&[problem])
    };
    vec![
        refused(
            "places-query-in-policy",
            "a query in the policy's list",
            &["policy.places"],
            policy().top("credentials", json!([{ "query": "t" }])),
            ("conflict", "/credentials/0/query"),
        ),
        refused(
            "places-basic-unstripped",
            "Basic without strip_credential",
            &["policy.places"],
            listing(json!([{ "header": "authorization", "scheme": "basic" }])),
            ("conflict", "/rules/0/credentials/0/scheme"),
        ),
        refused(
            "places-query-first",
            "a query before another place under first",
            &["policy.places"],
            policy().rules(json!([{
                "path": "/ws", "require": {}, "several": "first",
                "credentials": [{ "query": "t" }, { "header": "x-token" }],
            }])),
            ("conflict", "/rules/0/credentials/1"),
        ),
        refused(
            "places-public",
            "a public rule has no places",
            &["policy.places"],
            policy().rules(
                json!([{ "path": "/", "public": true, "credentials": [{ "header": "x-token" }] }]),
            ),
            ("conflict", "/rules/0/credentials"),
        ),
        refused(
            "places-principal-of-any-issuer",
            "a principal without issuers",
            &["policy.places"],
            policy().top(
                "credentials",
                json!([{ "header": "x-token", "principal": "service" }]),
            ),
            ("field_missing", "/credentials/0/principal"),
        ),
        refused(
            "places-unknown-issuer",
            "an issuer that the policy does not have",
            &["policy.references"],
            policy().top(
                "credentials",
                json!([{ "header": "x-token", "issuers": ["partner"] }]),
            ),
            ("unknown_name", "/credentials/0/issuers/0"),
        ),
        refused(
            "places-unknown-principal",
            "a principal without a place",
            &["policy.references"],
            policy()
                .rules(json!([{ "path": "/", "require": {}, "principals": { "service": {} } }])),
            ("unknown_name", "/rules/0/principals/service"),
        ),
    ]
}
