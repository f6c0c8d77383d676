//! What a client gets that may not pass.

use countersign::{Code, Denial};

use crate::pairs;

/// A local answer, as proxy-wasm takes it.
pub(crate) struct Answer {
    pub(crate) status: u32,
    /// For the access log: the code.
    pub(crate) details: &'static str,
    pub(crate) headers: Vec<u8>,
    /// JSON; for gRPC, what Envoy makes the `grpc-message`.
    pub(crate) body: String,
    /// What Envoy answers a gRPC request with.
    pub(crate) grpc_status: i32,
}

/// What the client understands, and what the operator wants it to see.
#[derive(Clone, Copy, Default)]
pub(crate) struct Form {
    pub(crate) grpc: bool,
    pub(crate) code_header: bool,
}

impl Answer {
    pub(crate) fn to(denial: &Denial, form: Form) -> Self {
        let code = denial.code;
        let retry_after = denial.retry_after_s.map(|seconds| seconds.to_string());
        let mut headers = Vec::with_capacity(5);
        if !form.grpc {
            headers.push(("content-type", "application/json"));
            headers.push(("cache-control", "no-store"));
        }
        if form.code_header {
            headers.push(("x-countersign-code", code.as_str()));
        }
        let challenge = denial.challenge.as_deref();
        headers.extend(challenge.map(|challenge| ("www-authenticate", challenge)));
        headers.extend(retry_after.as_deref().map(|s| ("retry-after", s)));
        Self {
            status: code.status().into(),
            details: code.as_str(),
            headers: pairs::write(&headers),
            body: if form.grpc {
                code.as_str().to_owned()
            } else {
                json(code)
            },
            grpc_status: grpc_status(code),
        }
    }
}

/// A denial of the filter's own: a fault, or documents that did not come.
pub(crate) fn unavailable(code: Code, retry_after_s: u32) -> Denial {
    Denial {
        code,
        challenge: None,
        claim: None,
        retry_after_s: Some(retry_after_s),
    }
}

/// Codes and sentences hold nothing that JSON would escape.
fn json(code: Code) -> String {
    let parts = [
        "{\"code\":\"",
        code.as_str(),
        "\",\"message\":\"",
        code.sentence(),
        "\"}\n",
    ];
    parts.concat()
}

/// The gRPC status codes that Google's API design guide pairs with HTTP's.
fn grpc_status(code: Code) -> i32 {
    const INVALID_ARGUMENT: i32 = 3;
    const PERMISSION_DENIED: i32 = 7;
    const UNAVAILABLE: i32 = 14;
    const UNAUTHENTICATED: i32 = 16;
    match code.status() {
        400 => INVALID_ARGUMENT,
        403 => PERMISSION_DENIED,
        503 => UNAVAILABLE,
        _ => UNAUTHENTICATED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MISSING: Denial = Denial {
        code: Code::TokenMissing,
        challenge: None,
        claim: None,
        retry_after_s: None,
    };

    fn has(answer: &Answer, name: &str, value: &str) -> bool {
        let headers = pairs::parse(&answer.headers).unwrap();
        headers.contains(&(name.as_bytes(), value.as_bytes()))
    }

    #[test]
    fn a_denial_becomes_status_challenge_and_code() {
        let challenge = Some("Bearer realm=\"x\"".into());
        let answer = Answer::to(
            &Denial {
                challenge,
                ..MISSING
            },
            Form::default(),
        );
        assert_eq!((answer.status, answer.details), (401, "token_missing"));
        assert!(has(&answer, "www-authenticate", "Bearer realm=\"x\""));
        assert!(!answer.headers.windows(5).any(|bytes| bytes == b"x-cou"));
        assert_eq!(
            answer.body,
            "{\"code\":\"token_missing\",\"message\":\"a token is required\"}\n"
        );
    }

    #[test]
    fn the_code_is_a_header_where_that_is_wanted() {
        let form = Form {
            code_header: true,
            ..Form::default()
        };
        let answer = Answer::to(&MISSING, form);
        assert!(has(&answer, "x-countersign-code", "token_missing"));
    }

    #[test]
    fn grpc_gets_its_own_status_and_the_code_as_message() {
        let form = Form {
            grpc: true,
            ..Form::default()
        };
        let answer = Answer::to(&MISSING, form);
        assert_eq!((answer.grpc_status, &*answer.body), (16, "token_missing"));
        let statuses = [Code::TokenMultiple, Code::RuleDenied, Code::KeysUnavailable];
        assert_eq!(statuses.map(grpc_status), [3, 7, 14]);
    }

    #[test]
    fn who_cannot_be_served_now_is_told_when_to_come_back() {
        let answer = Answer::to(&unavailable(Code::KeysUnavailable, 5), Form::default());
        assert_eq!(answer.status, 503);
        assert!(has(&answer, "retry-after", "5"));
    }

    #[test]
    fn no_code_or_sentence_needs_escaping_in_json() {
        for code in Code::ALL {
            let text = format!("{code}{}", code.sentence());
            let plain = |b: u8| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\';
            assert!(text.bytes().all(plain), "{text}");
        }
    }
}
