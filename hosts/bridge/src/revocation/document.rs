//! The document that gates read (`CONTRACT.md`, Revocations), and its bounds.

use serde_json::{Value, json};

use crate::{
    snapshot::Snapshot,
    store::{Kind, Revoked, Summary},
};

/// The bounds of a gate (`revocation.size`).
pub(super) const ENTRIES: i64 = 500_000;
pub(super) const BYTES: i64 = 32 << 20;

/// What an entry has beside its value, at most: `{"sub":"","issued_before":1796083201},`.
const AROUND: i64 = 48;

/// The longest value: no id of the bridge is longer.
const VALUE_BYTES: usize = 256;

/// Up to where entries of this kind are added. Single tokens come first to their bound, so
/// that people, nodes and keys can still be revoked.
fn bound(kind: Kind) -> (i64, i64) {
    match kind {
        Kind::Jti => (450_000, 28 << 20),
        Kind::Sub => (490_000, 31 << 20),
        Kind::Kid => (ENTRIES, BYTES),
    }
}

/// Whether one more of this kind has a place.
pub(super) fn has_place(kind: Kind, summary: &Summary) -> bool {
    let (entries, bytes) = bound(kind);
    summary.entries < entries && most_bytes(summary) < bytes
}

/// So many bytes the document has at most.
pub(super) fn most_bytes(summary: &Summary) -> i64 {
    summary.bytes + summary.entries * AROUND
}

/// Whether a value can be in the document as it is.
pub(super) fn is_value(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    (1..=VALUE_BYTES).contains(&text.len()) && text.bytes().all(plain)
}

/// The document of all entries, or none: a gate would refuse a larger one as a whole, and
/// one without some of them would let somebody in.
pub(super) fn write(entries: &[Revoked]) -> Option<Snapshot> {
    let (mut jti, mut sub, mut kid) = (Vec::new(), Vec::new(), Vec::new());
    for Revoked {
        kind,
        value,
        issued_before_s,
    } in entries
    {
        match kind {
            Kind::Jti => jti.push(value),
            Kind::Kid => kid.push(value),
            Kind::Sub => sub.push(subject(value, *issued_before_s)),
        }
    }
    let document = json!({ "jti": jti, "sub": sub, "kid": kid });
    let body = document.to_string().into_bytes();
    let fits = i64::try_from(entries.len()).is_ok_and(|entries| entries <= ENTRIES)
        && i64::try_from(body.len()).is_ok_and(|bytes| bytes <= BYTES);
    fits.then(|| Snapshot::new(body))
}

fn subject(value: &str, issued_before_s: Option<i64>) -> Value {
    match issued_before_s {
        Some(before) => json!({ "sub": value, "issued_before": before }),
        None => json!({ "sub": value }),
    }
}

#[cfg(test)]
mod tests {
    use super::{AROUND, BYTES, ENTRIES, Kind, Revoked, is_value, write};

    fn entry(kind: Kind, value: String) -> Revoked {
        Revoked {
            kind,
            value,
            issued_before_s: (kind == Kind::Sub).then_some(1_796_083_201),
        }
    }

    #[test]
    fn a_document_is_whole_or_not_there() {
        let full: Vec<_> = (0..ENTRIES)
            .map(|n| entry(Kind::Jti, n.to_string()))
            .collect();
        assert!(write(&full).is_some());
        let more = [full, vec![entry(Kind::Kid, "k".to_owned())]].concat();
        assert!(write(&more).is_none());
        let long = "x".repeat(256);
        let large: Vec<_> = (0..130_000)
            .map(|_| entry(Kind::Sub, long.clone()))
            .collect();
        assert!(write(&large).is_none());
    }

    #[test]
    fn no_entry_is_larger_than_what_is_counted_for_it() {
        for kind in [Kind::Jti, Kind::Sub, Kind::Kid] {
            let one = write(&[entry(kind, "a".to_owned())]).unwrap().body.len();
            let two = write(&[entry(kind, "a".to_owned()), entry(kind, "b".to_owned())]);
            let each = two.unwrap().body.len() - one;
            assert!(i64::try_from(each).unwrap() <= AROUND + 1, "{kind:?}");
        }
        const { assert!(BYTES == 33_554_432) };
    }

    #[test]
    fn a_value_needs_no_escape() {
        assert!(is_value("p_0-9.A_z~"));
        for wrong in ["", "a b", "a\"", "a\\", "ä", "a\n", &"x".repeat(257)] {
            assert!(!is_value(wrong), "{wrong:?}");
        }
    }
}
