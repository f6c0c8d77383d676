//! Compares names of header fields as backends do: CGI, WSGI and PHP read
//! `X_Auth_Subject` and `x-auth-subject` as the same variable.

/// Returns whether a backend could read a field of this name as `wanted`, which
/// is in lower case. Both `-` and `_` match each other.
pub(crate) fn is_read_as(name: &[u8], wanted: &str) -> bool {
    name.len() == wanted.len()
        && name.iter().zip(wanted.bytes()).all(|(byte, wanted)| {
            let byte = if *byte == b'_' {
                b'-'
            } else {
                byte.to_ascii_lowercase()
            };
            byte == if wanted == b'_' { b'-' } else { wanted }
        })
}

#[cfg(test)]
mod tests {
    use super::is_read_as;

    #[test]
    fn case_and_underscore_make_no_difference() {
        for name in [
            "x-auth-subject",
            "X-Auth-Subject",
            "x_auth_subject",
            "X_aUTH-SUBJECT",
        ] {
            assert!(is_read_as(name.as_bytes(), "x-auth-subject"), "{name}");
            assert!(is_read_as(name.as_bytes(), "x_auth-subject"), "{name}");
        }
        for name in [
            "x-auth-subjec",
            "x-auth-subjects",
            "xxauth-subject",
            "x.auth.subject",
            "",
        ] {
            assert!(!is_read_as(name.as_bytes(), "x-auth-subject"), "{name}");
        }
    }
}
