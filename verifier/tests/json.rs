//! The strict parser against `serde_json`: the same texts are accepted, with
//! the same values, but for duplicate names and bounds, which only ours refuses.

use countersign::json::{Bounds, FaultKind, Number, Value, parse};

const BOUNDS: Bounds = Bounds {
    depth: 64,
    members: 256,
};

/// A generator of pseudo-random numbers: xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 16) % end
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[usize::try_from(self.below(all.len() as u64)).expect("an index")]
    }

    fn space(&mut self, text: &mut String) {
        if self.below(4) == 0 {
            text.push_str(self.one_of(&[" ", "\t", "\n", "\r\n  "]));
        }
    }

    fn string(&mut self, text: &mut String) {
        text.push('"');
        for _ in 0..self.below(7) {
            text.push_str(self.one_of(&[
                "a",
                "sub",
                "é",
                "\\\"",
                "\\\\",
                "\\/",
                "\\n",
                "\\u00e9",
                "\\ud83d\\ude00",
                "🔑",
                "\\ud83d",
                "\\u12",
                "a plain text that is longer than one vector",
                "\u{7f}",
                "\\x",
            ]));
        }
        text.push('"');
    }

    fn value(&mut self, text: &mut String, depth: u32) {
        self.space(text);
        match self.below(if depth > 5 { 4 } else { 7 }) {
            0 => text.push_str(self.one_of(&["true", "false", "null", "nul", "True"])),
            1 | 2 => text.push_str(self.one_of(&[
                "0",
                "-0",
                "1",
                "-1",
                "17e2",
                "1.5",
                "-0.25",
                "1e400",
                "1e-400",
                "01",
                "1.",
                ".5",
                "18446744073709551615",
                "18446744073709551616",
                "-9223372036854775808",
                "-9223372036854775809",
                "9007199254740993",
                "1E+2",
                "1e",
                "-",
                "0.1",
                "123456.789e3",
            ])),
            3 => self.string(text),
            4 => {
                text.push('[');
                for index in 0..self.below(4) {
                    if index > 0 {
                        text.push(',');
                    }
                    self.value(text, depth + 1);
                }
                self.space(text);
                text.push(']');
            }
            _ => {
                text.push('{');
                for index in 0..self.below(5) {
                    if index > 0 {
                        text.push(',');
                    }
                    self.space(text);
                    self.string(text);
                    self.space(text);
                    text.push(':');
                    self.value(text, depth + 1);
                }
                text.push('}');
            }
        }
        self.space(text);
    }
}

fn equal(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
    use serde_json::Value as Theirs;
    match (ours, theirs) {
        (Value::Null, Theirs::Null) => true,
        (Value::Bool(a), Theirs::Bool(b)) => a == b,
        (Value::String(a), Theirs::String(b)) => a == b,
        (Value::Number(a), Theirs::Number(b)) => match *a {
            Number::Unsigned(a) => b.as_u64() == Some(a),
            Number::Negative(a) => b.as_i64() == Some(a),
            Number::Float(a) => {
                let b = b.as_f64().expect("a double");
                !b.is_nan() && ((a - b).abs() <= 4e-15 * b.abs() || (a == 0.0 && b.abs() < 1e-300))
            }
        },
        (Value::Array(a), Theirs::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Object(a), Theirs::Object(b)) => {
            a.iter().len() == b.len()
                && a.iter()
                    .all(|(name, a)| b.get(name).is_some_and(|b| equal(a, b)))
        }
        _ => false,
    }
}

#[test]
fn the_same_texts_have_the_same_values() {
    let mut random = Random(20_261_129);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..60_000 {
        let mut text = String::new();
        random.value(&mut text, 0);
        let mut text = text.into_bytes();
        // Half of the texts get a fault or two, also bytes that are not UTF-8.
        for _ in 0..random.below(3).saturating_sub(1) * 2 {
            if text.is_empty() {
                break;
            }
            let at = usize::try_from(random.below(text.len() as u64)).expect("an index");
            match random.below(3) {
                0 => text[at] = u8::try_from(random.below(256)).expect("a byte"),
                1 => drop(text.remove(at)),
                _ => text.truncate(at),
            }
        }
        let theirs = serde_json::from_slice::<serde_json::Value>(&text);
        let shown = text.escape_ascii();
        match (parse(&text, BOUNDS), theirs) {
            (Ok(ours), Ok(theirs)) => {
                assert!(equal(&ours, &theirs), "{shown}");
                accepted += 1;
            }
            (Err(fault), Err(_)) => {
                refused += 1;
                assert!(fault.line_column.0 >= 1, "{shown}");
            }
            (Err(fault), Ok(_)) => assert_eq!(fault.kind, FaultKind::Duplicate, "{shown}"),
            (Ok(_), Err(error)) => panic!("{shown}: {error}"),
        }
    }
    assert!(
        accepted > 10_000 && refused > 10_000,
        "{accepted} {refused}"
    );
}

#[test]
fn a_number_of_up_to_fifteen_digits_is_the_nearest_double() {
    let mut random = Random(7);
    for _ in 0..200_000 {
        let digits = random.below(1_000_000_000_000_000);
        let fraction = random.below(16);
        let text = format!("{digits}e-{fraction}");
        let nearest: f64 = text.parse().expect("a double");
        match parse(text.as_bytes(), BOUNDS) {
            Ok(Value::Number(Number::Float(ours))) => assert_eq!(ours, nearest, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn a_fault_has_the_place_at_which_the_parser_stopped() {
    for (text, place) in [
        ("", (1, 1)),
        ("{", (1, 2)),
        ("{\"a\": tru}", (1, 10)),
        ("{\n  \"a\": 1,\n  \"b\" 2\n}", (3, 7)),
        ("{\"a\": 01}", (1, 8)),
        ("[1, 2,]", (1, 7)),
        ("1 2", (1, 3)),
    ] {
        let fault = parse(text.as_bytes(), BOUNDS).expect_err(text);
        assert_eq!(fault.line_column, place, "{text}");
    }
}
