//! The JOSE header: strict JSON, its members, its extensions.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [texts(), members(), extensions()].concat();
    topic(
        "header",
        "The JOSE header: strict JSON, its members, its extensions",
        drafts,
    )
}

/// A token whose header is this text.
fn text(id: &str, title: &str, class: Option<&str>, header: impl AsRef<[u8]>) -> Draft {
    let draft =
        vector(id, title, &["header.json"]).ask(token().header_text(header), Code::HeaderInvalid);
    class.iter().fold(draft, |draft, class| draft.attack(class))
}

fn texts() -> Vec<Draft> {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        format!(r#"{{"alg":"RS256","kid":"rsa-2048-a","x":{open}{close}}}"#)
    };
    let wide = |members: usize| {
        let more: Vec<String> = (0..members - 2).map(|n| format!("\"{n:x}\":0")).collect();
        format!(r#"{{"alg":"RS256","kid":"rsa-2048-a",{}}}"#, more.join(","))
    };
    let (bombs, duplicates) = (Some("json-bombs"), Some("duplicate-members"));
    vec![
        text("header-not-json", "no JSON", None, "alg=RS256"),
        text("header-empty-object-text", "white space only", None, " "),
        text("header-array", "an array", None, r#"["RS256"]"#),
        text("header-string", "a string", None, r#""RS256""#),
        text("header-null", "`null`", None, "null"),
        text(
            "header-trailing",
            "something after the object",
            None,
            r#"{"alg":"RS256"}x"#,
        ),
        text(
            "header-trailing-comma",
            "a trailing comma",
            None,
            r#"{"alg":"RS256",}"#,
        ),
        text(
            "header-single-quotes",
            "single quotes",
            None,
            "{'alg':'RS256'}",
        ),
        text(
            "header-comment",
            "a comment",
            None,
            r#"{"alg":"RS256"/**/}"#,
        ),
        text(
            "header-bom",
            "a byte order mark",
            None,
            "\u{feff}{\"alg\":\"RS256\"}",
        ),
        text(
            "header-not-utf8",
            "a byte that is no UTF-8",
            None,
            b"{\"alg\":\"RS256\",\"x\":\"\xff\"}",
        ),
        text(
            "header-surrogate",
            "a lone surrogate",
            None,
            r#"{"alg":"RS256","x":"\ud800"}"#,
        ),
        text(
            "header-duplicate-alg",
            "`alg` twice",
            duplicates,
            r#"{"alg":"none","alg":"RS256"}"#,
        ),
        text(
            "header-duplicate-same",
            "twice the same",
            duplicates,
            r#"{"alg":"RS256","alg":"RS256"}"#,
        ),
        text(
            "header-duplicate-escaped",
            "twice, once by an escape",
            duplicates,
            r#"{"alg":"RS256","\u0061lg":"none"}"#,
        ),
        text(
            "header-duplicate-kid",
            "`kid` twice",
            duplicates,
            r#"{"alg":"RS256","kid":"a","kid":"rsa-2048-a"}"#,
        ),
        text(
            "header-duplicate-deep",
            "a duplicate deep inside",
            duplicates,
            r#"{"alg":"RS256","x":{"a":1,"a":2}}"#,
        ),
        vector("header-deepest", "16 levels", &["header.json"])
            .ask(token().header_text(nested(16)), allow()),
        text("header-too-deep", "17 levels", bombs, nested(17)),
        text("header-bomb", "a thousand levels", bombs, nested(1_000)),
        vector("header-widest", "256 members", &["header.json"])
            .ask(token().header_text(wide(256)), allow()),
        text("header-too-wide", "257 members", bombs, wide(257)),
        vector(
            "header-white-space",
            "white space around members",
            &["header.json"],
        )
        .ask(
            token().header_text(" {\n\t\"kid\" : \"rsa-2048-a\" , \"alg\" : \"RS256\" }\r\n"),
            allow(),
        ),
        vector(
            "header-escaped-names",
            "escaped, but not twice",
            &["header.json"],
        )
        .ask(
            token().header_text(r#"{"\u0061lg":"RS\u003256","kid":"rsa-2048-a"}"#),
            allow(),
        ),
    ]
}

fn members() -> Vec<Draft> {
    let bad = |id, title, rule, name: &str, value: Value| {
        vector(id, title, &[rule, "decision.claim-named"]).ask(
            token().header(name, value),
            deny(Code::HeaderInvalid).naming(name),
        )
    };
    vec![
        vector("header-alg-absent", "no `alg`", &["header.alg"]).ask(
            token().without_header("alg"),
            deny(Code::HeaderInvalid).naming("alg"),
        ),
        bad(
            "header-alg-null",
            "`alg` is `null`",
            "header.alg",
            "alg",
            json!(null),
        ),
        bad(
            "header-alg-number",
            "`alg` is a number",
            "header.alg",
            "alg",
            json!(256),
        ),
        bad(
            "header-alg-array",
            "`alg` is an array",
            "header.alg",
            "alg",
            json!(["RS256"]),
        ),
        bad(
            "header-kid-number",
            "`kid` is a number",
            "header.members",
            "kid",
            json!(1),
        ),
        bad(
            "header-kid-null",
            "`kid` is `null`",
            "header.members",
            "kid",
            json!(null),
        ),
        bad(
            "header-kid-object",
            "`kid` is an object",
            "header.members",
            "kid",
            json!({}),
        ),
        bad(
            "header-typ-number",
            "`typ` is a number",
            "header.members",
            "typ",
            json!(1),
        ),
        bad(
            "header-typ-null",
            "`typ` is `null`",
            "header.members",
            "typ",
            json!(null),
        ),
        bad(
            "header-cty-array",
            "`cty` is an array",
            "header.members",
            "cty",
            json!(["JWT"]),
        ),
        vector(
            "header-typ-cty",
            "`typ` and `cty` may say anything",
            &["header.members"],
        )
        .ask(
            token().header("typ", "JWT").header("cty", "example"),
            allow(),
        ),
    ]
}

fn extensions() -> Vec<Draft> {
    let crit = |id, title, value: Value| {
        vector(id, title, &["header.crit"])
            .attack("crit-ignored")
            .ask(token().header("crit", value), Code::CritUnsupported)
    };
    let b64 = |id, title, value: Value| {
        vector(id, title, &["header.b64"])
            .attack("b64-false")
            .ask(token().header("b64", value), Code::CritUnsupported)
    };
    vec![
        crit("crit-unknown", "an unknown extension", json!(["x-policy"])),
        crit(
            "crit-exp",
            "`exp`, which some libraries understand",
            json!(["exp"]),
        ),
        crit(
            "crit-standard",
            "a standard member, which may not stand there",
            json!(["alg"]),
        ),
        crit("crit-empty", "an empty array", json!([])),
        crit("crit-twice", "a name twice", json!(["x", "x"])),
        crit("crit-string", "a string", json!("x")),
        crit("crit-null", "`null`", json!(null)),
        crit("crit-numbers", "an array of numbers", json!([1])),
        vector(
            "crit-b64",
            "`b64` in `crit`, and `false`",
            &["header.crit", "header.b64"],
        )
        .attack("b64-false")
        .ask(
            token().header("crit", json!(["b64"])).header("b64", false),
            Code::CritUnsupported,
        ),
        b64(
            "b64-false",
            "`b64` is `false`, without `crit`",
            json!(false),
        ),
        b64("b64-string", "`b64` is a string", json!("false")),
        b64("b64-null", "`b64` is `null`", json!(null)),
        vector("b64-true", "`b64` is `true`: as ever", &["header.b64"])
            .ask(token().header("b64", true), allow()),
    ]
}
