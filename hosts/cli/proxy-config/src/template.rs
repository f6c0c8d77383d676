//! Configurations with places to fill in.

/// Fills `%NAME%`. A line that is nothing but such a place becomes as many lines as the
/// value has, each with its indentation; for an empty value there is no line.
pub(crate) fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut text = String::with_capacity(template.len() * 2);
    for line in template.lines() {
        let place = line.trim_start();
        let whole = values.iter().find(|(name, _)| is_place(place, name));
        if let Some((_, value)) = whole {
            let indentation = &line[..line.len() - place.len()];
            for line in value.lines() {
                let line = format!("{indentation}{line}");
                text.push_str(line.trim_end());
                text.push('\n');
            }
            continue;
        }
        let filled = values.iter().fold(line.to_owned(), |line, (name, value)| {
            line.replace(&format!("%{name}%"), value)
        });
        text.push_str(&filled);
        text.push('\n');
    }
    text
}

fn is_place(line: &str, name: &str) -> bool {
    line.strip_prefix('%')
        .and_then(|line| line.strip_suffix('%'))
        == Some(name)
}

/// `X-Auth-Subject` for `x-auth-subject`.
pub(crate) fn title(name: &str) -> String {
    let mut upper = true;
    let letters = name.chars().map(|letter| {
        let shown = if upper {
            letter.to_ascii_uppercase()
        } else {
            letter
        };
        upper = letter == '-';
        shown
    });
    letters.collect()
}

/// A policy's name as a part of a name in a configuration.
pub(crate) fn identifier(name: &str) -> String {
    name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_")
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn a_place_alone_on_its_line_becomes_lines() {
        let values = [
            ("LINES", "a;\nb;\n".to_owned()),
            ("NONE", String::new()),
            ("X", "1".to_owned()),
        ];
        let text = fill("{\n  %LINES%\n  %NONE%\n  x %X%;\n}\n", &values);
        assert_eq!(text, "{\n  a;\n  b;\n  x 1;\n}\n");
    }
}
