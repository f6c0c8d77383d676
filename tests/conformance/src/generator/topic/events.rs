//! The event of a decision: what a host may tell an operator of it.

use super::prelude::*;

const MESH: &str = "https://mesh.example.com";
const KEY: &str = "the host's own key";

pub(super) fn vectors() -> Topic {
    let drafts = [rules(), users(), effects()].concat();
    topic("events", "Events: facts about the last decision", drafts)
}

fn named() -> Policy {
    policy().rules(json!([
        { "path": "/open", "public": true },
        { "name": "orders", "path": ["/o", "/orders/{id}/**"], "require": { "roles": ["clerk"] } },
        { "name": "all", "path": "/**", "optional": { "bad_token": "ignore" } },
    ]))
    .issuer("claims", json!({ "roles": "/roles" }))
    .issuer("token_types", json!([{ "name": "access", "claim": { "kind": "access" } }]))
}

fn clerk() -> Token {
    token().claims(json!({ "roles": ["clerk"], "kind": "access" }))
}

fn rules() -> Vec<Draft> {
    let asking = |id, title, rules: &[&str]| vector(id, title, rules).policy(named());
    vec![
        asking("event-rule", "an event names the rule and its pattern, not the path", &["event.rule", "rule.named"])
            .ask(get("/orders/4711/lines?a=b").bearer(&clerk()), allow())
            .tells(json!({ "rule": { "index": 1, "name": "orders", "path": "/orders/{id}/**" } }))
            .ask(get("/o"), Code::TokenMissing)
            .tells(json!({ "rule": { "index": 1, "name": "orders", "path": "/o" }, "issuer": null }))
            .ask(get("/open"), allow())
            .tells(json!({ "rule": { "index": 0, "name": null, "path": "/open" } })),
        asking("event-no-rule", "no rule, no name of one", &["event.rule"])
            .policy(named().rules(json!([{ "path": "/a", "public": true }])))
            .ask(get("/b"), Code::RuleDenied)
            .tells(json!({ "rule": null, "issuer": null, "token_type": null, "remembered": null, "subject_ref": null, "effects": null }))
            .ask(get("/a/../b"), Code::RequestAmbiguous)
            .tells(json!({ "rule": null })),
        asking("event-token-alone", "a token without a request has no rule", &["event.rule", "event.token"])
            .token(clerk().compact(), None, allow())
            .tells(json!({ "rule": null, "issuer": "platform", "token_type": "access", "remembered": false })),
        vector("rule-names-differ", "two rules have one name", &["rule.named"])
            .policy(policy().rules(json!([
                { "name": "a", "path": "/a", "public": true },
                { "name": "a", "path": "/b", "public": true },
            ])))
            .refused(&[("duplicate", "/rules/1/name")]),
        vector("rule-name-long", "a rule's name is longer than 128 characters", &["rule.named"])
            .policy(policy().rules(json!([{ "name": "n".repeat(129), "path": "/a", "public": true }])))
            .refused(&[("value_invalid", "/rules/0/name")]),
    ]
}

fn users() -> Vec<Draft> {
    let asking = |id, title, rules: &[&str]| vector(id, title, rules).policy(named());
    let forged = || clerk().signature([7; 256]);
    let nobody = json!({ "token_type": null, "remembered": null, "subject_ref": null });
    let both = policy()
        .and_issuer("mesh", MESH, &B)
        .top(
            "credentials",
            json!([
                { "header": "authorization", "scheme": "Bearer" },
                { "header": "x-service", "issuers": ["mesh"], "principal": "service" },
            ]),
        )
        .rules(json!([{ "path": "/**", "require": {}, "principals": { "service": {} } }]));
    let service = token()
        .claims(json!({ "iss": MESH, "sub": "build" }))
        .key(&B);
    // Python: hmac.new(key, iss + b"\0" + sub, "sha256").hexdigest()[:32]
    let user = "e0180800f6b5d8aae95d21b206001e0a";
    vec![
        asking("event-issuer", "the issuer is that of the token, good or not", &["event.issuer"])
            .ask(get("/o").bearer(&forged()), Code::SignatureInvalid)
            .tells(json!({ "issuer": "platform" }))
            .ask(get("/o").bearer(&clerk().claim("iss", "https://other.example")), Code::IssuerUnknown)
            .tells(json!({ "issuer": null })),
        asking("event-unverified", "nothing of a token is told before its signature held", &["event.token", "event.subject"])
            .ask(get("/o").bearer(&forged()), Code::SignatureInvalid)
            .tells_with(KEY, nobody.clone())
            .ask(get("/o").header("authorization", "Bearer a.b.c"), Code::TokenMalformed)
            .tells_with(KEY, nobody),
        asking("event-verified", "a token whose signature held is told, also if it is denied", &["event.token", "event.subject"])
            .ask(get("/o").bearer(&clerk().claim("roles", json!([]))), Code::RoleDenied)
            .tells_with(KEY, json!({ "issuer": "platform", "token_type": "access", "remembered": false, "subject_ref": user, "effects": null })),
        asking("event-ignored", "a bad token that is ignored is told as well", &["event.issuer", "event.token"])
            .ask(get("/x").bearer(&clerk().claim("exp", NOW_S - 1)), anonymous())
            .tells(json!({ "issuer": "platform", "token_type": "access" })),
        asking("event-remembered", "a token is new, then remembered", &["event.remembered"])
            .ask(get("/o").bearer(&clerk()), allow())
            .tells(json!({ "remembered": false }))
            .ask(get("/o").bearer(&clerk()), allow())
            .tells(json!({ "remembered": true })),
        asking("event-subject", "the subject is an HMAC under the host's key", &["event.subject"])
            .ask(get("/o").bearer(&clerk()), allow())
            .tells_with(KEY, json!({ "subject_ref": user }))
            .tells(json!({ "subject_ref": null }))
            .ask(get("/o").bearer(&clerk().without("sub")), allow())
            .tells_with(KEY, json!({ "subject_ref": null })),
        vector("event-user", "a token beside the user's changes nothing of the user's facts", &["event.user"])
            .policy(both)
            .ask(get("/").bearer(&token()).header("x-service", service.compact()), allow())
            .tells_with(KEY, json!({ "issuer": "platform", "remembered": false, "subject_ref": user }))
            .ask(get("/").bearer(&token()).header("x-service", "a.b.c"), deny(Code::TokenMalformed).of("service"))
            .tells_with(KEY, json!({ "issuer": "platform", "remembered": true, "subject_ref": user })),
    ]
}

fn effects() -> Vec<Draft> {
    let forwarding = policy().top("forward", json!({ "x-auth-subject": "subject" }));
    vec![
        vector(
            "event-effects",
            "equal effects: the same principal, headers and changes",
            &["event.effects"],
        )
        .policy(forwarding)
        .ask(get("/a").bearer(&token()), allow())
        .tells(json!({ "effects": "user" }))
        .ask(
            get("/b").bearer(&token().claims(json!({ "jti": "2", "exp": NOW_S + 60 }))),
            allow(),
        )
        .tells(json!({ "effects": "user" }))
        .ask(
            get("/a").bearer(&token().claim("sub", "user-0815")),
            allow(),
        )
        .tells(json!({ "effects": "another user" }))
        .ask(
            get("/a").bearer(&token()).header("x-auth_subject", "root"),
            allow(),
        )
        .tells(json!({ "effects": "user" })),
        vector(
            "event-effects-denied",
            "a denial brings nothing to a backend",
            &["event.effects"],
        )
        .ask(get("/"), Code::TokenMissing)
        .tells(json!({ "effects": null })),
    ]
}
