//! Parses target, authority and method, and refuses what has more than one
//! interpretation (RFC 3986 §3, §6.2.2; RFC 9110 §9.1; RFC 9112 §3.2.1).

use alloc::{borrow::Cow, vec::Vec};

use countersign_kernel::bytes;

use super::{Request, each_part};
use crate::{
    base::{self, kinds, limits},
    refusal::Code,
};

/// The path of a request, split and percent-decoded.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) segments: Segments<'a>,
    /// Whether the path ends in a slash. Some routers treat that as one more,
    /// empty segment.
    pub(crate) trailing_slash: bool,
    /// Whether case folding changes nothing: there are no escapes and no upper-case
    /// letters.
    pub(crate) is_folded: bool,
    /// The segments with needless escapes (`%61` for `a`) not decoded: some
    /// routers match the path as it was sent. `None` if there are no such
    /// escapes.
    pub(crate) as_sent: Option<Segments<'a>>,
    /// The paths of backends that read `%2f` as `/`. Empty if there is no
    /// `%2f`.
    pub(crate) at_slashes: Vec<Segments<'a>>,
}

pub(crate) type Segments<'a> = Vec<Cow<'a, [u8]>>;

impl<'a> Target<'a> {
    /// Parses a target. Refuses what a backend could read differently: dot
    /// segments, empty segments, encoded separators, parameters and control
    /// bytes.
    pub(crate) fn parse(target: &'a [u8]) -> Result<Self, Code> {
        Self::read(target).ok_or(Code::RequestAmbiguous)
    }

    fn read(target: &'a [u8]) -> Option<Self> {
        if target.len() > limits::TARGET_BYTES {
            return None;
        }
        let path = target.get(..bytes::position(target, b'?').unwrap_or(target.len()))?;
        let path = path.strip_prefix(b"/")?;
        let without_slash = path.strip_suffix(b"/");
        let path = without_slash.unwrap_or(path);
        let kinds = kinds::of(path);
        if kinds & kinds::NO_PATH != 0 {
            return None;
        }
        let is_escaped = kinds & kinds::ESCAPE != 0;
        let decode = if is_escaped { decode } else { plain };
        let mut segments = Vec::new();
        let mut has_slash = false;
        if !path.is_empty() {
            let mut add = |segment| {
                let segment = decode(segment).ok_or(Code::RequestAmbiguous)?;
                has_slash |= matches!(&segment, Cow::Owned(text) if text.contains(&b'/'));
                segments.push(segment);
                Ok(())
            };
            each_part(path, b'/', &mut add).ok()?;
        } else if target.starts_with(b"//") {
            return None;
        }
        let as_sent = is_escaped.then(|| as_sent(path)).flatten();
        let trailing_slash = without_slash.is_some();
        let at_slashes = if has_slash {
            at_slashes(&segments, trailing_slash)?
        } else {
            Vec::new()
        };
        (segments.len() <= limits::PATH_SEGMENTS).then_some(Self {
            segments,
            trailing_slash,
            is_folded: kinds & (kinds::ESCAPE | kinds::UPPER) == 0,
            as_sent,
            at_slashes,
        })
    }
}

/// Splits the segments at the slashes that were encoded in them. A backend that
/// decodes `%2f` first can also merge adjacent slashes, and count a trailing
/// slash as one more segment.
fn at_slashes<'a>(segments: &[Cow<'a, [u8]>], trailing_slash: bool) -> Option<Vec<Segments<'a>>> {
    let mut readings = Vec::new();
    for (merges, counts_last) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut split = Vec::new();
        for part in segments.iter().flat_map(|s| s.split(|b| *b == b'/')) {
            if !(merges && part.is_empty()) {
                split.push(Cow::Owned(part.to_vec()));
            }
        }
        if split.len() > limits::PATH_SEGMENTS {
            return None;
        }
        if counts_last {
            split.push(Cow::Borrowed(&b""[..]));
        }
        if trailing_slash || !counts_last {
            readings.push(split);
        }
    }
    Some(readings)
}

/// Returns the segments without decoding needless escapes, if there are any. An
/// escape is needless if a segment can contain its character unescaped
/// (`pchar`, RFC 3986 §3.3).
fn as_sent(path: &[u8]) -> Option<Segments<'_>> {
    let pchar = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&b);
    let needless = |triple: &[u8]| percent_byte(triple).is_some_and(pchar);
    if !path.windows(3).any(needless) {
        return None;
    }
    let segments = path.split(|b| *b == b'/').map(|segment| {
        let mut decoded = Vec::with_capacity(segment.len());
        let mut rest = segment;
        while let Some((&byte, tail)) = rest.split_first() {
            match rest
                .get(..3)
                .filter(|triple| !needless(triple))
                .and_then(percent_byte)
            {
                Some(escaped) => {
                    decoded.push(escaped);
                    rest = rest.get(3..).unwrap_or_default();
                }
                None => {
                    decoded.push(byte);
                    rest = tail;
                }
            }
        }
        Cow::Owned(decoded)
    });
    Some(segments.collect())
}

/// Percent-decodes one segment of a pattern. `None` if a backend could read it
/// differently.
pub(crate) fn decode_segment(segment: &[u8]) -> Option<Cow<'_, [u8]>> {
    decode(segment).filter(|decoded| !decoded.contains(&b'/'))
}

/// Percent-decodes one segment once. `None` if a backend could read it
/// differently, except that `%2f` can be a byte of it.
fn decode(segment: &[u8]) -> Option<Cow<'_, [u8]>> {
    let kinds = kinds::of(segment);
    if kinds & kinds::NO_PATH != 0 {
        return None;
    }
    let decoded = if kinds & kinds::ESCAPE != 0 {
        let decoded = percent_decode(segment)?;
        let plain = !decoded.iter().any(|b| b.is_ascii_control() || matches!(b, b'\\' | b';'))
            // Between slashes, a dot segment leads elsewhere.
            && !decoded.split(|b| *b == b'/').any(|part| matches!(part, b"." | b".."))
            // A backend that decodes twice reads `%252f` as `/`.
            && !decoded.windows(3).any(|w| percent_byte(w).is_some())
            // Backends decode bytes that are not UTF-8 in different ways.
            && core::str::from_utf8(&decoded).is_ok();
        Cow::Owned(plain.then_some(decoded)?)
    } else {
        Cow::Borrowed(segment)
    };
    is_name(&decoded).then_some(decoded)
}

/// Returns a segment whose bytes are checked and that has no escapes.
fn plain(segment: &[u8]) -> Option<Cow<'_, [u8]>> {
    is_name(segment).then_some(Cow::Borrowed(segment))
}

fn is_name(segment: &[u8]) -> bool {
    !matches!(segment, b"" | b"." | b"..")
}

pub(super) fn percent_decode(segment: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment;
    while let Some((&byte, tail)) = rest.split_first() {
        if byte == b'%' {
            decoded.push(percent_byte(rest.get(..3)?)?);
            rest = rest.get(3..)?;
        } else {
            decoded.push(byte);
            rest = tail;
        }
    }
    Some(decoded)
}

pub(super) fn percent_byte(triple: &[u8]) -> Option<u8> {
    let [b'%', high, low] = triple else {
        return None;
    };
    let digit = |b: &u8| {
        char::from(*b)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    Some((digit(high)? << 4) | digit(low)?)
}

/// Returns the authority of a request. A router can use `:authority`, the
/// target or `Host`. If they differ, or if there are two `Host` fields, the
/// request is refused (RFC 9112 §3.2, RFC 9113 §8.3.1).
pub(crate) fn authority<'r>(request: &Request<'r>) -> Result<&'r [u8], Code> {
    let mut hosts = request.values("host");
    match (request.authority, hosts.next(), hosts.next()) {
        (_, _, Some(_)) => Err(Code::RequestAmbiguous),
        (authority, None, _) => Ok(authority),
        (b"", Some(host), _) => Ok(host),
        (authority, Some(host), _)
            if bytes::equal(authority, host) || authority.eq_ignore_ascii_case(host) =>
        {
            Ok(authority)
        }
        _ => Err(Code::RequestAmbiguous),
    }
}

/// Returns the host of an authority; see [`base::host`](crate::base::host).
pub(crate) fn host(authority: &[u8]) -> Result<Cow<'_, [u8]>, Code> {
    base::host(authority).ok_or(Code::RequestAmbiguous)
}

/// Checks a method: a token (RFC 9110 §5.6.2) of at most 64 bytes.
pub(crate) fn check_method(method: &[u8]) -> Result<(), Code> {
    match method.len() <= 64 && base::is_token(method) {
        true => Ok(()),
        false => Err(Code::RequestAmbiguous),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_in_one_way_or_refused() {
        let read = |target: &str| {
            let parsed = Target::parse(target.as_bytes()).ok()?;
            Some(texts(&parsed.segments))
        };
        assert_eq!(read("/"), Some(Vec::new()));
        assert_eq!(read("/?a=//../%00"), Some(Vec::new()));
        assert_eq!(read("/a/b"), Some([b"a".to_vec(), b"b".to_vec()].to_vec()));
        assert_eq!(read("/a/b/"), read("/a/b"));
        assert_eq!(read("/%61"), read("/a"));
        assert_eq!(read("/caf%C3%A9"), Some([b"caf\xc3\xa9".to_vec()].to_vec()));
        for refused in [
            "",
            "a",
            "*",
            "http://a/b",
            "//",
            "//a",
            "/a//b",
            "/a//",
            "/.",
            "/..",
            "/a/../b",
            "/%2e%2e/a",
            "/%2E",
            "/a%2f.",
            "/a%2f%2e%2e%2fb",
            "/..%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a;b",
            "/a%3bb",
            "/%00",
            "/%0a",
            "/%7f",
            "/a b",
            "/a#b",
            "/%",
            "/%4",
            "/%zz",
            "/%252f",
            "/%25%32%66",
            "/\u{e9}",
            "/a\tb",
        ] {
            assert_eq!(read(refused), None, "{refused}");
        }
    }

    #[test]
    fn an_encoded_slash_is_a_byte_of_its_segment_and_has_other_readings() {
        let read = |target: &str| {
            let parsed = Target::parse(target.as_bytes()).unwrap();
            let others = parsed.at_slashes.iter().map(|s| texts(s).join(&b'|'));
            (
                texts(&parsed.segments).join(&b'|'),
                others.collect::<Vec<_>>(),
            )
        };
        let bytes = |texts: &[&str]| -> Vec<Vec<u8>> {
            texts.iter().map(|text| text.as_bytes().to_vec()).collect()
        };
        assert_eq!(read("/a/b"), (b"a|b".to_vec(), Vec::new()));
        assert_eq!(
            read("/x/a%2fb"),
            (b"x|a/b".to_vec(), bytes(&["x|a|b", "x|a|b"]))
        );
        assert_eq!(
            read("/q/%2F/o"),
            (b"q|/|o".to_vec(), bytes(&["q|||o", "q|o"]))
        );
        assert_eq!(
            read("/a%2fb/"),
            (b"a/b".to_vec(), bytes(&["a|b", "a|b", "a|b|", "a|b|"]))
        );
        let deep = ["/".into(), "a%2f".repeat(256)].concat();
        assert!(Target::parse(deep.as_bytes()).is_err());
    }

    fn texts(segments: &[Cow<'_, [u8]>]) -> Vec<Vec<u8>> {
        segments.iter().map(|segment| segment.to_vec()).collect()
    }
}
