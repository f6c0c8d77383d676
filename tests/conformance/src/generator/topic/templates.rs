//! Issuers of a template, and tokens without `iss`.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [matching(), captures(), order(), absent(), refused()].concat();
    topic(
        "templates",
        "Issuer templates, and tokens without `iss`",
        drafts,
    )
}

const TEMPLATE: &str = "https://login.example.com/{tid}/v2.0";

fn templated(template: &str, claims: Value) -> Policy {
    policy().issuer("issuer", json!({ "template": template, "claims": claims }))
}

fn entra() -> Policy {
    templated(TEMPLATE, json!({ "tid": "/tid" })).issuer("claims", json!({ "tenant": "/tid" }))
}

fn of(tid: &str) -> Token {
    token().claims(json!({ "iss": format!("https://login.example.com/{tid}/v2.0"), "tid": tid }))
}

fn matching() -> Vec<Draft> {
    let rule = "issuer.template";
    let long = "a".repeat(128);
    let unknown = |tid: &str| of(tid);
    vec![
        vector("template-match", "any text of these characters", &[rule, "issuer.template-claims"])
            .policy(entra())
            .ask(of("11111111-aaaa"), principal(json!({ "tenant": "11111111-aaaa", "iss": "https://login.example.com/11111111-aaaa/v2.0" })))
            .ask_all(["a", "A.b_c~9", "...", &long].map(of), allow()),
        vector("template-characters", "and no other", &[rule])
            .attack("iss-partial-match")
            .policy(entra())
            .ask_all(
                ["", ".", "..", "a/b", "a%2fb", "a b", "ä", "a@b", "a?b", "{tid}", &format!("{long}a")].map(unknown),
                Code::IssuerUnknown,
            ),
        vector("template-literal", "the rest byte by byte", &[rule])
            .policy(entra())
            .ask_all(
                ["https://login.example.com/a/v2.0/", "https://login.example.com/a/V2.0", "http://login.example.com/a/v2.0",
                 "https://LOGIN.example.com/a/v2.0", "https://login.example.com/a", "https://login.example.com//a/v2.0", "a"]
                .map(|iss| token().claims(json!({ "iss": iss, "tid": "a" }))),
                Code::IssuerUnknown,
            ),
        vector("template-four", "four segments", &[rule])
            .policy(templated("https://a.test/{a}/{b}/x/{c}/{d}", json!({ "a": "/a", "b": "/b", "c": "/c", "d": "/d" })))
            .ask(token().claims(json!({ "iss": "https://a.test/1/2/x/3/4", "a": "1", "b": "2", "c": "3", "d": "4" })), allow())
            .ask(
                token().claims(json!({ "iss": "https://a.test/1/2/x/3/4", "a": "1", "b": "2", "c": "4", "d": "3" })),
                deny(Code::ClaimMismatch).naming("/c"),
            ),
    ]
}

fn captures() -> Vec<Draft> {
    let rule = "issuer.template-claims";
    vec![
        vector(
            "template-claim",
            "the captured text is another than the claim",
            &[rule],
        )
        .policy(entra())
        .ask(
            of("a").claim("tid", "b"),
            deny(Code::ClaimMismatch).naming("/tid"),
        )
        .ask(
            of("a").claim("tid", "A"),
            deny(Code::ClaimMismatch).naming("/tid"),
        ),
        vector("template-claim-missing", "the claim is absent", &[rule])
            .policy(entra())
            .ask(
                of("a").without("tid"),
                deny(Code::ClaimMissing).naming("/tid"),
            )
            .ask(
                of("a").claim("tid", json!(null)),
                deny(Code::ClaimMissing).naming("/tid"),
            ),
        vector("template-claim-shape", "or no text", &[rule])
            .policy(templated(TEMPLATE, json!({ "tid": "/tid" })))
            .ask(
                of("1").claim("tid", 1),
                deny(Code::ClaimMismatch).naming("/tid"),
            )
            .ask(
                of("1").claim("tid", json!(["1"])),
                deny(Code::ClaimMismatch).naming("/tid"),
            ),
        vector(
            "template-order-types",
            "a claim of another type is seen first",
            &["order.template", "order.claim-types"],
        )
        .policy(entra())
        .ask(
            of("a").claims(json!({ "tid": "b", "exp": "soon" })),
            deny(Code::ClaimsInvalid).naming("exp"),
        )
        .ask(
            of("a").claim("tid", 1),
            deny(Code::ClaimsInvalid).naming("/tid"),
        ),
        vector(
            "template-order-audience",
            "then the template, then the audience",
            &["order.template"],
        )
        .policy(entra())
        .ask(
            of("a").claims(json!({ "tid": "b", "aud": "other" })),
            deny(Code::ClaimMismatch).naming("/tid"),
        ),
        vector(
            "template-remembered",
            "a remembered token of another tenant",
            &[rule],
        )
        .policy(entra().rules(json!([{ "path": "/{org}", "require": { "tenant": "{org}" } }])))
        .ask(
            get("/a").bearer(&of("a")),
            principal(json!({ "tenant": "a" })),
        )
        .ask(get("/a").bearer(&of("b")), Code::TenantDenied)
        .ask(
            get("/b").bearer(&of("b")),
            principal(json!({ "tenant": "b" })),
        ),
    ]
}

fn order() -> Vec<Draft> {
    let both = || {
        entra()
            .and_issuer("exact", "https://login.example.com/a/v2.0", &B)
            .issuer_at(1, "audiences", json!(["exact"]))
    };
    vec![
        vector(
            "template-after-exact",
            "an exact issuer is found first",
            &["issuer.exact", "issuer.template"],
        )
        .policy(both())
        .ask(
            of("a").key(&B).claim("aud", "exact"),
            principal(json!({ "issuer": "exact" })),
        )
        .ask(of("b"), principal(json!({ "issuer": "platform" }))),
        vector(
            "template-no-second",
            "and judges, even if it denies",
            &["issuer.first-found"],
        )
        .policy(both())
        .ask(of("a"), Code::KeyUnknown)
        .ask(of("a").key(&B), deny(Code::AudienceMismatch).naming("aud")),
    ]
}

fn absent() -> Vec<Draft> {
    let rule = "issuer.without-iss";
    let house = || policy().issuer("issuer", json!({ "absent": true }));
    let none = || token().without("iss");
    vec![
        vector("without-iss", "a token without `iss`", &[rule])
            .policy(house().top("forward", json!({ "x-iss": "issuer", "x-sub": "subject" })))
            .ask(
                none(),
                principal(json!({ "iss": "", "issuer": "platform" }))
                    .setting(json!({ "x-sub": "user-4711" })),
            ),
        vector(
            "without-iss-null",
            "`null` is no absent member",
            &[rule, "issuer.absent"],
        )
        .policy(house())
        .ask(token().claim("iss", json!(null)), Code::IssuerUnknown)
        .ask(token().claim("iss", ""), Code::IssuerUnknown)
        .ask(token().claim("iss", 1), Code::IssuerUnknown)
        .ask(token(), Code::IssuerUnknown),
        vector(
            "without-iss-unreadable",
            "nor are claims that cannot be read",
            &[rule, "issuer.absent"],
        )
        .policy(house())
        .ask(token().claims_text("{"), Code::IssuerUnknown)
        .ask(token().claims_text(r#"["iss"]"#), Code::IssuerUnknown)
        .ask(
            token().claims_text(r#"{"sub":"a","sub":"b"}"#),
            Code::IssuerUnknown,
        ),
        vector(
            "without-iss-beside",
            "beside an exact issuer",
            &[rule, "issuer.first-found"],
        )
        .policy(policy().and_issuer("house", "x", &B).issuer_at(
            1,
            "issuer",
            json!({ "absent": true }),
        ))
        .ask(token(), principal(json!({ "issuer": "platform" })))
        .ask(none().key(&B), principal(json!({ "issuer": "house" })))
        .ask(none(), Code::KeyUnknown),
        vector(
            "without-iss-twice",
            "only one issuer has such tokens",
            &[rule],
        )
        .policy(house().and_issuer("other", "x", &B).issuer_at(
            1,
            "issuer",
            json!({ "absent": true }),
        ))
        .refused(&[("duplicate", "/issuers/1/issuer")]),
    ]
}

fn refused() -> Vec<Draft> {
    let rule = "issuer.template-policy";
    let refused =
        |id: &str, title: &str, template: &str, names: &[&str], code: &str, place: &str| {
            let claims: serde_json::Map<String, Value> = names
                .iter()
                .map(|name| (name.to_string(), json!("/tid")))
                .collect();
            vector(id, title, &[rule])
                .policy(templated(template, json!(claims)))
                .refused(&[(code, &format!("/issuers/0/issuer{place}"))])
        };
    let two = |id: &str, title: &str, other: &str| {
        let second = json!({ "template": other, "claims": { "x": "/x" } });
        vector(id, title, &[rule])
            .policy(
                entra()
                    .and_issuer("other", "x", &B)
                    .issuer_at(1, "issuer", second),
            )
            .refused(&[("duplicate", "/issuers/1/issuer")])
    };
    vec![
        refused(
            "template-none",
            "nothing is captured",
            "https://a.test/b",
            &["tid"],
            "value_invalid",
            "/template",
        ),
        refused(
            "template-part",
            "a part of a segment",
            "https://a.test/t-{tid}",
            &["tid"],
            "value_invalid",
            "/template",
        ),
        refused(
            "template-host",
            "the host",
            "https://{tid}.a.test/{x}",
            &["x"],
            "value_invalid",
            "/template",
        ),
        refused(
            "template-scheme",
            "another scheme",
            "urn:a/{tid}",
            &["tid"],
            "value_invalid",
            "/template",
        ),
        refused(
            "template-five",
            "five segments",
            "https://a.test/{a}/{b}/{c}/{d}/{e}",
            &["a", "b", "c", "d", "e"],
            "value_invalid",
            "/template",
        ),
        refused(
            "template-no-claim",
            "a segment without claim",
            "https://a.test/{a}/{b}",
            &["a"],
            "unknown_name",
            "/claims",
        ),
        refused(
            "template-other-claim",
            "a claim without segment",
            "https://a.test/{a}",
            &["a", "b"],
            "unknown_name",
            "/claims/b",
        ),
        two(
            "template-two",
            "two that could match one `iss`",
            "https://login.example.com/{x}/v2.0",
        ),
        two(
            "template-two-crossed",
            "in different segments",
            "https://login.example.com/a/{x}",
        ),
        vector("template-two-apart", "two that could not", &[rule])
            .policy(entra().and_issuer("other", "x", &B).issuer_at(
                1,
                "issuer",
                json!({
                    "template": "https://login.example.com/{x}/v1.0", "claims": { "x": "/tid" },
                }),
            ))
            .ask(of("a"), principal(json!({ "issuer": "platform" }))),
        vector("template-discovery", "keys by discovery", &[rule])
            .policy(entra().issuer("keys", json!({ "discovery": true })))
            .refused(&[("conflict", "/issuers/0/keys/discovery")]),
        vector("template-any-audience", "every audience", &[rule])
            .policy(entra().issuer("audiences", "any"))
            .refused(&[("conflict", "/issuers/0/audiences")]),
    ]
}
