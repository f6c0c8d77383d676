//! Sets of paths, hosts and methods as a policy can write them.

use std::{fmt, hash::Hash};

/// A set of requests in one dimension.
pub trait Shape: Clone + Eq + Hash {
    /// All of them.
    const ANY: Self;
    /// Whether every request of `other` is in this set.
    fn covers(&self, other: &Self) -> bool;
    /// The intersection: a set of the same kind, or nothing.
    fn meet(&self, other: &Self) -> Option<Self>;
}

/// A path pattern of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// One after the other; the root has none.
    pub segments: Vec<Segment>,
    /// Whether it ends in `**`.
    pub rest: bool,
}

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Written as in the pattern, with normalised percent-encoding.
    Literal(String),
    /// A segment that begins with this text: a policy cannot express it, but other
    /// configurations can.
    Starts(String),
    /// Any one segment.
    Any,
}

impl Path {
    /// The smallest path that a policy can express and that covers this one.
    pub fn hull(&self) -> Self {
        let hull = |segment: &Segment| match segment {
            Segment::Starts(_) => Segment::Any,
            other => other.clone(),
        };
        Self {
            segments: self.segments.iter().map(hull).collect(),
            rest: self.rest,
        }
    }

    /// The same for backends that do not distinguish the case of letters.
    pub(crate) fn folded(&self) -> Self {
        Self {
            segments: self.segments.iter().map(Segment::folded).collect(),
            rest: self.rest,
        }
    }
}

/// A text without its percent-encoding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        let digits = std::str::from_utf8(&digits).ok()?;
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
    }
    Some(decoded)
}

impl Segment {
    /// The segment with this text, whose percent-encoding is normalised. `None`
    /// where the gate refuses every such request, so that no pattern is needed.
    pub fn literal(text: &str) -> Option<Self> {
        Self::of_bytes(decoded(text)?)
    }

    fn of_bytes(decoded: Vec<u8>) -> Option<Self> {
        let is_ambiguous = |byte: &u8| byte.is_ascii_control() || b"/\\;?#".contains(byte);
        if matches!(&*decoded, b"" | b"." | b"..") || decoded.iter().any(is_ambiguous) {
            return None;
        }
        let mut literal = String::new();
        for byte in decoded {
            if byte.is_ascii_graphic() && !b"%*{}".contains(&byte) {
                literal.push(char::from(byte));
            } else {
                literal.push_str(&format!("%{byte:02X}"));
            }
        }
        Some(Self::Literal(literal))
    }

    /// The same for backends that do not distinguish the case of letters.
    fn folded(&self) -> Self {
        /// Letters that a change of case turns into an ASCII letter: ı, İ, ſ, K.
        const OTHERS: [(char, char); 4] = [
            ('\u{131}', 'i'),
            ('\u{130}', 'i'),
            ('\u{17f}', 's'),
            ('\u{212a}', 'k'),
        ];
        let Self::Literal(text) = self else {
            return self.clone();
        };
        let Some(text) = decoded(text).and_then(|bytes| String::from_utf8(bytes).ok()) else {
            return self.clone();
        };
        let other = |letter: char| OTHERS.iter().find(|(other, _)| *other == letter);
        let fold =
            |letter: char| other(letter).map_or(letter.to_ascii_lowercase(), |(_, ascii)| *ascii);
        let folded: String = text.chars().map(fold).collect();
        Self::of_bytes(folded.into_bytes()).unwrap_or_else(|| self.clone())
    }

    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Starts(text), Self::Literal(other)) => other.starts_with(text),
            (Self::Starts(_), _) => true,
            (Self::Literal(_), _) => self == other,
        }
    }
}

impl Shape for Path {
    const ANY: Self = Self {
        segments: Vec::new(),
        rest: true,
    };

    fn covers(&self, other: &Self) -> bool {
        let long_enough = if self.rest {
            other.segments.len() >= self.segments.len()
        } else {
            other.segments.len() == self.segments.len() && !other.rest
        };
        let mut pairs = self.segments.iter().zip(&other.segments);
        long_enough && pairs.all(|(ours, theirs)| ours.covers(theirs))
    }

    fn meet(&self, other: &Self) -> Option<Self> {
        let (short, long) = if self.segments.len() <= other.segments.len() {
            (self, other)
        } else {
            (other, self)
        };
        if short.segments.len() < long.segments.len() && !short.rest {
            return None;
        }
        let mut segments = long.segments.clone();
        for (segment, theirs) in segments.iter_mut().zip(&short.segments) {
            match (&*segment, theirs) {
                (Segment::Any, theirs) => *segment = theirs.clone(),
                (_, Segment::Any) => {}
                (ours, theirs) if ours == theirs => {}
                _ => return None,
            }
        }
        let rest = long.rest && (short.rest || short.segments.len() < long.segments.len());
        Some(Self { segments, rest })
    }
}

/// `/orgs/{a}/**`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = ('a'..='z').cycle();
        for (index, segment) in self.segments.iter().enumerate() {
            match (segment, names.next()) {
                (Segment::Literal(text), _) => write!(f, "/{text}")?,
                (Segment::Any, Some(name)) if index < 26 => write!(f, "/{{{name}}}")?,
                (Segment::Any, _) => write!(f, "/{{s{index}}}")?,
                (Segment::Starts(text), _) => write!(f, "/{text}*")?,
            }
        }
        match (self.rest, self.segments.is_empty()) {
            (true, _) => f.write_str("/**"),
            (false, true) => f.write_str("/"),
            (false, false) => Ok(()),
        }
    }
}

/// A host of the policy, in lower case and without port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// Every host.
    Any,
    /// `*.example.com`, without the `*.`: one further label.
    Below(String),
    /// This one.
    Exact(String),
}

impl Shape for Host {
    const ANY: Self = Self::Any;

    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Below(parent), Self::Exact(host)) => {
                host.split_once('.').is_some_and(|(_, rest)| rest == parent)
            }
            _ => self == other,
        }
    }

    fn meet(&self, other: &Self) -> Option<Self> {
        meet_of_nested(self, other)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Below(parent) => write!(f, "*.{parent}"),
            Self::Exact(host) => f.write_str(host),
        }
    }
}

/// A method of the policy, of which `GET` covers `HEAD`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Every method.
    Any,
    /// This one, in capitals.
    One(String),
}

impl Shape for Method {
    const ANY: Self = Self::Any;

    fn covers(&self, other: &Self) -> bool {
        let one = |method: &Self, name: &str| matches!(method, Self::One(own) if own == name);
        *self == Self::Any || self == other || (one(self, "GET") && one(other, "HEAD"))
    }

    fn meet(&self, other: &Self) -> Option<Self> {
        meet_of_nested(self, other)
    }
}

/// Of two sets that overlap one covers the other.
fn meet_of_nested<S: Shape>(a: &S, b: &S) -> Option<S> {
    if a.covers(b) {
        Some(b.clone())
    } else {
        b.covers(a).then(|| a.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        let mut segments: Vec<_> = text.split('/').filter(|part| !part.is_empty()).collect();
        let rest = segments.last() == Some(&"**");
        segments.truncate(segments.len() - usize::from(rest));
        let segment = |part: &&str| match *part {
            "{}" => Segment::Any,
            literal => Segment::Literal(literal.to_owned()),
        };
        Path {
            segments: segments.iter().map(segment).collect(),
            rest,
        }
    }

    #[test]
    fn a_path_covers_what_it_matches() {
        for (outer, inner) in [
            ("/**", "/a/b"),
            ("/a/**", "/a"),
            ("/a/**", "/a/{}/**"),
            ("/{}/b", "/a/b"),
        ] {
            assert!(path(outer).covers(&path(inner)), "{outer} {inner}");
            assert!(!path(inner).covers(&path(outer)), "{inner} {outer}");
        }
    }

    #[test]
    fn paths_meet_in_one_path_or_not_at_all() {
        for (a, b, both) in [
            ("/a/**", "/{}/b", Some("/a/b")),
            ("/a/**", "/a/b/**", Some("/a/b/**")),
            ("/{}/**", "/a", Some("/a")),
            ("/{}/b/**", "/a/{}/c", Some("/a/b/c")),
            ("/a", "/a/b", None),
            ("/a/**", "/b/**", None),
            ("/{}/{}", "/a/**", Some("/a/{}")),
        ] {
            assert_eq!(path(a).meet(&path(b)), both.map(path), "{a} {b}");
            assert_eq!(path(b).meet(&path(a)), both.map(path), "{b} {a}");
        }
    }

    #[test]
    fn get_covers_head_and_a_wildcard_one_label() {
        let method = |name: &str| Method::One(name.to_owned());
        assert!(method("GET").covers(&method("HEAD")));
        assert!(!method("HEAD").covers(&method("GET")));
        let below = Host::Below("example.com".to_owned());
        assert!(below.covers(&Host::Exact("a.example.com".to_owned())));
        assert!(!below.covers(&Host::Exact("a.b.example.com".to_owned())));
        assert!(!below.covers(&Host::Any));
    }
}
