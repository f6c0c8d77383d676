//! The certificate of the client: of the host's TLS, or in a proxy's header.

use super::{
    prelude::*,
    sender::{RFC_X5T, RFC_X5T_HEX, both, with_cnf},
};

pub(super) fn vectors() -> Topic {
    let drafts = [tls(), trust(), forms(), ambiguous()].concat();
    topic(
        "client-certificate",
        "The certificate of the client, of TLS or in a proxy's header",
        drafts,
    )
}

/// The certificate of RFC 8705, Appendix A.
const RFC_CERTIFICATE: &str = "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwIDSQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOVbUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=";

fn token_of_rfc() -> Token {
    with_cnf(json!({ "x5t#S256": RFC_X5T }))
}

/// The certificate as Envoy and nginx write it.
fn escaped() -> String {
    let base64 = RFC_CERTIFICATE
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    format!("-----BEGIN%20CERTIFICATE-----%0A{base64}%0A-----END%20CERTIFICATE-----%0A")
}

const HEADER: &str = "x-forwarded-client-cert";

/// Proxies are in `10.0.0.0/8`, and at `2001:db8::1`.
fn proxied(format: &str) -> Policy {
    both().top(
        "client_certificate",
        json!({ "header": "X-Forwarded-Client-Cert", "format": format, "trusted_proxies": ["10.0.0.0/8", "2001:db8::1"] }),
    )
}

fn from_proxy(value: &str) -> Request {
    get("/")
        .bearer(&token_of_rfc())
        .peer("10.1.2.3")
        .header(HEADER, value)
}

fn hash() -> String {
    format!("Hash={RFC_X5T_HEX}")
}

fn tls() -> Vec<Draft> {
    let ask = || get("/").bearer(&token_of_rfc());
    vec![
        vector("certificate-tls", "the host's TLS has the certificate (RFC 8705, Appendix A)", &["sender.certificate"])
            .ask(ask().certificate(RFC_X5T_HEX), principal(json!({ "subject": "user-4711" })))
            .ask(ask(), deny(Code::ProofMissing).naming("cnf"))
            .ask(ask().certificate(&RFC_X5T_HEX.replace("fd", "fc")), deny(Code::ProofInvalid).naming("cnf"))
            .ask(ask().certificate(&RFC_X5T_HEX.replace("fd", "fc")), deny(Code::ProofInvalid).challenging(
                "Bearer realm=\"platform\", error=\"invalid_token\", error_description=\"the proof of possession is invalid\"",
            )),
        vector("certificate-half", "a hash of another length is none", &["sender.certificate"])
            .ask(ask().certificate(&RFC_X5T_HEX[..62]), Code::ProofMissing),
        vector("certificate-header-unnamed", "a header that the policy does not name", &["sender.certificate"])
            .attack("dpop-untrusted-header")
            .ask(ask().header(HEADER, hash()), Code::ProofMissing),
    ]
}

fn trust() -> Vec<Draft> {
    let removed = |expect: Expect| expect.changing(&[(HEADER, None)]);
    let plain = || get("/").bearer(&token()).header(HEADER, hash());
    vec![
        vector(
            "certificate-proxy",
            "from a trusted proxy",
            &["sender.certificate", "sender.header"],
        )
        .policy(proxied("xfcc"))
        .ask(from_proxy(&hash()), allow().changing(&[]))
        .ask(
            from_proxy(&hash()).peer("2001:db8::1"),
            allow().changing(&[]),
        )
        .ask(
            from_proxy(&hash()).peer("::ffff:10.1.2.3"),
            allow().changing(&[]),
        ),
        vector(
            "certificate-untrusted",
            "from another peer, or one that the host does not know",
            &["sender.header"],
        )
        .attack("dpop-untrusted-header")
        .policy(proxied("xfcc"))
        .ask(from_proxy(&hash()).peer("11.1.2.3"), Code::ProofMissing)
        .ask(from_proxy(&hash()).peer("2001:db8::2"), Code::ProofMissing)
        .ask(from_proxy(&hash()).peer("::10.1.2.3"), Code::ProofMissing)
        .ask(from_proxy(&hash()).peer(""), Code::ProofMissing),
        vector(
            "certificate-proxy-own",
            "behind a proxy, TLS has the proxy's certificate",
            &["sender.certificate"],
        )
        .policy(proxied("xfcc"))
        .ask(
            from_proxy("By=spiffe://mesh/a").certificate(RFC_X5T_HEX),
            Code::ProofMissing,
        )
        .ask(
            get("/")
                .bearer(&token_of_rfc())
                .peer("10.1.2.3")
                .certificate(RFC_X5T_HEX),
            Code::ProofMissing,
        )
        .ask(
            from_proxy(&hash())
                .peer("192.0.2.1")
                .certificate(RFC_X5T_HEX),
            removed(allow()),
        ),
        vector(
            "certificate-removed",
            "an untrusted header goes no further, whatever the rule",
            &["sender.header"],
        )
        .policy(proxied("xfcc").rules(json!([
            { "path": "/open", "public": true },
            { "path": "/maybe", "optional": true },
            { "path": "/**", "require": {} },
        ])))
        .ask(get("/open").header(HEADER, hash()), removed(anonymous()))
        .ask(get("/maybe").header(HEADER, hash()), removed(anonymous()))
        .ask(plain(), removed(allow()))
        .ask(plain().peer("192.0.2.1"), removed(allow()))
        .ask(plain().peer("10.1.2.3"), allow().changing(&[]))
        .ask(
            get("/open").header(HEADER, hash()).peer("10.1.2.3"),
            anonymous().changing(&[]),
        ),
        vector(
            "certificate-removed-spelling",
            "in every spelling",
            &["sender.header"],
        )
        .attack("header-smuggling")
        .policy(proxied("xfcc"))
        .ask(
            get("/")
                .bearer(&token())
                .header("x_forwarded-client_cert", "a")
                .header(HEADER, "b"),
            allow().changing(&[("x_forwarded-client_cert", None), (HEADER, None)]),
        ),
        vector(
            "certificate-any",
            "a host that cannot know its peers",
            &["sender.header"],
        )
        .policy(both().top(
            "client_certificate",
            json!({ "header": HEADER, "format": "xfcc", "trusted_proxies": "any" }),
        ))
        .ask(from_proxy(&hash()).peer(""), allow().changing(&[])),
    ]
}

fn forms() -> Vec<Draft> {
    let good = |id, title, format: &str, values: &[&str]| {
        let requests = values.iter().map(|value| from_proxy(value));
        vector(id, title, &["sender.header-form"])
            .policy(proxied(format))
            .ask_all(requests, allow())
    };
    let bad = |id, title, format: &str, values: &[&str]| {
        let requests = values.iter().map(|value| from_proxy(value));
        vector(id, title, &["sender.header-form"])
            .policy(proxied(format))
            .ask_all(requests, Code::ProofInvalid)
    };
    let upper = RFC_X5T_HEX.to_uppercase();
    let escaped = escaped();
    let other = RFC_X5T_HEX.replace("fd", "fc");
    vec![
        good(
            "xfcc-good",
            "Envoy's header",
            "xfcc",
            &[
                &hash(),
                &format!("By=spiffe://mesh/a;hash={upper};URI=spiffe://mesh/b"),
                &format!("Subject=\"CN=a\\\"b,c;O=d\";{}", hash()),
                &format!("Cert=\"{escaped}\";Subject=\"\""),
                &format!("{};Cert=\"{escaped}\"", hash()),
            ],
        ),
        bad(
            "xfcc-bad",
            "Envoy's header, with another certificate or one that cannot be read",
            "xfcc",
            &[
                &format!("Hash={other}"),
                "Hash=03",
                "Hash=",
                "Cert=\"abc\"",
                "Cert=\"%zz\"",
                &format!("Subject=\"{}", hash()),
            ],
        ),
        vector(
            "xfcc-none",
            "Envoy's header without a certificate",
            &["sender.header-form"],
        )
        .policy(proxied("xfcc"))
        .ask(from_proxy("By=spiffe://mesh/a"), Code::ProofMissing)
        .ask(
            from_proxy(&format!("Subject=\"{}\"", hash())),
            Code::ProofMissing,
        )
        .ask(from_proxy(""), Code::ProofMissing),
        good(
            "client-cert-good",
            "RFC 9440",
            "rfc9440",
            &[&format!(":{RFC_CERTIFICATE}:")],
        ),
        bad(
            "client-cert-bad",
            "RFC 9440, of another form",
            "rfc9440",
            &[
                RFC_CERTIFICATE,
                "::",
                ":*:",
                ":YWJj:",
                &format!(":{RFC_CERTIFICATE}"),
            ],
        ),
        good(
            "sha256-good",
            "the hash as hex, base64 and base64url",
            "sha256",
            &[RFC_X5T_HEX, &upper, RFC_X5T, &format!("{RFC_X5T}=")],
        ),
        bad(
            "sha256-bad",
            "no hash, or another",
            "sha256",
            &[&other, &RFC_X5T_HEX[2..], "+380", &hash()],
        ),
        good("pem-good", "a PEM with escapes", "pem", &[&escaped]),
        bad(
            "pem-bad",
            "no certificate in a PEM",
            "pem",
            &[
                RFC_CERTIFICATE,
                &escaped.replace("CERTIFICATE", "PUBLIC%20KEY"),
                &escaped.replace("%0A", "%0"),
                &format!("{escaped}{escaped}"),
                &"a".repeat(16_385),
            ],
        ),
    ]
}

fn ambiguous() -> Vec<Draft> {
    let two = |id, title, format: &str, requests: Vec<Request>| {
        vector(id, title, &["sender.header-ambiguous"])
            .policy(proxied(format))
            .ask_all(requests, Code::RequestAmbiguous)
    };
    let other = RFC_X5T_HEX.replace("fd", "fc");
    let elements = format!("{},{}", hash(), hash());
    vec![
        two(
            "certificate-two",
            "two fields, two elements, two certificates, another spelling",
            "xfcc",
            vec![
                from_proxy(&hash()).header(HEADER, hash()),
                from_proxy(&elements),
                from_proxy(&format!("By=spiffe://mesh/a,{}", hash())),
                from_proxy(&format!("{};Hash={other}", hash())),
                from_proxy(&format!("Hash={other};Cert=\"{}\"", escaped())),
                from_proxy(&hash()).header("x_forwarded_client_cert", hash()),
                get("/")
                    .bearer(&token_of_rfc())
                    .peer("10.1.2.3")
                    .header("x-forwarded_client-cert", hash()),
            ],
        )
        .attack("header-smuggling"),
        two(
            "certificate-two-rfc",
            "a list in RFC 9440",
            "rfc9440",
            vec![from_proxy(&format!(
                ":{RFC_CERTIFICATE}:, :{RFC_CERTIFICATE}:"
            ))],
        ),
        vector(
            "certificate-two-unasked",
            "nobody asks for it",
            &["sender.header-ambiguous"],
        )
        .policy(proxied("xfcc"))
        .ask(
            get("/")
                .bearer(&token())
                .peer("10.1.2.3")
                .header(HEADER, elements),
            allow(),
        ),
        vector(
            "order-certificate",
            "no proof of the key, and two certificates",
            &["order.sender"],
        )
        .policy(proxied("xfcc"))
        .ask(
            get("/")
                .by_dpop(&with_cnf(
                    json!({ "jkt": P256.thumbprint(), "x5t#S256": RFC_X5T }),
                ))
                .peer("10.1.2.3")
                .header(HEADER, format!("{},{}", hash(), hash())),
            Code::ProofMissing,
        )
        .ask(
            get("/")
                .by_dpop(&with_cnf(
                    json!({ "jkt": P256.thumbprint(), "x5t#S256": RFC_X5T }),
                ))
                .header("dpop", "nonsense")
                .peer("10.1.2.3")
                .header(HEADER, format!("Hash={other}")),
            deny(Code::ProofInvalid).naming("cnf"),
        ),
    ]
}
