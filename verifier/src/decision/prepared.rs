//! Requirements that were parsed once, by number: the ones used last.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    base::{Problem, limits},
    model::{Policy, Requirement},
    policy,
};

const ROOM: u32 = limits::REQUIREMENTS;

/// Number 0 asks nothing; any other is its place plus a multiple of the room,
/// so that the number of one that was forgotten names no other.
#[derive(Default)]
pub(crate) struct Requirements {
    nothing: Requirement,
    places: Vec<Prepared>,
    /// Counts uses.
    clock: u64,
}

struct Prepared {
    number: u32,
    text: Box<[u8]>,
    requirement: Requirement,
    used: u64,
}

impl Requirements {
    pub(crate) fn get(&self, number: u32) -> Option<&Requirement> {
        if number == 0 {
            return Some(&self.nothing);
        }
        let prepared = self.places.get(place(number)?)?;
        (prepared.number == number).then_some(&prepared.requirement)
    }

    /// Notes that it is used.
    pub(crate) fn touch(&mut self, number: u32) {
        self.clock = self.clock.saturating_add(1);
        let prepared = place(number).and_then(|place| self.places.get_mut(place));
        if let Some(prepared) = prepared.filter(|prepared| prepared.number == number) {
            prepared.used = self.clock;
        }
    }

    pub(crate) fn prepare(&mut self, policy: &Policy, text: &[u8]) -> Result<u32, Vec<Problem>> {
        let known = self.places.iter().find(|prepared| *prepared.text == *text);
        if let Some(number) = known.map(|prepared| prepared.number) {
            self.touch(number);
            return Ok(number);
        }
        let requirement = policy::parse_requirement(policy, text)?;
        let prepared = |number| Prepared {
            number,
            text: text.into(),
            requirement,
            used: 0,
        };
        let number = match u32::try_from(self.places.len()) {
            Ok(count) if count < ROOM => {
                let number = count.saturating_add(1);
                self.places.push(prepared(number));
                number
            }
            _ => match self.places.iter_mut().min_by_key(|known| known.used) {
                Some(oldest) => {
                    // After four million of one place its numbers start over.
                    let first = (oldest.number.saturating_sub(1) % ROOM).saturating_add(1);
                    let number = oldest.number.checked_add(ROOM).unwrap_or(first);
                    *oldest = prepared(number);
                    number
                }
                // No requirement has this number: it denies.
                None => u32::MAX,
            },
        };
        self.touch(number);
        Ok(number)
    }
}

fn place(number: u32) -> Option<usize> {
    usize::try_from(number.checked_sub(1)? % ROOM).ok()
}
