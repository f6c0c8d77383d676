//! Templates: YAML with `{{name}}` where a value comes, always within double
//! quotes or a comment. A line that begins with `{{?name}}` is there only if the
//! value is given, one with `{{!name}}` only if it is not.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The template with its values, which `value` finds by name.
pub(crate) fn fill<'v>(template: &str, value: &dyn Fn(&str) -> Option<&'v str>) -> String {
    let mut filled = String::with_capacity(template.len());
    for line in template.split_inclusive('\n') {
        let Some(line) = kept(line, value) else {
            continue;
        };
        let mut rest = line;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").unwrap_or((after, ""));
            filled.push_str(before);
            filled.push_str(&written(name, value));
            rest = after;
        }
        filled.push_str(rest);
    }
    filled
}

/// The line without its condition; `None` if it is left out.
fn kept<'l, 'v>(line: &'l str, value: &dyn Fn(&str) -> Option<&'v str>) -> Option<&'l str> {
    let condition = |mark| line.strip_prefix(mark)?.split_once("}}");
    if let Some((name, rest)) = condition("{{?") {
        return value(name).is_some().then_some(rest);
    }
    if let Some((name, rest)) = condition("{{!") {
        return value(name).is_none().then_some(rest);
    }
    Some(line)
}

/// The value as a part of a double-quoted text of YAML. Before its name may stand
/// what is made of it.
fn written<'v>(place: &str, value: &dyn Fn(&str) -> Option<&'v str>) -> String {
    let (form, name) = place.split_once(':').unwrap_or(("", place));
    let value = value(name).unwrap_or_default();
    match form {
        // A reference token of a JSON Pointer (RFC 6901 §3).
        "pointer" => quoted(&value.replace('~', "~0").replace('/', "~1")),
        // The bytes of a secret, as `k` has them.
        "base64url" => URL_SAFE_NO_PAD.encode(value),
        // The region of a user pool: what is before the `_`.
        "region" => quoted(value.split('_').next().unwrap_or_default()),
        _ => quoted(value),
    }
}

/// Control characters are in no value: `Kind` refuses them.
fn quoted(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::fill;

    fn value(name: &str) -> Option<&'static str> {
        match name {
            "plain" => Some("a b"),
            "sharp" => Some(r#"a"b\c"#),
            "path" => Some("https://x/~y"),
            "pool" => Some("eu-central-1_Ab"),
            _ => None,
        }
    }

    #[test]
    fn values_are_written_for_the_place_where_they_stand() {
        let filled = |template| fill(template, &value);
        assert_eq!(filled("a: \"{{plain}}/{{plain}}\"\n"), "a: \"a b/a b\"\n");
        assert_eq!(filled("a: \"{{sharp}}\""), r#"a: "a\"b\\c""#);
        assert_eq!(filled("{{pointer:path}}"), "https:~1~1x~1~0y");
        assert_eq!(filled("{{region:pool}}"), "eu-central-1");
        assert_eq!(filled("{{base64url:plain}}"), "YSBi");
    }

    #[test]
    fn a_line_with_a_condition_is_there_or_not() {
        let template = "{{?plain}}one\n{{!plain}}two\n{{?none}}three\n{{!none}}four\nfive\n";
        assert_eq!(fill(template, &value), "one\nfour\nfive\n");
    }

    #[test]
    fn what_a_value_brings_is_no_template() {
        let nested = |name: &str| (name == "a").then_some("{{b}}");
        assert_eq!(fill("{{a}}", &nested), "{{b}}");
    }
}
