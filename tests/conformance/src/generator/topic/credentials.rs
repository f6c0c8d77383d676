//! The places of the token in a request, and requests with more than one.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [missing(), headers(), multiple(), cookies()].concat();
    topic(
        "credentials",
        "Where the token of a request is, and where there is more than one",
        drafts,
    )
}

fn good() -> String {
    token().compact()
}

fn other() -> String {
    token().claim("sub", "user-1234").compact()
}

fn authorization(value: impl AsRef<[u8]>) -> Request {
    get("/").header("authorization", value)
}

/// The `Authorization` header, then a cookie, then a custom header.
fn places() -> Policy {
    policy().top(
        "credentials",
        json!([
            { "header": "authorization", "scheme": "Bearer" },
            { "cookie": "session" },
            { "header": "x-token" },
        ]),
    )
}

fn missing() -> Vec<Draft> {
    let none = |id, title, rule, value: &str| {
        vector(id, title, &[rule]).ask(authorization(value), Code::TokenMissing)
    };
    vec![
        vector("credential-none", "no header", &["credential.missing"])
            .ask(get("/"), Code::TokenMissing),
        none(
            "credential-empty",
            "an empty header",
            "credential.missing",
            "",
        ),
        none(
            "credential-scheme-alone",
            "a scheme without a token",
            "credential.missing",
            "Bearer",
        ),
        none(
            "credential-scheme-space",
            "a scheme and a space",
            "credential.missing",
            "Bearer ",
        ),
        none(
            "credential-basic",
            "another scheme",
            "credential.scheme",
            "Basic dXNlcjpwYXNz",
        ),
        none(
            "credential-bare",
            "a token without a scheme",
            "credential.scheme",
            &good(),
        ),
        none(
            "credential-scheme-longer",
            "a scheme that only starts alike",
            "credential.scheme",
            &format!("Bearerx {}", good()),
        ),
        none(
            "credential-scheme-joined",
            "no space after the scheme",
            "credential.scheme",
            &format!("Bearer{}", good()),
        ),
        vector(
            "credential-query",
            "a token in the query is no token",
            &["credential.missing"],
        )
        .attack("multi-token")
        .ask(
            get(&format!("/?access_token={}", good())),
            Code::TokenMissing,
        ),
        vector(
            "credential-other-header",
            "a header that the policy does not list",
            &["credential.places"],
        )
        .ask(get("/").header("x-token", good()), Code::TokenMissing),
    ]
}

fn headers() -> Vec<Draft> {
    let fine = |id, title, rule, value: String| {
        vector(id, title, &[rule]).ask(authorization(value), allow())
    };
    vec![
        fine(
            "credential-scheme-lower",
            "a scheme in lower case",
            "credential.scheme",
            format!("bearer {}", good()),
        ),
        fine(
            "credential-scheme-mixed",
            "a scheme in mixed case",
            "credential.scheme",
            format!("bEARER {}", good()),
        ),
        fine(
            "credential-spaces",
            "more spaces around",
            "credential.scheme",
            format!("  Bearer   {}  ", good()),
        ),
        vector(
            "credential-scheme-own",
            "another scheme of the policy",
            &["credential.scheme"],
        )
        .policy(policy().top(
            "credentials",
            json!([{ "header": "authorization", "scheme": "Token" }]),
        ))
        .ask(authorization(format!("Token {}", good())), allow())
        .ask(
            authorization(format!("Bearer {}", good())),
            Code::TokenMissing,
        ),
        vector(
            "credential-whole-header",
            "a header without scheme is the token",
            &["credential.places"],
        )
        .policy(places())
        .ask(get("/").header("x-token", good()), allow()),
        vector(
            "credential-second-place",
            "an empty first place does not hide the second",
            &["credential.places"],
        )
        .policy(places())
        .ask(
            get("/")
                .header("authorization", "Bearer ")
                .header("x-token", good()),
            allow(),
        ),
        vector(
            "credential-foreign-scheme-and-cookie",
            "another scheme does not hide the cookie",
            &["credential.places", "credential.scheme"],
        )
        .policy(places())
        .ask(
            authorization("Basic dXNlcjpwYXNz").header("cookie", format!("session={}", good())),
            allow(),
        ),
        vector(
            "credential-bytes",
            "bytes beyond ASCII are no token",
            &["token.alphabet"],
        )
        .ask(
            authorization(b"Bearer \xff\xfe.\x80.\x81"),
            Code::TokenMalformed,
        ),
    ]
}

fn multiple() -> Vec<Draft> {
    let two = |id, title, rule, request: Request| {
        vector(id, title, &[rule])
            .attack("multi-token")
            .policy(places())
            .ask(request, Code::TokenMultiple)
    };
    let one = |id, title, request: Request| {
        vector(id, title, &["credential.same"])
            .policy(places())
            .ask(request, allow())
    };
    let bearer = |token: String| format!("Bearer {token}");
    vec![
        two(
            "multiple-headers",
            "two different headers",
            "credential.multiple",
            authorization(bearer(good())).header("authorization", bearer(other())),
        ),
        two(
            "multiple-comma",
            "two tokens in one header",
            "credential.multiple",
            authorization(format!("Bearer {}, Bearer {}", good(), other())),
        ),
        two(
            "multiple-places",
            "a header and another cookie",
            "credential.multiple",
            authorization(bearer(good())).header("cookie", format!("session={}", other())),
        ),
        two(
            "multiple-bad-second",
            "the second need not be a good token",
            "credential.multiple",
            authorization(bearer(good())).header("x-token", "junk"),
        ),
        two(
            "multiple-cookies",
            "two cookies of one name",
            "credential.multiple",
            get("/").header("cookie", format!("session={}; session={}", good(), other())),
        ),
        two(
            "multiple-cookie-headers",
            "two cookie headers",
            "credential.multiple",
            get("/")
                .header("cookie", format!("session={}", good()))
                .header("cookie", format!("session={}", other())),
        ),
        two(
            "multiple-whole-header",
            "two values of a header without scheme",
            "credential.multiple",
            get("/")
                .header("x-token", good())
                .header("x-token", other()),
        ),
        two(
            "mixed-schemes",
            "a token beside another scheme",
            "credential.mixed",
            authorization(bearer(good())).header("authorization", "Basic dXNlcjpwYXNz"),
        ),
        two(
            "mixed-schemes-comma",
            "the same after a comma",
            "credential.mixed",
            authorization(format!("Basic dXNlcjpwYXNz, Bearer {}", good())),
        ),
        two(
            "mixed-bare",
            "a bare token beside one with its scheme",
            "credential.mixed",
            authorization(format!("Bearer {}, {}", good(), good())),
        ),
        two(
            "mixed-empty",
            "an empty element beside a token",
            "credential.mixed",
            authorization(format!("Bearer {},", good())),
        ),
        one(
            "same-headers",
            "the same token in two headers",
            authorization(bearer(good())).header("authorization", bearer(good())),
        ),
        one(
            "same-comma",
            "the same token twice in one header",
            authorization(format!("Bearer {}, bearer {}", good(), good())),
        ),
        one(
            "same-places",
            "the same token in all three places",
            authorization(bearer(good()))
                .header("cookie", format!("session={}", good()))
                .header("x-token", good()),
        ),
    ]
}

fn cookies() -> Vec<Draft> {
    let fine = |id, title, cookie: String| {
        vector(id, title, &["credential.cookie"])
            .policy(places())
            .ask(get("/").header("cookie", cookie), allow())
    };
    let none = |id, title, cookie: String| {
        vector(id, title, &["credential.cookie"])
            .policy(places())
            .ask(get("/").header("cookie", cookie), Code::TokenMissing)
    };
    vec![
        fine("cookie-alone", "one cookie", format!("session={}", good())),
        fine(
            "cookie-among",
            "among others, with and without spaces",
            format!("a=1;session={} ; b=\"x\"", good()),
        ),
        fine(
            "cookie-quoted",
            "in DQUOTEs",
            format!("session=\"{}\"", good()),
        ),
        vector(
            "cookie-second-header",
            "in the second cookie header",
            &["credential.cookie"],
        )
        .policy(places())
        .ask(
            get("/")
                .header("cookie", "a=1")
                .header("cookie", format!("session={}", good())),
            allow(),
        ),
        none(
            "cookie-case",
            "names compare with case",
            format!("Session={}", good()),
        ),
        none(
            "cookie-longer-name",
            "a longer name is another one",
            format!("xsession={}; sessionx={}", good(), good()),
        ),
        none(
            "cookie-in-value",
            "a name inside of a value",
            format!("a=session={}", good()),
        ),
        none("cookie-empty", "an empty cookie", "session=".into()),
        none(
            "cookie-empty-quoted",
            "an empty cookie in DQUOTEs",
            "session=\"\"".into(),
        ),
    ]
}
