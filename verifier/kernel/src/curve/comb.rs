//! Sums of scalar products by signed combs: precomputed tables of a point's multiples.
//!
//! The signs of a scalar (`recode.rs`) are read in columns. Each table has an
//! entry for every column: `+-B0 +-B1 .. + Blast` over the bases
//! `2^(spacing * block) P` of its blocks. A product then takes `spacing` rounds
//! of one doubling and one addition for each of two tables, and several products
//! share the doublings. A key has 5 teeth, so two tables of 16 entries (26
//! columns for 256 bits, 52 additions); a generator has more teeth and fewer
//! columns.

use super::recode::{Columns, Signs};
use crate::expected::expected;
use alloc::vec::Vec;

/// Teeth of a key's tables.
pub(super) const KEY_TEETH: usize = 5;

/// A point in the coordinates in which points are added.
pub(super) trait Group: Copy {
    /// A point as it is stored in tables.
    type Entry: Copy;

    /// The point, or its negative where `mask` is -1.
    fn from_entry(entry: &Self::Entry, mask: i32) -> Self;
    fn double(&self) -> Self;
    /// `self + entry`, for all points; `entry` negated where `mask` is -1.
    fn add(&self, entry: &Self::Entry, mask: i32) -> Self;
    /// The points as entries, with one inversion. None may be the neutral element.
    fn to_entries(points: &[Self]) -> Vec<Self::Entry>;
}

/// Two tables, one after the other, of `2^(teeth - 1)` entries each.
pub(super) struct Comb<E> {
    entries: Vec<E>,
    teeth: usize,
    spacing: usize,
}

/// The sum of the products, with the given addition.
#[inline(never)]
pub(super) fn sum<G: Group>(
    products: [(&Comb<G::Entry>, &Signs); 2],
    add: fn(&G, &G::Entry, i32) -> G,
) -> Option<G> {
    let products = products.map(|(comb, signs)| (comb, signs.columns(comb.teeth, comb.spacing)));
    let rounds = products.iter().map(|(comb, _)| comb.spacing).max();
    let mut sum: Option<G> = None;
    for j in (0..expected(rounds)?).rev() {
        sum = sum.map(|sum| sum.double());
        for (comb, columns) in &products {
            for table in 0..2 {
                if let Some((entry, mask)) = comb.entry(columns, table, j) {
                    sum = Some(match sum {
                        None => G::from_entry(entry, mask),
                        Some(sum) => add(&sum, entry, mask),
                    });
                }
            }
        }
    }
    sum
}

impl<E: Copy> Comb<E> {
    /// The tables of `point` for scalars of so many bits.
    #[inline(never)]
    pub(super) fn new<G: Group<Entry = E>>(point: &E, bits: usize, teeth: usize) -> Self {
        let spacing = bits.div_ceil(2 * teeth);
        let bases = bases::<G>(point, 2 * teeth, spacing);
        let mut entries = Vec::with_capacity(1 << teeth);
        for blocks in bases.chunks(2 * teeth) {
            push_table::<G>(blocks, &mut entries);
        }
        let entries = G::to_entries(&entries);
        Self {
            entries,
            teeth,
            spacing,
        }
    }

    /// The entry for column `j` of a table, and -1 if it is to be negated, else 0. `None` after
    /// the last column.
    #[inline(always)]
    fn entry(&self, columns: &Columns, table: usize, j: usize) -> Option<(&E, i32)> {
        if j >= self.spacing {
            return None;
        }
        let (at, mask) = expected(columns.entry(table, j))?;
        Some((expected(self.entries.get(at))?, mask))
    }
}

/// `2^(spacing * block) P` for each block, each followed by its double.
fn bases<G: Group>(point: &G::Entry, blocks: usize, spacing: usize) -> Vec<G::Entry> {
    let mut bases = Vec::with_capacity(2 * blocks);
    let mut next = G::from_entry(point, 0);
    for _ in 0..blocks {
        bases.push(next);
        next = next.double();
        bases.push(next);
        for _ in 1..spacing {
            next = next.double();
        }
    }
    G::to_entries(&bases)
}

/// One table over blocks given as pairs, a base and its double: the last is
/// plus, the others go by the bits of the entry's number. First minus all of
/// them, then twice those that are plus.
#[inline(never)]
fn push_table<G: Group>(blocks: &[G::Entry], entries: &mut Vec<G>) {
    let Some(([last, _], pairs)) = expected(blocks.as_chunks().0.split_last()) else {
        return;
    };
    let start = entries.len();
    let mut lowest = G::from_entry(last, 0);
    for [base, _] in pairs {
        lowest = lowest.add(base, -1);
    }
    entries.push(lowest);
    for [_, double] in pairs {
        for at in start..entries.len() {
            if let Some(entry) = expected(entries.get(at)) {
                entries.push(entry.add(double, 0));
            }
        }
    }
}
