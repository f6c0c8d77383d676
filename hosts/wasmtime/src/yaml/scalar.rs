//! The value of one scalar, from its source text with its quotes.

use saphyr_parser::ScalarStyle;

/// A value that is no collection, as JSON.
pub(super) enum Scalar {
    Text(String),
    /// A number, `true`, `false` or `null`.
    Other(String),
}

/// Words that some readers take for a truth value, nothing, a number, a merge
/// or a default: YAML 1.1's, and 1.2's in other letters' case.
const OTHERS: [&str; 18] = [
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<", ".inf", "+.inf",
    "-.inf", ".nan", "+.nan", "-.nan",
];

/// Reads a scalar. `value` is what the parser made of `raw`, which is the text
/// itself, and of a block text the line that begins it.
pub(super) fn read(style: ScalarStyle, raw: &str, value: &str) -> Result<Scalar, &'static str> {
    match style {
        // Where nothing stands, the parser's place is that of something else.
        ScalarStyle::Plain => plain(if value.is_empty() {
            value
        } else {
            raw.trim_end()
        }),
        ScalarStyle::SingleQuoted => {
            if within_quotes(raw).contains('\n') {
                return Err("a quoted text stands on one line");
            }
            Ok(Scalar::Text(value.to_owned()))
        }
        ScalarStyle::DoubleQuoted => double_quoted(raw).map(Scalar::Text),
        ScalarStyle::Literal => {
            let header = raw.split(" #").next().unwrap_or_default().trim_end();
            if !matches!(header, "|" | "|-") {
                return Err("of block texts only `|` and `|-` are taken");
            }
            Ok(Scalar::Text(value.to_owned()))
        }
        ScalarStyle::Folded => Err("of block texts only `|` and `|-` are taken"),
    }
}

fn plain(raw: &str) -> Result<Scalar, &'static str> {
    if raw.is_empty() {
        return Err("a value is missing: write `null` where that is meant");
    }
    if raw.contains('\n') {
        return Err("a plain text stands on one line: put it in quotes");
    }
    if matches!(raw, "true" | "false" | "null") {
        return Ok(Scalar::Other(raw.to_owned()));
    }
    if is_json_number(raw) {
        let is_finite = raw.parse().is_ok_and(f64::is_finite);
        let number = is_finite.then(|| Scalar::Other(raw.to_owned()));
        return number.ok_or("a number is no larger than 64 bits of floating point hold");
    }
    if OTHERS.contains(&raw.to_ascii_lowercase().as_str()) {
        return Err("some readers do not take this for a text: put it in quotes");
    }
    let unsigned = raw.strip_prefix(['-', '+']).unwrap_or(raw);
    let undotted = unsigned.strip_prefix('.').unwrap_or(unsigned);
    if undotted.starts_with(|first: char| first.is_ascii_digit()) {
        return Err("this begins like a number and is none of JSON's: put it in quotes");
    }
    if raw.starts_with(['-', '?', ':']) {
        return Err("a plain text does not begin with `-`, `?` or `:`: put it in quotes");
    }
    Ok(Scalar::Text(raw.to_owned()))
}

/// RFC 8259 §6.
fn is_json_number(raw: &str) -> bool {
    fn digits(text: &str) -> Option<&str> {
        let rest = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
        (rest.len() < text.len()).then_some(rest)
    }
    let unsigned = raw.strip_prefix('-').unwrap_or(raw);
    let whole = match unsigned.strip_prefix('0') {
        Some(rest) => Some(rest),
        None => digits(unsigned),
    };
    let fraction = whole.and_then(|rest| match rest.strip_prefix('.') {
        Some(fraction) => digits(fraction),
        None => Some(rest),
    });
    let exponent = fraction.and_then(|rest| match rest.strip_prefix(['e', 'E']) {
        Some(power) => digits(power.strip_prefix(['-', '+']).unwrap_or(power)),
        None => Some(rest),
    });
    exponent == Some("")
}

/// The text up to the closing quote: the parser's end of a quoted text may be after
/// the blanks and the comment behind it.
fn within_quotes(raw: &str) -> &str {
    let quote = raw.chars().next().unwrap_or_default();
    let mut characters = raw.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        if character == quote && !(quote == '\'' && next == Some(quote)) {
            return &raw[..=at];
        }
        // An escape, or a quote that stands twice.
        if character == quote || (quote == '"' && character == '\\') {
            characters.next();
        }
    }
    raw
}

/// Reads a quoted text of which every escape is one of JSON.
fn double_quoted(raw: &str) -> Result<String, &'static str> {
    let raw = within_quotes(raw);
    if raw.contains('\n') {
        return Err("a quoted text stands on one line");
    }
    let mut rest = raw;
    while let Some((_, escape)) = rest.split_once('\\') {
        if let Some(digits) = escape.strip_prefix('u') {
            let digits = digits.get(..4).unwrap_or_default();
            if u32::from_str_radix(digits, 16).is_ok_and(|code| (0xd800..0xe000).contains(&code)) {
                return Err("half a character: write it as it is");
            }
        }
        rest = escape.get(1..).unwrap_or_default();
    }
    serde_json::from_str(raw).map_err(|_| "only the escapes of JSON are taken in a quoted text")
}

#[cfg(test)]
mod tests {
    use super::is_json_number;

    #[test]
    fn numbers_are_those_of_json() {
        for number in [
            "0", "-0", "10", "1.5", "-0.25", "1e3", "1E-3", "0e0", "1.5e+3",
        ] {
            assert!(is_json_number(number), "{number}");
        }
        for other in [
            "", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1f", "1_000", "1:30", "--1", "1 ",
        ] {
            assert!(!is_json_number(other), "{other}");
        }
    }
}
