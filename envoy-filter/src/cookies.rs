//! Taking a credential out of the `cookie` header (RFC 6265 §4.2.1).

/// The header's value without the cookies of these names.
pub(crate) fn without(value: &[u8], names: &[Box<str>]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(value.len());
    for pair in value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii) {
        let name = pair
            .split(|byte| *byte == b'=')
            .next()
            .unwrap_or_default()
            .trim_ascii();
        if pair.is_empty() || names.iter().any(|removed| removed.as_bytes() == name) {
            continue;
        }
        if !kept.is_empty() {
            kept.extend(b"; ");
        }
        kept.extend(pair);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_cookies_stay_in_their_order() {
        let names = ["session".into()];
        assert_eq!(without(b"a=1; session=s; b=2", &names), b"a=1; b=2");
        assert_eq!(
            without(b"session=s;session = t; a=session=s", &names),
            b"a=session=s"
        );
        assert_eq!(without(b"session", &names), b"");
        assert_eq!(without(b"\xff=\xfe;; x", &names), b"\xff=\xfe; x");
    }
}
