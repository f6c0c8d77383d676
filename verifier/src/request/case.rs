//! Case folding of paths, as case-insensitive backends compare them.

use alloc::borrow::Cow;

use crate::base::kinds;

/// Folds ASCII letters to lower case, and also the other letters that a case
/// change turns into an ASCII letter (Unicode, CaseFolding.txt and
/// SpecialCasing.txt). Returns a borrowed text if nothing changes.
pub(crate) fn fold(text: &[u8]) -> Cow<'_, [u8]> {
    const OTHERS: [(&str, u8); 4] = [
        ("\u{131}", b'i'),
        ("\u{130}", b'i'),
        ("\u{17f}", b's'),
        ("\u{212a}", b'k'),
    ];
    // Other bytes than these do not change.
    if kinds::of(text) & (kinds::UPPER | kinds::HIGH) == 0 {
        return Cow::Borrowed(text);
    }
    let mut folded = alloc::vec::Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, tail)) = rest.split_first() {
        let other = OTHERS
            .iter()
            .find_map(|(letter, folded)| Some((folded, rest.strip_prefix(letter.as_bytes())?)));
        let (byte, tail) = other.unwrap_or((byte, tail));
        folded.push(byte.to_ascii_lowercase());
        rest = tail;
    }
    if folded == text {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(folded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_a_case_insensitive_backend_equates_are_equal() {
        for (one, other) in [
            ("Admin", "admin"),
            ("adm\u{131}n", "admin"),
            ("ADM\u{130}N", "admin"),
            ("\u{17f}ecret", "secret"),
            ("\u{212a}ey", "key"),
        ] {
            assert_eq!(fold(one.as_bytes()), fold(other.as_bytes()), "{one}");
        }
        assert!(matches!(fold(b"admin"), Cow::Borrowed(_)));
        assert!(matches!(fold("caf\u{e9}".as_bytes()), Cow::Borrowed(_)));
    }
}
