//! A signed policy, and whom the configuration trusts.

use countersign::{
    Problem,
    json::{Number, Value, push_text},
    open_signed,
};

pub(super) struct Signed<'v, 't> {
    pub(super) text: &'v str,
    pub(super) trust: &'v Value<'t>,
}

/// The place of all problems with a signed policy.
pub(super) const PLACE: &str = "/signed_policy";

impl Signed<'_, '_> {
    /// Returns the bytes of the policy.
    pub(super) fn open(&self, now_ms: u64) -> Result<Vec<u8>, Problem> {
        let mut trust = Vec::new();
        write(&mut trust, self.trust);
        let opened = open_signed(self.text.as_bytes(), &trust, now_ms);
        opened
            .map(|signed| signed.policy)
            .map_err(|problem| self.with_place(problem))
    }

    /// A pointer is one into the trust, or it is that of a member of the header.
    fn with_place(&self, mut problem: Problem) -> Problem {
        let unknown = match problem.code {
            "field_unknown" => problem.pointer.strip_prefix('/'),
            _ => None,
        };
        let trust = self.trust.as_object();
        let is_of_header =
            |name: &str| trust.is_some_and(|trust| trust.iter().all(|(known, _)| known != name));
        let place = match problem.pointer.is_empty() || unknown.is_some_and(is_of_header) {
            true => PLACE,
            false => "/trust",
        };
        problem.pointer.insert_str(0, place);
        problem
    }
}

/// Writes JSON.
fn write(text: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Null => text.extend(b"null"),
        Value::Bool(flag) => text.extend(flag.to_string().bytes()),
        Value::Number(Number::Unsigned(number)) => text.extend(number.to_string().bytes()),
        // A trust has only one number, and that is no negative one and no fraction.
        Value::Number(_) => text.extend(b"-1"),
        Value::String(string) => push_text(text, string),
        Value::Array(items) => {
            text.push(b'[');
            for (index, item) in items.iter().enumerate() {
                text.extend((index > 0).then_some(b','));
                write(text, item);
            }
            text.push(b']');
        }
        Value::Object(members) => {
            text.push(b'{');
            for (index, (name, value)) in members.iter().enumerate() {
                text.extend((index > 0).then_some(b','));
                push_text(text, name);
                text.push(b':');
                write(text, value);
            }
            text.push(b'}');
        }
    }
}
