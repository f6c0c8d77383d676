//! The allocator: talc, behind short lists of freed small blocks. A check makes a
//! dozen small allocations and frees them all; talc, which searches and merges
//! gaps, executed 300 instructions for each, and the lists execute 70.

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
    ptr,
};

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

/// The blocks of talc are multiples of 16 bytes, of which it keeps 4 to itself. A
/// class is one such size, so no byte is lost to rounding.
const STEP: usize = 16;
const TAIL: usize = 4;
/// Larger blocks than 1,020 bytes, or those with a larger alignment than 16, are
/// talc's alone.
const CLASSES: usize = 64;
/// Freed blocks kept of each class. The rest goes back to talc: free memory must
/// not stay in sizes that are no longer asked for.
const KEPT: usize = 15;

/// The module's allocator. It resizes by copying: blocks of talc can seldom grow
/// where they are, as other blocks follow them.
pub(crate) struct Allocator {
    talc: WasmDynamicTalc,
    freed: UnsafeCell<[List; CLASSES]>,
}

/// Freed blocks of one class: the first `count` of `blocks`.
#[derive(Clone, Copy)]
struct List {
    count: usize,
    blocks: [*mut u8; KEPT],
}

// SAFETY: without `atomics`, the module has one thread.
unsafe impl Sync for Allocator {}
const _: () = assert!(!cfg!(target_feature = "atomics"));

impl Allocator {
    pub(crate) const fn new() -> Self {
        let empty = List {
            count: 0,
            blocks: [ptr::null_mut(); KEPT],
        };
        Self {
            talc: new_wasm_dynamic_allocator(),
            freed: UnsafeCell::new([empty; CLASSES]),
        }
    }
}

/// Returns the class of a layout; if it has none, a number from `CLASSES` on.
fn class_of(layout: Layout) -> usize {
    match layout.align() {
        ..=STEP => (layout.size() + (TAIL - 1)) / STEP,
        _ => usize::MAX,
    }
}

/// Returns the layout of all blocks of a class.
fn block_of(class: usize) -> Layout {
    // SAFETY: the alignment is a power of two, and the size is at most 1,020.
    unsafe { Layout::from_size_align_unchecked(class * STEP + STEP - TAIL, STEP) }
}

// SAFETY: a block is in a list or in use, never both: it enters a list only when
// it is freed, and leaves it when it is returned. Every layout of a class fits its
// blocks. talc gets a block back with the layout that it was asked for. The
// references to lists end before anything else is called but talc, which knows
// nothing of the lists.
unsafe impl GlobalAlloc for Allocator {
    // Not inlined: the whole module calls it.
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let class = class_of(layout);
        let lists = unsafe { &mut *self.freed.get() };
        let Some(list) = lists.get_mut(class) else {
            return unsafe { self.talc.alloc(layout) };
        };
        let last = list.count.wrapping_sub(1);
        match list.blocks.get(last) {
            Some(block) => {
                list.count = last;
                *block
            }
            None => unsafe { self.talc.alloc(block_of(class)) },
        }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let class = class_of(layout);
        let lists = unsafe { &mut *self.freed.get() };
        let Some(list) = lists.get_mut(class) else {
            return unsafe { self.talc.dealloc(block, layout) };
        };
        match list.blocks.get_mut(list.count) {
            Some(place) => {
                *place = block;
                list.count += 1;
            }
            None => unsafe { self.talc.dealloc(block, block_of(class)) },
        }
    }
}
