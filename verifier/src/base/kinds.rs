//! The kinds of bytes in a text, from one table: every request has a host, a
//! method and a path, and each of their bytes is looked at once for all rules.

/// `A` to `Z`.
pub(crate) const UPPER: u8 = 1;
/// Not ASCII.
pub(crate) const HIGH: u8 = 2;
/// A byte of a port, or of an address in brackets.
pub(crate) const PORT: u8 = 4;
/// `%`.
pub(crate) const ESCAPE: u8 = 8;
/// No byte of an authority without user information.
pub(crate) const NO_AUTHORITY: u8 = 16;
/// No `tchar` of RFC 9110 §5.6.2.
pub(crate) const NO_TOKEN: u8 = 32;
/// No byte of a path that all backends read in one way.
pub(crate) const NO_PATH: u8 = 64;

/// Returns the kinds of all bytes of a text.
pub(crate) fn of(text: &[u8]) -> u8 {
    let mut kinds = 0;
    for byte in text {
        kinds |= KINDS.get(usize::from(*byte)).map_or(u8::MAX, |kind| *kind);
    }
    kinds
}

const KINDS: [u8; 256] = table();

const fn table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] = kinds(byte);
        if byte == u8::MAX {
            return table;
        }
        byte += 1;
    }
}

const fn kinds(byte: u8) -> u8 {
    let authority = match byte {
        b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => 0,
        b'A'..=b'Z' => UPPER,
        b':' | b'[' | b']' => PORT,
        _ => NO_AUTHORITY,
    };
    let token = match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => 0,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_'
        | b'`' | b'|' | b'~' => 0,
        _ => NO_TOKEN,
    };
    let path = match byte {
        b'%' => ESCAPE,
        b'#' | b'\\' | b';' => NO_PATH,
        b'!'..=b'~' => 0,
        _ => NO_PATH,
    };
    let high = if byte.is_ascii() { 0 } else { HIGH };
    authority | token | path | high
}
