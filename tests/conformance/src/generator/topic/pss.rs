//! RSASSA-PSS: the salt, the mask, and invalid signatures.

use sha2::{Sha256, Sha384, Sha512};

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    topic(
        "pss",
        "RSASSA-PSS: the salt, the mask, and what is no PSS signature",
        signatures(),
    )
}

fn signing(block: impl Fn(&[u8]) -> Vec<u8>) -> Token {
    let token = token().header("alg", "PS256");
    let block = block(token.signing_input().as_bytes());
    token.signature(A.private_operation(&block))
}

fn signatures() -> Vec<Draft> {
    let only = |alg: &str| policy().issuer("algorithms", json!([alg]));
    let bad = |id, title, token: Token| {
        vector(id, title, &["signature.pss"])
            .attack("pss-salt")
            .policy(only("PS256"))
            .ask(token, Code::SignatureInvalid)
    };
    let salted = |length: u8| signing(|input| pss::<Sha256, Sha256>(input, &salt(length)));
    let trailed = signing(|input| {
        let mut block = pss::<Sha256, Sha256>(input, &salt(32));
        block[255] = 0xcc;
        block
    });
    vec![
        vector("pss-salt", "a salt as long as the hash", &["signature.pss"])
            .policy(only("PS256"))
            .ask(salted(32), allow()),
        bad("pss-salt-none", "no salt", salted(0)),
        bad(
            "pss-salt-20",
            "a salt of 20 bytes, the default of old",
            salted(20),
        ),
        bad("pss-salt-shorter", "a salt of 31 bytes", salted(31)),
        bad("pss-salt-longer", "a salt of 33 bytes", salted(33)),
        bad(
            "pss-salt-longest",
            "the longest salt that there is room for",
            salted(222),
        ),
        bad(
            "pss-mask",
            "a mask of another hash",
            signing(|input| pss::<Sha256, Sha512>(input, &salt(32))),
        ),
        bad(
            "pss-hash",
            "another hash",
            signing(|input| pss::<Sha384, Sha384>(input, &salt(32))),
        ),
        bad("pss-trailer", "another trailer", trailed),
        bad("pss-is-pkcs1", "a signature of RS256", {
            let token = token().header("alg", "PS256");
            let signature = sign(&A, "RS256", token.signing_input().as_bytes());
            token.signature(signature)
        }),
        vector(
            "pss-for-rs256",
            "a PSS signature, where RS256 is named",
            &["signature.strict"],
        )
        .ask(
            {
                let signature = sign(&A, "PS256", token().signing_input().as_bytes());
                token().signature(signature)
            },
            Code::SignatureInvalid,
        ),
        vector(
            "pss-key-for-rs256",
            "a key for PS256, a token of RS256",
            &["key.fits"],
        )
        .attack("key-misuse")
        .policy(
            policy()
                .issuer("algorithms", json!(["RS256", "PS256"]))
                .keys([A.with(json!({ "alg": "PS256" }))]),
        )
        .ask(token(), Code::KeyUnsuitable)
        .ask(token().alg("PS256"), allow()),
    ]
}
