//! Revocation documents: what is no longer good, although it was signed.

use alloc::format;

use crate::{
    Limits, Problem,
    json::{Object, Value},
    key::parse_document,
    map::{Map, Set},
};

/// `{ "jti": […], "sub": [{ "sub", "issued_before"? }], "kid": […] }`
#[derive(Debug, Default)]
pub(crate) struct Revoked {
    jti: Set,
    /// Tokens of this subject issued before this (ms); without a time, all.
    sub: Map<Option<i64>>,
    kid: Set,
}

/// What of a token can be revoked.
pub(crate) struct Revocable<'t> {
    pub(crate) jti: Option<&'t str>,
    pub(crate) sub: Option<&'t str>,
    pub(crate) issued_at_ms: Option<i64>,
    pub(crate) kid: Option<&'t str>,
}

impl Revoked {
    /// A member that this version does not know refuses the document: to
    /// ignore it would admit what somebody revoked.
    pub(crate) fn parse(body: &[u8], limits: &Limits) -> Result<Self, Problem> {
        let value = parse_document(body, limits)?;
        let document = value
            .as_object()
            .ok_or_else(|| invalid("", "a revocation document is an object"))?;
        let mut revoked = Self::default();
        for (name, value) in document.iter() {
            let items = value
                .as_array()
                .ok_or_else(|| invalid(&format!("/{name}"), "it is not an array"))?;
            for (index, item) in items.iter().enumerate() {
                let pointer = || format!("/{name}/{index}");
                match name {
                    "jti" | "kid" => {
                        let text = item
                            .as_str()
                            .ok_or_else(|| invalid(&pointer(), "it is not a string"))?;
                        let set = if name == "jti" {
                            &mut revoked.jti
                        } else {
                            &mut revoked.kid
                        };
                        set.insert(text.as_bytes());
                    }
                    "sub" => revoked
                        .add_subject(item)
                        .map_err(|why| invalid(&pointer(), why))?,
                    _ => {
                        return Err(invalid(
                            &pointer(),
                            "the members are `jti`, `sub` and `kid`",
                        ));
                    }
                }
            }
            if !matches!(name, "jti" | "sub" | "kid") {
                return Err(invalid("", "the members are `jti`, `sub` and `kid`"));
            }
        }
        Ok(revoked)
    }

    fn add_subject(&mut self, item: &Value<'_>) -> Result<(), &'static str> {
        const SHAPE: &str = "it is not an object with `sub` and, if wanted, `issued_before`";
        let entry: &Object<'_> = item.as_object().ok_or(SHAPE)?;
        let sub = entry.get("sub").and_then(Value::as_str).ok_or(SHAPE)?;
        let before = match entry.get("issued_before") {
            None => None,
            Some(time) => Some(
                time.as_milliseconds()
                    .ok_or("`issued_before` is not a time in seconds")?,
            ),
        };
        if entry
            .iter()
            .any(|(name, _)| !matches!(name, "sub" | "issued_before"))
        {
            return Err(SHAPE);
        }
        // Of two entries for a subject the one that revokes more counts.
        match self.sub.get_mut(sub.as_bytes()) {
            None => {
                self.sub.insert(sub.as_bytes(), before);
            }
            Some(known) => *known = known.zip(before).map(|(a, b)| a.max(b)),
        }
        Ok(())
    }

    pub(crate) fn covers(&self, token: &Revocable<'_>) -> bool {
        let by_subject = || match token.sub.and_then(|sub| self.sub.get(sub.as_bytes())) {
            None => false,
            Some(None) => true,
            // Without `iat` nobody can say that it was issued later.
            Some(Some(before)) => token.issued_at_ms.is_none_or(|at| at < *before),
        };
        token
            .jti
            .is_some_and(|jti| self.jti.contains(jti.as_bytes()))
            || token
                .kid
                .is_some_and(|kid| self.kid.contains(kid.as_bytes()))
            || by_subject()
    }
}

fn invalid(pointer: &str, message: &str) -> Problem {
    Problem::error(pointer, "revocations_invalid", message)
}
