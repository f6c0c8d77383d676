//! The characters of a text, which are checked before it is parsed.

use super::YamlError;

/// The largest text: a policy has far less.
const MAX_BYTES: usize = 16 << 20;

/// The text with LF at the end of every line. Refuses characters and markers
/// of which readers disagree, or that no policy needs.
pub(super) fn lines(text: &str) -> Result<String, YamlError> {
    if text.len() > MAX_BYTES {
        return Err(YamlError::new(1, 1, "the text has more than 16 MiB"));
    }
    let mut lines = String::with_capacity(text.len() + 1);
    let mut is_begun = false;
    for (index, line) in text.split_terminator('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let refused = |column, message| Err(YamlError::new(index + 1, column, message));
        for (column, character) in line.chars().enumerate() {
            if let Some(message) = refusal(character) {
                return refused(column + 1, message);
            }
        }
        if line.starts_with('%') {
            return refused(1, "directives are not taken");
        }
        if is_marker(line, "...") {
            return refused(1, "the marker `...` is not taken");
        }
        if is_marker(line, "---") {
            if is_begun {
                return refused(1, "one document is expected, not several");
            }
            if line.trim_end() != "---" {
                return refused(1, "the marker `---` stands alone on its line");
            }
        }
        is_begun |= !matches!(line.trim_start().bytes().next(), None | Some(b'#'));
        lines.push_str(line);
        lines.push('\n');
    }
    Ok(lines)
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// Why a character is refused.
fn refusal(character: char) -> Option<&'static str> {
    Some(match character {
        '\t' => "a tab: indent with spaces, and write `\\t` in double quotes",
        '\r' => "a carriage return without a line feed",
        '\u{85}' | '\u{2028}' | '\u{2029}' => "a character that some readers take for a line's end",
        '\u{feff}' => "a byte order mark",
        '\u{fffe}' | '\u{ffff}' => "a code point that is no character",
        _ if character.is_control() => "a control character",
        _ => return None,
    })
}
