//! What a client gets that may not pass.

use countersign::{Code, Denial};

use crate::pairs;

pub(crate) struct Answer {
    pub(crate) status: u32,
    /// For the access log: the code.
    pub(crate) details: &'static str,
    pub(crate) headers: Vec<u8>,
    pub(crate) body: String,
}

/// Codes and sentences hold nothing that JSON would escape.
pub(crate) fn to(denial: &Denial) -> Answer {
    let Denial {
        code,
        challenge,
        retry_after_s,
        ..
    } = denial;
    let retry_after = retry_after_s.map(|seconds| seconds.to_string());
    let mut headers = vec![
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
    ];
    headers.extend(
        challenge
            .as_deref()
            .map(|challenge| ("www-authenticate", challenge)),
    );
    headers.extend(
        retry_after
            .as_deref()
            .map(|seconds| ("retry-after", seconds)),
    );
    Answer {
        status: code.status().into(),
        details: code.as_str(),
        headers: pairs::write(&headers),
        body: format!(
            "{{\"code\":\"{code}\",\"message\":\"{}\"}}\n",
            code.sentence()
        ),
    }
}

/// The answer where there is no denial to give: a fault, or keys to wait for.
pub(crate) fn without_denial(code: Code) -> Answer {
    to(&Denial {
        code,
        challenge: None,
        claim: None,
        retry_after_s: Some(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_becomes_status_challenge_and_code() {
        let answer = to(&Denial {
            code: Code::TokenMissing,
            challenge: Some("Bearer realm=\"x\"".into()),
            claim: None,
            retry_after_s: None,
        });
        assert_eq!((answer.status, answer.details), (401, "token_missing"));
        assert!(
            pairs::parse(&answer.headers)
                .unwrap()
                .contains(&(b"www-authenticate", b"Bearer realm=\"x\""))
        );
        assert_eq!(
            answer.body,
            "{\"code\":\"token_missing\",\"message\":\"a token is required\"}\n"
        );
    }

    #[test]
    fn a_fault_asks_to_come_back() {
        let answer = without_denial(Code::InternalError);
        assert_eq!(answer.status, 503);
        assert!(
            pairs::parse(&answer.headers)
                .unwrap()
                .contains(&(b"retry-after", b"1"))
        );
    }

    #[test]
    fn no_code_or_sentence_needs_escaping_in_json() {
        for code in Code::ALL {
            let text = format!("{code}{}", code.sentence());
            assert!(
                text.bytes()
                    .all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\')
            );
        }
    }
}
