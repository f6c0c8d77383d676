//! Compares what a host tells an operator with what the vector expects.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    operation::{Asked, Event, SignedExpect, Told},
    protocol::Reply,
};

/// The effects that events of a vector had, by the names of the vector.
#[derive(Default)]
pub(super) struct Effects(BTreeMap<String, String>);

impl Effects {
    pub(super) fn judge(&mut self, asked: &Asked, reply: &Reply) -> Vec<String> {
        match (asked, reply) {
            (Asked::LastEvent { last_event, .. }, Reply::Told(Told::Event(event))) => {
                let members = last_event.iter();
                members
                    .filter_map(|(name, wanted)| self.differs(name, wanted, event))
                    .collect()
            }
            (Asked::Digest { digest }, Reply::Told(Told::Digest(seen))) if digest == seen => {
                Vec::new()
            }
            (Asked::Ready { ready }, Reply::Told(Told::Ready(seen))) if ready == seen => Vec::new(),
            (Asked::OpenSigned { expect, .. }, reply) => match (expect, reply) {
                (SignedExpect::Opened(wanted), Reply::Told(Told::Signed(seen)))
                    if wanted == seen =>
                {
                    Vec::new()
                }
                (SignedExpect::Refused(wanted), Reply::Refused(seen))
                    if (&wanted.pointer, &wanted.code) == (&seen.pointer, &seen.code) =>
                {
                    Vec::new()
                }
                _ => vec![format!("expected {expect:?}, got {reply:?}")],
            },
            _ => vec![format!("expected {asked:?}, got {reply:?}")],
        }
    }

    fn differs(&mut self, name: &str, wanted: &Value, event: &Event) -> Option<String> {
        let seen = json!(event).get(name).cloned();
        let is_same = match (name, wanted, &event.effects) {
            ("effects", Value::String(label), Some(effects)) => self.is_same(label, effects),
            _ => seen.as_ref() == Some(wanted),
        };
        (!is_same).then(|| format!("{name}: expected {wanted}, got {seen:?}"))
    }

    /// Whether equal effects have equal names.
    fn is_same(&mut self, label: &str, effects: &str) -> bool {
        match self.0.get(label) {
            Some(known) => known == effects,
            None => {
                let is_new = self.0.values().all(|known| known != effects);
                self.0.insert(label.into(), effects.into());
                is_new
            }
        }
    }
}
