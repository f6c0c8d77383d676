//! What a value may be. Each is refused with a reason that says how to write it.

/// The longest value: an address may have 2,048 bytes.
const MAX_BYTES: usize = 1024;

/// RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2.
const ALGORITHMS: [&str; 11] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519",
];

/// The shape of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A host, with or without a port.
    Host,
    /// An address with `https`.
    Url,
    /// Scheme and host: what a browser sends as `Origin`.
    Origin,
    /// A name that stands in the path of an address.
    Segment,
    /// A UUID in lower case.
    Uuid,
    /// A number that is only a name.
    Digits,
    /// An algorithm whose keys can be published.
    Algorithm,
    /// A user pool of Cognito: region, `_`, name.
    UserPool,
    /// Any other name.
    Text,
    /// A secret that signs with HS256.
    Secret,
}

impl Kind {
    /// Whether `text` is of this kind, or why not.
    pub(crate) fn check(self, text: &str) -> Result<(), &'static str> {
        if text.len() > MAX_BYTES {
            return Err("it has more than 1,024 bytes");
        }
        let (good, why) = match self {
            Self::Host => (
                is_host(text),
                "a host is needed, in lower case, without `https://` and without a path",
            ),
            Self::Url => (
                text.strip_prefix("https://").is_some_and(is_host_and_path),
                "an address that begins with `https://` is needed, without `?` and `#`",
            ),
            Self::Origin => (
                text.strip_prefix("https://").is_some_and(is_host),
                "`https://` and a host are needed, without a path and without a slash at the end",
            ),
            Self::Segment => (
                is_made_of(text, |byte| {
                    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
                }) && !matches!(text, "." | ".."),
                "letters, digits, `-`, `.`, `_` and `~` are possible here",
            ),
            Self::Uuid => (
                is_uuid(text),
                "a UUID in lower case is needed, such as 11111111-aaaa-4aaa-8aaa-000000000001",
            ),
            Self::Digits => (
                is_made_of(text, |byte| byte.is_ascii_digit()),
                "the number is needed, not the name",
            ),
            Self::Algorithm => (
                ALGORITHMS.contains(&text),
                "RS256, PS256, ES256, EdDSA or one of their longer forms is needed",
            ),
            Self::UserPool => (
                is_user_pool(text),
                "a user pool's ID is needed, such as eu-central-1_a1B2c3D4e",
            ),
            Self::Text => (
                is_made_of(text, |byte| {
                    matches!(byte, b' '..=b'~') && !b"{}*".contains(&byte)
                }) && text.trim() == text,
                "a name is needed: no line breaks, no letters beyond ASCII, no `{`, `}` and `*`",
            ),
            Self::Secret => (
                text.len() >= 32,
                "the secret needs at least 32 bytes (RFC 7518 §3.2)",
            ),
        };
        if good { Ok(()) } else { Err(why) }
    }
}

fn is_made_of(text: &str, good: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(good)
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let is_label = |label: &str| {
        is_made_of(label, |byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
        }) && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_port = |port: &str| is_made_of(port, |byte| byte.is_ascii_digit()) && port.len() <= 5;
    host.split('.').all(is_label) && port.is_none_or(is_port)
}

fn is_host_and_path(text: &str) -> bool {
    let (host, path) = text.split_at(text.find('/').unwrap_or(text.len()));
    let is_good = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}?#*".contains(&byte);
    is_host(host) && path.bytes().all(is_good)
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

fn is_user_pool(text: &str) -> bool {
    text.split_once('_').is_some_and(|(region, name)| {
        region.split('-').count() >= 3
            && is_host(region)
            && is_made_of(name, |byte| byte.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[track_caller]
    fn check(kind: Kind, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(kind.check(text), Ok(()), "{text}");
        }
        for text in bad {
            assert!(kind.check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_host_has_no_scheme_no_path_and_no_capitals() {
        check(
            Kind::Host,
            &["acme.eu.auth0.com", "localhost:8080", "id-1.example"],
            &[
                "",
                "https://a.example",
                "a.example/",
                "A.example",
                "a..b",
                "a.example:",
                "-a.b",
                "a b",
            ],
        );
        check(
            Kind::Origin,
            &["https://app.example.com", "https://localhost:3000"],
            &[
                "app.example.com",
                "https://app.example.com/",
                "http://app.example.com",
            ],
        );
    }

    #[test]
    fn an_address_has_https_and_no_query() {
        check(
            Kind::Url,
            &[
                "https://id.example.com",
                "https://id.example.com/a/",
                "https://id.example.com/x_1",
            ],
            &[
                "id.example.com",
                "http://id.example.com",
                "https://",
                "https://a.example/?a",
                "https://a.example/\"",
                "https://a.example/\n",
            ],
        );
    }

    #[test]
    fn names_are_what_providers_make_of_them() {
        check(
            Kind::Segment,
            &["main", "a.b_c~d-1"],
            &["", "a/b", "a b", "..", "é", "a\"b"],
        );
        check(
            Kind::Uuid,
            &["11111111-aaaa-4aaa-8aaa-000000000001"],
            &[
                "acme",
                "11111111-AAAA-4AAA-8AAA-000000000001",
                "11111111aaaa4aaa8aaa000000000001",
            ],
        );
        check(
            Kind::Algorithm,
            &["RS256", "EdDSA"],
            &["", "HS256", "none", "rs256"],
        );
        check(Kind::Digits, &["456789"], &["", "octo-org", "-1"]);
        check(
            Kind::UserPool,
            &["eu-central-1_a1B2c3D4e", "us-gov-west-1_x"],
            &[
                "eu-central-1",
                "_x",
                "eu-central-1_",
                "eu_x",
                "eu-central-1_x/y",
            ],
        );
    }

    #[test]
    fn a_text_has_no_line_break_and_is_no_pattern() {
        check(
            Kind::Text,
            &[
                "https://api.example.com",
                "api://default",
                "/projects/1/global/backendServices/2",
                "it's \"mine\" \\",
            ],
            &[
                "",
                "a\nb",
                "a\tb",
                " a",
                "{tenant}",
                "https://*.example.com",
                "a\u{2028}",
                "é",
                &"a".repeat(1025),
            ],
        );
    }

    #[test]
    fn a_short_secret_is_refused() {
        check(
            Kind::Secret,
            &["0123456789abcdef0123456789abcdef"],
            &["", "hunter2"],
        );
    }
}
