//! The open gates of this instance, by handle.

use std::cell::RefCell;

use countersign::Gate;

/// Few gates are open at once, so a list in the order of their handles
/// is the whole table; the newest, which is used most, is looked at first.
struct Gates {
    open: Vec<(u32, Gate)>,
    next: u32,
}

thread_local! {
    static GATES: RefCell<Gates> = const { RefCell::new(Gates { open: Vec::new(), next: 1 }) };
}

/// The new gate's handle, or `None` when all 2^32 have been used.
pub(crate) fn insert(gate: Gate) -> Option<u32> {
    GATES.with_borrow_mut(|gates| {
        let handle = gates.next;
        gates.next = handle.checked_add(1)?;
        gates.open.push((handle, gate));
        Some(handle)
    })
}

/// `None` where the handle names no open gate.
pub(crate) fn with<T>(handle: u32, use_it: impl FnOnce(&mut Gate) -> T) -> Option<T> {
    GATES.with_borrow_mut(|gates| {
        gates
            .open
            .iter_mut()
            .rev()
            .find(|(of, _)| *of == handle)
            .map(|(_, gate)| use_it(gate))
    })
}

/// Frees the gate; an unknown handle names nothing to free.
pub(crate) fn remove(handle: u32) {
    GATES.with_borrow_mut(|gates| gates.open.retain(|(of, _)| *of != handle));
}
