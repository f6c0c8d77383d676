//! Everything that changes while requests are decided: the policy, the keys, the mood of
//! the issuer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use countersign_dev_issuer::Issuer as Signing;

use super::{
    Stage,
    tokens::Tokens,
    world::{Key, Known, Variant, World},
};
use crate::server::issuer::Mood;

/// How long a server may take to use what it has fetched.
const GRACE: Duration = Duration::from_secs(5);

/// From one rotation to the next: the gate reads keys again after 48 s or more.
const ROTATION: Duration = Duration::from_secs(100);

/// How many keys the issuer publishes at most.
const PUBLISHED: usize = 2;

/// How many keys that are gone are still tried.
const GONE: usize = 2;

/// What was done.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    pub(super) reloads: u32,
    pub(super) broken: u32,
    pub(super) rotations: u32,
    pub(super) seen: u32,
    pub(super) moods: u32,
}

/// Changes things until `end`.
pub(super) struct Director<'s> {
    pub(super) stage: &'s Stage,
    pub(super) world: Arc<World>,
    pub(super) signing: Signing,
    pub(super) done: Done,
    rotated: Instant,
    read: Option<Instant>,
    settled: bool,
}

impl<'s> Director<'s> {
    pub(super) fn new(stage: &'s Stage, world: Arc<World>, signing: Signing) -> Self {
        let done = Done::default();
        Self {
            stage,
            world,
            signing,
            done,
            rotated: Instant::now(),
            read: None,
            settled: true,
        }
    }

    /// One change every `pause`, and `watch` between them.
    pub(super) fn run(
        &mut self,
        pause: Duration,
        end: &AtomicBool,
        mut watch: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        for step in 0_u32.. {
            let until = Instant::now() + pause;
            while Instant::now() < until {
                if end.load(Ordering::SeqCst) {
                    return Ok(());
                }
                watch()?;
                self.learn();
                thread::sleep(Duration::from_millis(100));
            }
            self.change(step)?;
        }
        Ok(())
    }

    fn change(&mut self, step: u32) -> Result<()> {
        match step % 6 {
            0 | 3 => self.reload()?,
            1 => self.mood([Mood::Failing, Mood::Lying, Mood::Silent][step as usize / 6 % 3]),
            2 => self.break_policy()?,
            4 => self.mood(Mood::Good),
            _ if self.settled && self.rotated.elapsed() > ROTATION.min(self.stage.length / 3) => {
                self.rotate()?
            }
            _ => {}
        }
        Ok(())
    }

    /// Puts the other variant of the policy in force.
    fn reload(&mut self) -> Result<()> {
        let next = match self.world.variant() {
            Variant::Plain => Variant::Strict,
            _ => Variant::Plain,
        };
        self.world.set_variant(Variant::Between);
        self.stage
            .write_policy(&self.stage.policy(next).to_string())?;
        ensure!(self.stage.reload()?, "a good policy was refused");
        self.world.set_variant(next);
        self.done.reloads += 1;
        Ok(())
    }

    /// A policy that is none must change nothing.
    fn break_policy(&mut self) -> Result<()> {
        let good = self.stage.policy(self.world.variant()).to_string();
        self.stage.write_policy(&good[..good.len() / 2])?;
        ensure!(!self.stage.reload()?, "a broken policy was put in force");
        self.stage.write_policy(&good)?;
        self.done.broken += 1;
        Ok(())
    }

    fn mood(&mut self, mood: Mood) {
        self.stage.issuer.publish(|published| published.mood = mood);
        self.done.moods += 1;
    }

    /// A new key signs, and the oldest one is no longer published.
    fn rotate(&mut self) -> Result<()> {
        self.signing.rotate("EdDSA", false)?;
        let mut keys = self.world.keys();
        keys.push(Key::new(Known::Either, Tokens::sign(&self.signing)?));
        if self.signing.keys.len() > PUBLISHED {
            self.signing.keys.remove(0);
        }
        let published = self.signing.keys.len();
        keys.drain(..keys.len().saturating_sub(published + GONE));
        // Before the issuer says it: from then on either may be right.
        let withdrawn = keys.len() - published;
        for key in &keys[..withdrawn] {
            if key.known() == Known::Good {
                self.world.set_known(key, Known::Either);
            }
        }
        self.world.set_keys(keys);
        let jwks = self.signing.jwks();
        self.stage.issuer.publish(|published| published.keys = jwks);
        (self.rotated, self.read, self.settled) = (Instant::now(), None, false);
        self.done.rotations += 1;
        Ok(())
    }

    /// Once the server has read the keys, there is no excuse.
    fn learn(&mut self) {
        if self.settled || !self.stage.issuer.was_read() {
            return;
        }
        if self.read.get_or_insert_with(Instant::now).elapsed() < GRACE {
            return;
        }
        let keys = self.world.keys();
        let withdrawn = keys.len() - self.signing.keys.len();
        for (place, key) in keys.iter().enumerate() {
            let known = if place < withdrawn {
                Known::Gone
            } else {
                Known::Good
            };
            self.world.set_known(key, known);
        }
        self.settled = true;
        self.done.seen += 1;
    }
}
