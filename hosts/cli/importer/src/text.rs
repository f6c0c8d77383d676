//! Comparisons of text in the input, and the paths and hosts that they match.

use countersign_regions::{Host, Path, Shape};

use crate::{bounds::Bounds, input::Node, path};

/// A comparison.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    pub(crate) how: How,
    pub(crate) ignore_case: bool,
    /// Whether it was written as a regular expression, in which no dot stands for
    /// a line break.
    pub(crate) is_regex: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum How {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Contains(String),
    /// The whole text must match.
    Regex(String),
    /// A prefix that ends where a segment of a path does.
    Segments(String),
    /// Envoy's and Istio's templates: `/a/{*}/{**}`.
    Template(String),
    /// Any text that is not empty.
    Present,
    /// Any text.
    Any,
}

impl Text {
    pub(crate) fn new(how: How) -> Self {
        Self {
            is_regex: matches!(how, How::Regex(_)),
            how: simplified(how),
            ignore_case: false,
        }
    }

    /// Istio's: `*`, `*suffix`, `prefix*`, or the text itself.
    pub(crate) fn of_istio(text: &str) -> Self {
        Self::new(if text == "*" {
            How::Present
        } else if let Some(suffix) = text.strip_prefix('*') {
            How::Suffix(suffix.to_owned())
        } else if let Some(prefix) = text.strip_suffix('*') {
            How::Prefix(prefix.to_owned())
        } else {
            How::Exact(text.to_owned())
        })
    }

    /// Envoy's `StringMatcher`; `None` where it has another member.
    pub(crate) fn of_envoy(node: &Node<'_>) -> Option<Self> {
        let ignore_case = node.flag_of("ignore_case");
        let mut how = node.others(&["ignore_case"]).into_iter();
        let (Some(how), None) = (how.next(), how.next()) else {
            return None;
        };
        let how = match how.name().as_str() {
            "exact" => How::Exact(how.text().to_owned()),
            "prefix" => How::Prefix(how.text().to_owned()),
            "suffix" => How::Suffix(how.text().to_owned()),
            "contains" => How::Contains(how.text().to_owned()),
            "safe_regex" | "safeRegex" => How::Regex(how.text_of("regex")?.to_owned()),
            _ => return None,
        };
        Some(Self {
            ignore_case,
            ..Self::new(how)
        })
    }

    pub(crate) fn has_letters(&self) -> bool {
        let text = match &self.how {
            How::Exact(text) | How::Prefix(text) | How::Suffix(text) | How::Contains(text) => text,
            How::Present | How::Any => return false,
            How::Regex(_) | How::Segments(_) | How::Template(_) => return true,
        };
        text.bytes().any(|byte| byte.is_ascii_alphabetic())
    }

    /// Whether `text`, which is known already, matches; `None` where a regular
    /// expression would have to be run.
    pub(crate) fn matches(&self, text: &str) -> Option<bool> {
        let fold = |text: &str| match self.ignore_case {
            true => text.to_ascii_lowercase(),
            false => text.to_owned(),
        };
        let text = fold(text);
        Some(match &self.how {
            How::Exact(own) => text == fold(own),
            How::Prefix(own) => text.starts_with(&fold(own)),
            How::Suffix(own) => text.ends_with(&fold(own)),
            How::Contains(own) => text.contains(&fold(own)),
            How::Present => !text.is_empty(),
            How::Any => true,
            How::Regex(_) | How::Segments(_) | How::Template(_) => return None,
        })
    }

    /// The paths. A policy does not distinguish spellings of a path:
    /// percent-encoding and a trailing slash do not count.
    pub(crate) fn paths(&self) -> Bounds<Path> {
        let bounds = match &self.how {
            How::Exact(text) => path::exactly(text),
            How::Segments(text) => path::segments_of(text),
            How::Prefix(text) => path::prefix(text),
            How::Template(text) => path::template(text),
            How::Present | How::Any => Bounds::exactly(Path::ANY),
            How::Regex(text) => Bounds::within(path::literal_start(text)),
            How::Suffix(_) | How::Contains(_) => Bounds::within(Path::ANY),
        };
        if self.ignore_case {
            return Bounds {
                inner: bounds.inner,
                outer: bounds.outer.map(path::without_letters),
            };
        }
        bounds
    }

    /// The hosts. A policy ignores their case and port.
    pub(crate) fn hosts(&self) -> Bounds<Host> {
        let named = |text: &str| host(text).map(Host::Exact);
        match &self.how {
            How::Exact(text) => match text.rsplit_once(':') {
                Some((name, port)) if is_port(port) => {
                    named(name).map_or_else(Bounds::nothing, Bounds::within)
                }
                _ => named(text).map_or_else(Bounds::nothing, Bounds::exactly),
            },
            // `example.com:*` is how Istio's manual says "on any port".
            How::Prefix(text) => match text.strip_suffix(':').and_then(named) {
                Some(host) => Bounds::within(host),
                None => Bounds::within(Host::Any),
            },
            How::Suffix(text) => Bounds {
                inner: text.strip_prefix('.').and_then(host).map(Host::Below),
                outer: Some(Host::Any),
            },
            How::Present | How::Any => Bounds::exactly(Host::Any),
            _ => Bounds::within(Host::Any),
        }
    }
}

/// A simpler comparison for regular expressions that have one.
fn simplified(how: How) -> How {
    let How::Regex(regex) = &how else { return how };
    let plain = |text: &str| {
        let plain = text
            .replace("\\.", ".")
            .replace("\\/", "/")
            .replace("\\-", "-");
        let is_plain = |char: char| char.is_ascii_alphanumeric() || "/_-:~%@ ,".contains(char);
        // An unescaped dot is any character.
        let dots = text.matches('.').count() == text.matches("\\.").count();
        (dots && plain.chars().all(|char| is_plain(char) || char == '.')).then_some(plain)
    };
    let regex = regex.strip_prefix('^').unwrap_or(regex);
    let regex = regex.strip_suffix('$').unwrap_or(regex);
    match regex {
        ".*" => return How::Any,
        ".+" => return How::Present,
        _ => {}
    }
    if let Some(text) = plain(regex) {
        return How::Exact(text);
    }
    if let Some(text) = regex.strip_suffix(".*").and_then(plain) {
        return How::Prefix(text);
    }
    match regex.strip_prefix(".*").and_then(plain) {
        Some(text) => How::Suffix(text),
        None => how,
    }
}

fn host(text: &str) -> Option<String> {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    text.split('.')
        .all(is_label)
        .then(|| text.to_ascii_lowercase())
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_compared_without_port() {
        let hosts = |text: &str| Text::of_istio(text).hosts();
        let exact = Host::Exact("a.example.com".into());
        assert_eq!(hosts("A.example.com"), Bounds::exactly(exact.clone()));
        assert_eq!(hosts("a.example.com:8080"), Bounds::within(exact.clone()));
        assert_eq!(hosts("a.example.com:*"), Bounds::within(exact));
        let below = hosts("*.example.com");
        assert_eq!(below.inner, Some(Host::Below("example.com".into())));
        assert_eq!(below.outer, Some(Host::Any));
        assert_eq!(hosts("*"), Bounds::exactly(Host::Any));
    }

    fn paths(how: How) -> (String, String) {
        let bounds = Text::new(how).paths();
        let show = |path: Option<Path>| path.map_or("-".to_owned(), |path| path.to_string());
        (show(bounds.inner), show(bounds.outer))
    }

    #[test]
    fn a_comparison_of_paths_lies_between_two_patterns() {
        let prefix = |text: &str| How::Prefix(text.to_owned());
        let exact = |text: &str| How::Exact(text.to_owned());
        let regex = |text: &str| How::Regex(text.to_owned());
        let template = |text: &str| How::Template(text.to_owned());
        for (how, inner, outer) in [
            (exact("/"), "/", "/"),
            (exact("/a/%62%2A"), "/a/b%2A", "/a/b%2A"),
            (exact("/a/"), "-", "/a"),
            (exact("a"), "-", "-"),
            (exact("/a/../b"), "-", "-"),
            (prefix("/"), "/**", "/**"),
            (prefix("/a/"), "/a/{b}/**", "/a/**"),
            (prefix("/api/v"), "/api/v/**", "/api/v*/**"),
            (How::Segments("/a/".into()), "/a/**", "/a/**"),
            (How::Suffix(".js".into()), "-", "/**"),
            (How::Present, "/**", "/**"),
            (regex("/a/.*"), "/a/{b}/**", "/a/**"),
            (regex("/a\\.b"), "/a.b", "/a.b"),
            (regex("/api/v[0-9]/.*"), "-", "/api/v*/**"),
            (regex("/api/?"), "-", "/api*/**"),
            (regex("/a/b|/c"), "-", "/**"),
            (template("/a/{*}/b"), "/a/{b}/b", "/a/{b}/b"),
            (template("/a/{name}/{**}"), "/a/{b}/{c}/**", "/a/{b}/**"),
            (template("/a/{x=**}/b"), "-", "/a/**"),
        ] {
            let expected = (inner.to_owned(), outer.to_owned());
            assert_eq!(paths(how.clone()), expected, "{how:?}");
        }
    }

    #[test]
    fn without_case_a_letter_may_be_another() {
        let text = Text {
            ignore_case: true,
            ..Text::new(How::Exact("/Api/1".into()))
        };
        let bounds = text.paths();
        assert_eq!(bounds.inner.unwrap().to_string(), "/Api/1");
        assert_eq!(bounds.outer.unwrap().to_string(), "/{a}/1");
    }
}
