//! How a rule is called in the log, in the filter state and in metrics.

use countersign::MatchedRule;

/// Returns its name, or `/rules/<index>`.
pub(crate) fn of(rule: &MatchedRule) -> String {
    match &rule.name {
        Some(name) => name.to_string(),
        None => ["/rules/", &rule.index.to_string()].concat(),
    }
}

/// Returns a part of a metric's name: its name with `_` for each character that
/// Prometheus does not have, or `rule_<index>`.
pub(crate) fn of_metric(rule: Option<&MatchedRule>) -> String {
    let is_valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match rule {
        None => "no_rule".to_owned(),
        Some(MatchedRule {
            name: Some(name), ..
        }) => name.replace(|c| !is_valid(c), "_"),
        Some(rule) => ["rule_", &rule.index.to_string()].concat(),
    }
}

/// Returns it in visible ASCII: every other byte, and `%`, is percent-encoded.
pub(crate) fn encoded(label: &str) -> String {
    let mut text = String::with_capacity(label.len());
    for byte in label.bytes() {
        match byte {
            b'!'..=b'~' if byte != b'%' => text.push(char::from(byte)),
            _ => {
                const DIGITS: [char; 16] = [
                    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
                ];
                text.push('%');
                text.extend([byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: Option<&str>) -> MatchedRule {
        MatchedRule {
            index: 3,
            name: name.map(Box::from),
            path: "/**".into(),
        }
    }

    #[test]
    fn a_rule_has_its_name_or_its_index() {
        assert_eq!(of(&rule(Some("all orders"))), "all orders");
        assert_eq!(of(&rule(None)), "/rules/3");
        assert_eq!(of_metric(Some(&rule(Some("all.orders ü")))), "all_orders__");
        assert_eq!(of_metric(Some(&rule(None))), "rule_3");
        assert_eq!(of_metric(None), "no_rule");
    }

    #[test]
    fn a_label_in_the_filter_state_is_visible_ascii() {
        assert_eq!(encoded("/rules/3"), "/rules/3");
        assert_eq!(encoded("50% ü"), "50%25%20%C3%BC");
    }
}
