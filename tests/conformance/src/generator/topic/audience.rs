//! The audience of a token.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [one_of(), all(), any(), types()].concat();
    topic("audience", "For whom a token is", drafts)
}

fn mismatch() -> crate::vector::Expect {
    deny(Code::AudienceMismatch).naming("aud")
}

fn one_of() -> Vec<Draft> {
    let rule = "audience.one-of";
    let wrong = |id, title, aud: Value| {
        vector(id, title, &[rule])
            .attack("aud-missing-or-wrong")
            .ask(token().claim("aud", aud), mismatch())
    };
    let fine =
        |id, title, aud: Value| vector(id, title, &[rule]).ask(token().claim("aud", aud), allow());
    vec![
        vector("audience-absent", "no `aud`", &[rule])
            .attack("aud-missing-or-wrong")
            .ask(token().without("aud"), mismatch()),
        wrong("audience-other", "another one", json!("other")),
        wrong(
            "audience-others",
            "several others",
            json!(["other", "another"]),
        ),
        wrong("audience-empty-array", "an empty array", json!([])),
        wrong("audience-empty", "an empty string", json!("")),
        wrong("audience-case", "another case", json!("Platform")),
        wrong("audience-space", "a space at the end", json!("platform ")),
        wrong(
            "audience-words",
            "a word in a string",
            json!("platform other"),
        ),
        wrong("audience-prefix", "a longer name", json!("platform-admin")),
        fine("audience-string", "a string", json!("platform")),
        fine("audience-array", "an array of it", json!(["platform"])),
        fine(
            "audience-among",
            "among others",
            json!(["other", "platform"]),
        ),
        fine("audience-twice", "twice", json!(["platform", "platform"])),
        vector("audience-second", "the second of the policy's", &[rule])
            .policy(policy().issuer("audiences", json!(["platform", "legacy"])))
            .ask(token().claim("aud", "legacy"), allow()),
    ]
}

fn all() -> Vec<Draft> {
    let case = |id, title, aud: Value, admitted: bool| {
        vector(id, title, &["audience.all"])
            .policy(policy().issuer("audiences", json!({ "all": ["platform", "billing"] })))
            .ask(
                token().claim("aud", aud),
                if admitted { allow() } else { mismatch() },
            )
    };
    vec![
        case("audience-all", "both", json!(["billing", "platform"]), true),
        case(
            "audience-all-and-more",
            "both and another",
            json!(["x", "billing", "platform"]),
            true,
        ),
        case(
            "audience-all-one",
            "only one of both",
            json!(["platform"]),
            false,
        ),
        case(
            "audience-all-string",
            "only one, as a string",
            json!("billing"),
            false,
        ),
    ]
}

fn any() -> Vec<Draft> {
    let any = || policy().issuer("audiences", "any");
    vec![
        vector("audience-any", "any will do", &["audience.any"])
            .policy(any())
            .ask(token().claim("aud", "whoever"), allow()),
        vector("audience-any-absent", "none will do", &["audience.any"])
            .policy(any())
            .ask(token().without("aud"), allow()),
        vector(
            "audience-any-type",
            "but not of a wrong type",
            &["audience.any", "audience.type"],
        )
        .policy(any())
        .ask(
            token().claim("aud", 1),
            deny(Code::ClaimsInvalid).naming("aud"),
        ),
    ]
}

fn types() -> Vec<Draft> {
    let wrong = |id, title, aud: Value| {
        vector(id, title, &["audience.type"])
            .attack("claim-type-confusion")
            .attack("aud-missing-or-wrong")
            .ask(
                token().claim("aud", aud),
                deny(Code::ClaimsInvalid).naming("aud"),
            )
    };
    vec![
        wrong("audience-null", "`null`", json!(null)),
        wrong("audience-object", "an object", json!({ "platform": true })),
        wrong("audience-number", "a number", json!(7)),
        wrong(
            "audience-mixed",
            "an array of which one is no string",
            json!(["platform", 7]),
        ),
        wrong(
            "audience-nested",
            "an array in an array",
            json!([["platform"]]),
        ),
    ]
}
