//! Timing by races: the contestants take turns at the same small piece of work,
//! so that other load on the machine affects all of them.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::figure::{Figure, Unit};

/// A verifier that checks tokens.
pub(crate) trait Contestant {
    /// The name in the table.
    fn name(&self) -> String;

    /// Starts again, without remembered tokens.
    fn open(&mut self) -> Result<()>;

    /// Checks the tokens with these numbers, once each. If it denies a valid
    /// token, this is an error, so that no failed check is timed.
    fn check(&mut self, tokens: Range<usize>) -> Result<()>;
}

/// Whether the contestants have checked the tokens before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tokens {
    /// Every pass starts without remembered tokens, and checks each token once.
    Fresh,
    /// Every token was checked once before the measurement.
    Remembered,
}

/// The number of measurements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) passes: usize,
    /// The number of tokens in a pass.
    pub(crate) tokens: usize,
    /// The number of tokens in a turn, which is timed as a whole.
    pub(crate) turn: usize,
}

/// Returns the times of the contestants, in the same order.
pub(crate) fn race(
    contestants: &mut [&mut dyn Contestant],
    tokens: Tokens,
    plan: Plan,
) -> Result<Vec<Figure>> {
    let mut turns = vec![Vec::new(); contestants.len()];
    let all = 0..plan.tokens;
    for pass in 0..plan.passes {
        if tokens == Tokens::Fresh || pass == 0 {
            for contestant in contestants.iter_mut() {
                let opened = contestant.open();
                opened.with_context(|| format!("{} does not open", contestant.name()))?;
                if tokens == Tokens::Remembered {
                    contestant.check(all.clone())?;
                }
            }
        }
        for (number, start) in all.clone().step_by(plan.turn).enumerate() {
            let turn = start..plan.tokens.min(start + plan.turn);
            // The order changes at every turn.
            for place in 0..contestants.len() {
                let index = (place + number + pass) % contestants.len();
                let contestant = &mut contestants[index];
                let clock = Instant::now();
                let checked = contestant.check(turn.clone());
                turns[index].push(per_token(clock.elapsed(), turn.len()));
                checked.with_context(|| contestant.name())?;
            }
        }
    }
    let timed = contestants.iter().zip(turns);
    Ok(timed
        .map(|(one, turns)| Figure::of(one.name(), Unit::Ns, turns))
        .collect())
}

/// Times an operation that is not a check of tokens.
pub(crate) fn time(
    name: &str,
    repeats: usize,
    mut work: impl FnMut() -> Result<()>,
) -> Result<Figure> {
    let mut turns = Vec::with_capacity(repeats);
    for _ in 0..repeats {
        let clock = Instant::now();
        work().with_context(|| name.to_owned())?;
        turns.push(per_token(clock.elapsed(), 1));
    }
    Ok(Figure::of(name.into(), Unit::Ns, turns))
}

fn per_token(elapsed: Duration, tokens: usize) -> f64 {
    elapsed.as_nanos() as f64 / tokens.max(1) as f64
}
