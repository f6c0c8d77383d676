//! Parsed requirements, by number. The least recently used are dropped.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    base::{Problem, limits},
    model::{Policy, Requirement},
    policy,
};

const CAPACITY: u32 = limits::REQUIREMENTS;

/// Number 0 requires nothing. Any other number is a slot plus a multiple of the
/// capacity, so that the number of a dropped requirement identifies no other
/// one.
#[derive(Default)]
pub(crate) struct Requirements {
    empty: Requirement,
    slots: Vec<Prepared>,
    /// Counts the uses.
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
            return Some(&self.empty);
        }
        let prepared = self.slots.get(slot(number)?)?;
        (prepared.number == number).then_some(&prepared.requirement)
    }

    /// Records a use.
    pub(crate) fn touch(&mut self, number: u32) {
        self.clock = self.clock.saturating_add(1);
        let prepared = slot(number).and_then(|slot| self.slots.get_mut(slot));
        if let Some(prepared) = prepared.filter(|prepared| prepared.number == number) {
            prepared.used = self.clock;
        }
    }

    pub(crate) fn prepare(&mut self, policy: &Policy, text: &[u8]) -> Result<u32, Vec<Problem>> {
        let known = self.slots.iter().find(|prepared| *prepared.text == *text);
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
        let number = match u32::try_from(self.slots.len()) {
            Ok(count) if count < CAPACITY => {
                let number = count.saturating_add(1);
                self.slots.push(prepared(number));
                number
            }
            _ => match self.slots.iter_mut().min_by_key(|known| known.used) {
                Some(oldest) => {
                    // After four million requirements in one slot its numbers
                    // repeat.
                    let first = (oldest.number.saturating_sub(1) % CAPACITY).saturating_add(1);
                    let number = oldest.number.checked_add(CAPACITY).unwrap_or(first);
                    *oldest = prepared(number);
                    number
                }
                // No requirement has this number, so a check with it is denied.
                None => u32::MAX,
            },
        };
        self.touch(number);
        Ok(number)
    }
}

fn slot(number: u32) -> Option<usize> {
    usize::try_from(number.checked_sub(1)? % CAPACITY).ok()
}
