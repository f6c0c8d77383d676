//! TOML 1.0.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue, Error},
};

use countersign_host::yaml::Position;

use crate::parsed::{DEPTH, Invalid, Parsed, child_pointer};

pub(super) fn parse(text: &str) -> Result<Parsed, Invalid> {
    let reader = Reader::new(text);
    let table = DeTable::parse(text).map_err(|error| reader.refused(&error))?;
    let mut parsed = Parsed::default();
    reader.table(table.get_ref(), "", 0, &mut parsed)?;
    Ok(parsed)
}

struct Reader<'a> {
    text: &'a str,
    /// Where each line starts, in bytes.
    lines: Vec<usize>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        let starts = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self {
            text,
            lines: std::iter::once(0).chain(starts).collect(),
        }
    }

    fn table(
        &self,
        table: &DeTable<'_>,
        pointer: &str,
        depth: usize,
        out: &mut Parsed,
    ) -> Result<(), Invalid> {
        // In the file's order, which the table does not keep.
        let mut members: Vec<_> = table.iter().collect();
        members.sort_by_key(|(name, _)| name.span().start);
        out.json.push('{');
        for (index, (name, value)) in members.into_iter().enumerate() {
            if index > 0 {
                out.json.push(',');
            }
            let pointer = child_pointer(pointer, name.get_ref());
            out.place(&pointer, self.position(&name.span()));
            out.scalar(name.get_ref());
            out.json.push(':');
            self.value(value, &pointer, depth + 1, out)?;
        }
        out.json.push('}');
        Ok(())
    }

    fn value(
        &self,
        value: &Spanned<DeValue<'_>>,
        pointer: &str,
        depth: usize,
        out: &mut Parsed,
    ) -> Result<(), Invalid> {
        let invalid = |message: &str| Invalid {
            position: Some(self.position(&value.span())),
            message: message.to_owned(),
        };
        if depth > DEPTH {
            return Err(invalid("values are nested too deeply"));
        }
        out.place(pointer, self.position(&value.span()));
        match value.get_ref() {
            DeValue::String(text) => out.scalar(text),
            DeValue::Boolean(value) => out.scalar(value),
            DeValue::Integer(number) => {
                let parsed = i64::from_str_radix(number.as_str(), number.radix());
                out.scalar(&parsed.map_err(|_| invalid("a number must fit into 64 bits"))?);
            }
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => out.scalar(&number),
                _ => return Err(invalid("a number must be finite")),
            },
            // A moment is text in JSON (RFC 3339).
            DeValue::Datetime(moment) => out.scalar(&moment.to_string()),
            DeValue::Array(items) => {
                out.json.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.json.push(',');
                    }
                    self.value(item, &format!("{pointer}/{index}"), depth + 1, out)?;
                }
                out.json.push(']');
            }
            DeValue::Table(table) => self.table(table, pointer, depth, out)?,
        }
        Ok(())
    }

    fn refused(&self, error: &Error) -> Invalid {
        Invalid {
            position: error.span().map(|span| self.position(&span)),
            message: error.message().replace('\n', ", "),
        }
    }

    fn position(&self, span: &Range<usize>) -> Position {
        let line = self.lines.partition_point(|start| *start <= span.start);
        let start = self.lines[line - 1];
        let before = self.text.get(start..span.start).unwrap_or_default();
        Position {
            line,
            column: before.chars().count() + 1,
        }
    }
}
