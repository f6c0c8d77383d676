//! Where a person lands after the login: a path of this site, and nothing else.

use url::Url;

use crate::config::IssuerUrl;

/// The longest one.
const BYTES: usize = 1024;

/// The path, if it is one that every browser reads as a path of this site.
pub(super) fn path<'a>(issuer: &IssuerUrl, text: &'a str) -> Option<&'a str> {
    // Browsers read `\` as `/`, and leave out tabs and newlines.
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_path = text.starts_with('/') && !text.starts_with("//");
    if !is_plain || !is_path || text.len() > BYTES {
        return None;
    }
    let base = Url::parse(issuer.as_str()).ok()?;
    let url = base.join(text).ok()?;
    // `/.//host` becomes `//host` where somebody resolves it again.
    let is_here = url.origin() == base.origin() && !url.path().starts_with("//");
    is_here.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn only_a_path_of_this_site_is_one() {
        let issuer = "https://auth.example.com".parse().unwrap();
        for good in [
            "/",
            "/orders?id=7#last",
            "/a//b",
            "/%2f%2fevil.example.com",
            "/@x",
        ] {
            assert_eq!(path(&issuer, good), Some(good));
        }
        for bad in [
            "",
            "orders",
            "//evil.example.com",
            "///evil.example.com",
            "/\\evil.example.com",
            "\\\\evil.example.com",
            "/\t/evil.example.com",
            "/\n/evil.example.com",
            " /",
            "/ü",
            "https://evil.example.com",
            "https:evil.example.com",
            "javascript:alert(1)",
            "/.//evil.example.com",
            "/..//evil.example.com",
            "/x/..//evil.example.com",
            "/%2e//evil.example.com",
            "@evil.example.com",
            ".evil.example.com",
        ] {
            assert_eq!(path(&issuer, bad), None, "{bad}");
        }
        assert_eq!(path(&issuer, &format!("/{}", "x".repeat(2000))), None);
    }
}
