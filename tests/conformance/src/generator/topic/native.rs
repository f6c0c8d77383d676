//! Who verifies signatures: demands of a policy, and what they change.

use super::prelude::*;
use crate::vector::Signatures::{self, Module, Native};

pub(super) fn vectors() -> Topic {
    let drafts = [demands(), fips(), keys()].concat();
    topic(
        "native",
        "Signatures by the module, or by the host's own cryptography",
        drafts,
    )
}

fn demanding(id: &str, title: &str, rule: &str, signatures: &str) -> Draft {
    vector(id, title, &[rule]).policy(policy().top("signatures", signatures))
}

fn demands() -> Vec<Draft> {
    let rule = "native.demanded";
    let met = |signatures: Signatures, word: &str| {
        demanding(
            &format!("native-{word}-met"),
            &format!("`{word}` is demanded, and verifies"),
            rule,
            word,
        )
        .only_if(signatures)
        .ask(token(), allow())
        .ask(token().signed_by(&B), Code::SignatureInvalid)
    };
    let unmet = |signatures: Signatures, word: &str| {
        demanding(
            &format!("native-{word}-unmet"),
            &format!("`{word}` is demanded, and the host's option is another"),
            rule,
            word,
        )
        .only_if(signatures)
        .refused(&[("signatures_unavailable", "/signatures")])
    };
    vec![
        met(Module, "module"),
        met(Native, "native"),
        unmet(Native, "module"),
        unmet(Module, "native"),
        demanding("native-word", "another word", "policy.strict", "host")
            .refused(&[("value_invalid", "/signatures")]),
        vector("native-flag", "`signatures` is a flag", &["policy.strict"])
            .policy(policy().top("signatures", true))
            .refused(&[("type_wrong", "/signatures")]),
    ]
}

fn fips() -> Vec<Draft> {
    let rule = "native.fips";
    vec![
        vector(
            "native-fips-alone",
            "`fips` does not say who verifies",
            &[rule],
        )
        .policy(policy().top("fips", true))
        .refused(&[("conflict", "/fips")]),
        demanding(
            "native-fips-module",
            "the module is not validated",
            rule,
            "module",
        )
        .policy(policy().top("signatures", "module").top("fips", true))
        .only_if(Module)
        .refused(&[("conflict", "/fips")]),
        demanding(
            "native-fips-unmet",
            "the module verifies here",
            rule,
            "native",
        )
        .policy(policy().top("signatures", "native").top("fips", true))
        .only_if(Module)
        .refused(&[("signatures_unavailable", "/signatures")]),
        vector("native-fips-off", "`fips` is off", &[rule, "native.same"])
            .policy(policy().top("fips", false))
            .ask(token(), allow())
            .ask(token().signed_by(&B), Code::SignatureInvalid),
    ]
}

/// The key whose exponent is 3.
fn keys() -> Vec<Draft> {
    let keys = || policy().keys([A.public(), E3.public()]);
    vec![
        vector(
            "native-exponent-3",
            "a key that a library may refuse is used, whoever verifies",
            &["native.same"],
        )
        .policy(keys())
        .ask(token().key(&E3), allow())
        .ask(token().key(&E3).signed_by(&A), Code::SignatureInvalid),
        vector(
            "native-exponent-3-skipped",
            "where the host must verify, it is skipped",
            &["native.keys"],
        )
        .policy(keys().top("signatures", "native"))
        .only_if(Native)
        .ask(token(), allow())
        .ask(token().key(&E3), Code::KeyUnknown),
        vector(
            "native-exponent-3-alone",
            "and no key is left",
            &["native.keys"],
        )
        .policy(policy().keys([E3.public()]).top("signatures", "native"))
        .only_if(Native)
        .refused(&[("jwks_no_usable_key", "/issuers/0/keys/jwks/keys")]),
        vector(
            "native-candidates",
            "a token without `kid` is tried with several keys",
            &["native.same"],
        )
        .policy(policy().keys([B.public(), E3.public(), A.public()]))
        .ask(token().without_header("kid"), allow())
        .ask(token().without_header("kid").signed_by(&E3), allow())
        .ask(
            token()
                .without_header("kid")
                .claim("sub", "other")
                .signature([1; 256]),
            Code::SignatureInvalid,
        ),
    ]
}
