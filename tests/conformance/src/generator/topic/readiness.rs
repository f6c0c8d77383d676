//! Readiness: which documents a host waits for when it starts.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    topic(
        "readiness",
        "Readiness: which documents a host waits for",
        drafts(),
    )
}

fn drafts() -> Vec<Draft> {
    let keys = || ok(&jwks([A.public()]));
    let revoking = |required: bool| {
        let revocations =
            json!({ "uri": "https://auth.example.com/revoked.json", "required": required });
        policy().issuer("revocations", revocations)
    };
    let discovered = json!({ "issuer": ISS, "jwks_uri": JWKS_URI });
    let other = json!({ "jwks_uri": "https://other.example.com/jwks.json" });
    let two = || {
        fetching()
            .and_issuer("other", "https://other.example.com", &B)
            .issuer_at(1, "keys", other.clone())
    };
    vec![
        vector(
            "ready-nothing",
            "a gate without documents is ready",
            &["ready.documents"],
        )
        .ready(true),
        vector(
            "ready-keys",
            "a gate is ready once it had the keys",
            &["ready.documents"],
        )
        .policy(fetching())
        .ready(false)
        .due(&["jwks"])
        .fail("jwks")
        .ready(false)
        .at(60_000)
        .due(&["jwks"])
        .refuse("jwks", response(200, "", "{"))
        .ready(false)
        .at(120_000)
        .due(&["jwks"])
        .accept("jwks", keys())
        .ready(true),
        vector(
            "ready-stays",
            "and stays so when they are too old",
            &["ready.stays"],
        )
        .policy(fetching())
        .due(&["jwks"])
        .accept(
            "jwks",
            response(200, "max-age=60", jwks([A.public()]).to_string()),
        )
        .ready(true)
        .at(500_000_000)
        .ready(true),
        vector(
            "ready-discovery",
            "the keys that discovery names are needed too",
            &["ready.needed"],
        )
        .policy(policy().issuer("keys", json!({ "discovery": true })))
        .due(&["discovery"])
        .accept("discovery", ok(&discovered))
        .ready(false)
        .due(&["jwks"])
        .accept("jwks", keys())
        .ready(true),
        vector(
            "ready-revocations-optional",
            "revocations may be missing",
            &["ready.needed"],
        )
        .policy(revoking(false))
        .ready(true),
        vector(
            "ready-revocations-required",
            "required revocations are needed",
            &["ready.needed"],
        )
        .policy(revoking(true))
        .ready(false)
        .due(&["revocations"])
        .accept("revocations", ok(&json!({ "jti": [] })))
        .ready(true),
        vector(
            "ready-issuers",
            "every issuer is needed, unless the policy says that it is not",
            &["issuer.needed-at-start", "ready.documents"],
        )
        .policy(two())
        .due_of([document("platform", "jwks"), document("other", "jwks")])
        .accept("jwks", keys())
        .ready(false),
        vector(
            "ready-not-needed",
            "an issuer that is not needed at the start",
            &["issuer.needed-at-start"],
        )
        .policy(two().issuer_at(1, "needed_at_start", false))
        .due_of([document("platform", "jwks"), document("other", "jwks")])
        .accept("jwks", keys())
        .ready(true)
        .ask(
            token().claim("iss", "https://other.example.com").key(&B),
            Expect::Wait(vec![document("other", "jwks")]),
        ),
        vector(
            "ready-by-kid",
            "what a `kid` asks for is not waited for",
            &["ready.by-kid"],
        )
        .policy(policy().issuer(
            "keys",
            json!({ "pem_uri": "https://auth.example.com/{kid}.pem" }),
        ))
        .ready(true),
    ]
}
