//! The open gates of this instance, by handle.

use std::cell::RefCell;

use crate::{bindings::exports::countersign::gate::gate as wit, lower};
use countersign::{Decision, Gate, Grant};

/// A gate and its last grant.
pub(crate) struct Open {
    pub(crate) gate: Gate,
    granted: Option<Grant>,
}

impl Open {
    /// Converts a decision and stores its grant.
    pub(crate) fn decide(&mut self, decision: Decision) -> wit::Decision {
        match decision {
            Decision::Allow(mut grant) => {
                let allowed = lower::allowed(&mut grant);
                self.granted = Some(grant);
                wit::Decision::Allow(allowed)
            }
            Decision::Deny(denial) => wit::Decision::Deny(lower::denial(denial)),
            Decision::Answer(answer) => wit::Decision::Answer(lower::answer(answer)),
            Decision::Wait(needs) => {
                wit::Decision::Wait(needs.into_iter().map(lower::need).collect())
            }
        }
    }

    pub(crate) fn granted(&self, number: u64) -> Option<wit::Grant> {
        let grant = self.granted.as_ref()?;
        if grant.number == number {
            return Some(lower::grant(grant));
        }
        let other = grant.others.iter().find(|other| other.number == number)?;
        Some(lower::other_grant(other))
    }
}

/// The open gates in the order of their handles. There are few, so a list is
/// enough. A look-up starts at the newest gate, which is used most.
struct Gates {
    open: Vec<(u32, Open)>,
    next: u32,
}

thread_local! {
    static GATES: RefCell<Gates> = const { RefCell::new(Gates { open: Vec::new(), next: 1 }) };
}

/// Adds a gate and returns its handle; `None` if all 2^32 handles are used.
pub(crate) fn insert(gate: Gate) -> Option<u32> {
    GATES.with_borrow_mut(|gates| {
        let handle = gates.next;
        gates.next = handle.checked_add(1)?;
        let granted = None;
        gates.open.push((handle, Open { gate, granted }));
        Some(handle)
    })
}

/// Calls a function with an open gate; `None` if the handle belongs to no open
/// gate.
pub(crate) fn with<T>(handle: u32, call: impl FnOnce(&mut Open) -> T) -> Option<T> {
    GATES.with_borrow_mut(|gates| {
        gates
            .open
            .iter_mut()
            .rev()
            .find(|(of, _)| *of == handle)
            .map(|(_, open)| call(open))
    })
}

/// Frees a gate. An unknown handle has no effect.
pub(crate) fn remove(handle: u32) {
    GATES.with_borrow_mut(|gates| gates.open.retain(|(of, _)| *of != handle));
}
