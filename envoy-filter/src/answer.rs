//! The response to a denied request, or one that the gate answers itself.

use countersign::{Code, Denial};

use crate::pairs;

/// A local response in the form of proxy-wasm.
pub(crate) struct Answer {
    pub(crate) status: u32,
    /// The code, or `answered`, for the access log.
    pub(crate) details: &'static str,
    pub(crate) headers: Vec<u8>,
    /// JSON; for gRPC, the text that Envoy sends as `grpc-message`.
    pub(crate) body: Vec<u8>,
    /// The status of the response to a gRPC request.
    pub(crate) grpc_status: i32,
}

/// The format of a response: whether the client uses gRPC, and whether the
/// operator wants the header with the code.
#[derive(Clone, Copy, Default)]
pub(crate) struct Format {
    pub(crate) grpc: bool,
    pub(crate) code_header: bool,
}

impl Answer {
    pub(crate) fn to(denial: &Denial, format: Format) -> Self {
        let code = denial.code;
        let retry_after = denial.retry_after_s.map(|seconds| seconds.to_string());
        let mut headers = Vec::with_capacity(6);
        if !format.grpc {
            headers.push(("content-type", "application/json"));
        }
        if !format.grpc || denial.nonce.is_some() {
            headers.push(("cache-control", "no-store"));
        }
        if format.code_header {
            headers.push(("x-countersign-code", code.as_str()));
        }
        let challenge = denial.challenge.as_deref();
        headers.extend(challenge.map(|challenge| ("www-authenticate", challenge)));
        headers.extend(denial.nonce.as_deref().map(|nonce| ("dpop-nonce", nonce)));
        headers.extend(retry_after.as_deref().map(|s| ("retry-after", s)));
        Self {
            status: code.status().into(),
            details: code.as_str(),
            headers: pairs::write(&headers),
            body: if format.grpc {
                code.as_str().into()
            } else {
                json(code).into()
            },
            grpc_status: grpc_status(code),
        }
    }
}

/// To a `HEAD`, Envoy sends no body.
impl From<countersign::Answer> for Answer {
    fn from(answer: countersign::Answer) -> Self {
        Self {
            status: answer.status.into(),
            details: "answered",
            headers: pairs::write(answer.headers),
            body: answer.body,
            // A gRPC client does not ask for such an address.
            grpc_status: UNIMPLEMENTED,
        }
    }
}

const UNIMPLEMENTED: i32 = 12;

/// Makes a denial of the filter itself: it has a fault, or documents did not
/// arrive.
pub(crate) fn unavailable(code: Code, retry_after_s: u32) -> Denial {
    Denial {
        retry_after_s: Some(retry_after_s),
        ..Denial::from(code)
    }
}

/// Codes and sentences contain no character that JSON escapes.
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

/// Maps HTTP status codes to gRPC status codes, as Google's API design guide
/// does.
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
        principal: None,
        retry_after_s: None,
        nonce: None,
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
            Format::default(),
        );
        assert_eq!((answer.status, answer.details), (401, "token_missing"));
        assert!(has(&answer, "www-authenticate", "Bearer realm=\"x\""));
        assert!(!answer.headers.windows(5).any(|bytes| bytes == b"x-cou"));
        assert_eq!(
            str::from_utf8(&answer.body).unwrap(),
            "{\"code\":\"token_missing\",\"message\":\"a token is required\"}\n"
        );
    }

    #[test]
    fn the_code_is_in_a_header_if_configured() {
        let format = Format {
            code_header: true,
            ..Format::default()
        };
        let answer = Answer::to(&MISSING, format);
        assert!(has(&answer, "x-countersign-code", "token_missing"));
    }

    #[test]
    fn grpc_gets_its_own_status_and_the_code_as_message() {
        let format = Format {
            grpc: true,
            ..Format::default()
        };
        let answer = Answer::to(&MISSING, format);
        assert_eq!(
            (answer.grpc_status, &*answer.body),
            (16, &b"token_missing"[..])
        );
        let statuses = [Code::TokenMultiple, Code::RuleDenied, Code::KeysUnavailable];
        assert_eq!(statuses.map(grpc_status), [3, 7, 14]);
    }

    #[test]
    fn an_unavailable_response_has_retry_after() {
        let answer = Answer::to(&unavailable(Code::KeysUnavailable, 5), Format::default());
        assert_eq!(answer.status, 503);
        assert!(has(&answer, "retry-after", "5"));
    }

    #[test]
    fn an_answer_of_the_gate_is_sent_as_it_is() {
        let answer = Answer::from(countersign::Answer {
            status: 200,
            headers: &[("content-type", "application/json")],
            body: b"{}".into(),
        });
        assert_eq!((answer.status, &*answer.body), (200, &b"{}"[..]));
        assert_eq!(
            answer.headers,
            pairs::write(&[("content-type", "application/json")])
        );
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
