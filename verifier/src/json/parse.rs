//! The strict parser: `serde_json` with a visitor that adds the checks.

use alloc::{
    borrow::{Cow, ToOwned},
    string::{String, ToString},
    vec::Vec,
};
use core::{cell::RefCell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Number, Object, Value, push_token};
use crate::base::Limits;

/// Up to this many members a linear scan finds duplicates; above it a binary
/// search does. This uses no hash table: the names are unverified, and an
/// attacker could choose names that collide.
const SCAN: usize = 16;

/// The bounds of a text.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Maximum nesting of arrays and objects.
    pub depth: usize,
    /// Maximum members of one object.
    pub members: usize,
}

impl From<&Limits> for Bounds {
    fn from(limits: &Limits) -> Self {
        Self {
            depth: limits.json_depth,
            members: limits.json_members,
        }
    }
}

/// Why a text is not one strict JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of fault.
    pub kind: FaultKind,
    /// JSON Pointer of the affected member; empty for a syntax fault.
    pub pointer: String,
    /// Line and column of a syntax fault, from 1.
    pub line_column: (usize, usize),
}

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Not JSON, or not UTF-8.
    Syntax,
    /// Two members of one name.
    Duplicate,
    /// Nested too deeply.
    Depth,
    /// Too many members in one object.
    Members,
}

/// Parses one strict JSON text.
pub fn parse(text: &[u8], bounds: Bounds) -> Result<Value<'_>, Fault> {
    parse_with_iss(text, bounds, None)
}

/// Parses claims. It also returns the top-level `iss` if a later part of the
/// text is not strict JSON. That `iss` is only for routing: the gate verifies
/// the signature and then refuses such a text.
pub fn parse_claims<'a>(
    text: &'a [u8],
    bounds: Bounds,
) -> (Option<Cow<'a, str>>, Result<Object<'a>, Fault>) {
    let iss = RefCell::new(None);
    let claims = parse_with_iss(text, bounds, Some(&iss)).and_then(|value| match value {
        Value::Object(object) => Ok(object),
        _ => Err(Fault {
            kind: FaultKind::Syntax,
            pointer: String::new(),
            line_column: (1, 1),
        }),
    });
    (iss.into_inner(), claims)
}

type IssSlot<'a> = RefCell<Option<Cow<'a, str>>>;

fn parse_with_iss<'a>(
    text: &'a [u8],
    bounds: Bounds,
    iss: Option<&IssSlot<'a>>,
) -> Result<Value<'a>, Fault> {
    let fault = RefCell::new(None);
    let seed = Seed {
        bounds,
        depth: 0,
        place: &Place::Root,
        fault: &fault,
        iss,
    };
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    // `Seed` bounds the depth, more strictly than the default of `serde_json`.
    seed.deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| {
            let (kind, pointer) = fault.take().unwrap_or((FaultKind::Syntax, String::new()));
            Fault {
                kind,
                pointer,
                line_column: (error.line(), error.column()),
            }
        })
}

/// The path from the root to the current value, kept on the stack.
enum Place<'p> {
    Root,
    Member(&'p Place<'p>, &'p str),
    Item(&'p Place<'p>, usize),
}

impl Place<'_> {
    fn write(&self, pointer: &mut String) {
        match self {
            Self::Root => {}
            Self::Member(parent, name) => {
                parent.write(pointer);
                push_token(pointer, name);
            }
            Self::Item(parent, index) => {
                parent.write(pointer);
                push_token(pointer, &index.to_string());
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Seed<'s, 'a> {
    bounds: Bounds,
    depth: usize,
    place: &'s Place<'s>,
    fault: &'s RefCell<Option<(FaultKind, String)>>,
    iss: Option<&'s IssSlot<'a>>,
}

impl<'s, 'a> Seed<'s, 'a> {
    fn below<'n>(&self, place: &'n Place<'n>) -> Seed<'n, 'a>
    where
        's: 'n,
    {
        Seed {
            depth: self.depth.saturating_add(1),
            place,
            iss: None,
            ..*self
        }
    }

    /// Records a fault at `name` below this place. The error makes `serde_json`
    /// stop.
    fn fail<E: Error>(&self, kind: FaultKind, name: Option<&str>) -> E {
        let mut pointer = String::new();
        self.place.write(&mut pointer);
        if let Some(name) = name {
            push_token(&mut pointer, name);
        }
        *self.fault.borrow_mut() = Some((kind, pointer));
        E::custom("")
    }

    fn enter<E: Error>(&self) -> Result<(), E> {
        if self.depth < self.bounds.depth {
            Ok(())
        } else {
            Err(self.fail(FaultKind::Depth, None))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_, 'de> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, 'de> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(b))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(Number::Unsigned(n)))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(Number::Negative(n)))
    }

    fn visit_f64<E>(self, x: f64) -> Result<Value<'de>, E> {
        Ok(Value::Number(Number::Float(x)))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
        self.enter()?;
        let mut items = Vec::new();
        while let Some(item) =
            seq.next_element_seed(self.below(&Place::Item(self.place, items.len())))?
        {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        self.enter()?;
        // Most tokens have at most 12 top-level members. Nested objects are
        // many and small, so they start empty.
        let capacity = if self.depth == 0 { 12 } else { 0 };
        let mut members: Vec<(Cow<'de, str>, Value<'de>)> = Vec::with_capacity(capacity);
        let mut order = Order::default();
        while let Some(name) = map.next_key_seed(Name)? {
            let is_new = if members.len() < SCAN {
                members.iter().all(|(n, _)| *n != name)
            } else {
                order.add(&members, &name)
            };
            if !is_new {
                return Err(self.fail(FaultKind::Duplicate, Some(&name)));
            }
            if members.len() >= self.bounds.members {
                return Err(self.fail(FaultKind::Members, None));
            }
            let value = map.next_value_seed(self.below(&Place::Member(self.place, &name)))?;
            if let (Some(slot), "iss", Value::String(iss)) = (self.iss, &*name, &value) {
                *slot.borrow_mut() = Some(iss.clone());
            }
            members.push((name, value));
        }
        Ok(Value::Object(Object(members)))
    }
}

/// Indices of the members, sorted by name.
#[derive(Default)]
struct Order(Vec<u32>);

impl Order {
    /// Adds all members and the next name. Returns whether that name is new.
    fn add(&mut self, members: &[(Cow<'_, str>, Value<'_>)], next: &str) -> bool {
        let name = |index: u32| match members.get(index as usize) {
            Some((name, _)) => &**name,
            None => next,
        };
        let mut is_new = true;
        while self.0.len() <= members.len() {
            let Ok(index) = u32::try_from(self.0.len()) else {
                return false;
            };
            match self.0.binary_search_by(|held| name(*held).cmp(name(index))) {
                Ok(place) => {
                    is_new = false;
                    self.0.insert(place, index);
                }
                Err(place) => self.0.insert(place, index),
            }
        }
        is_new
    }
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
