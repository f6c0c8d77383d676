//! What a token must have beside being good, and the numbers that instances
//! give it.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Weak},
};

use crate::{
    instance::Instance,
    problem::{Problem, Trap},
};

/// As many as an instance remembers, and some for those that it forgets later
/// than this host: 1,024 are remembered there.
const REMEMBERED: usize = 1000;

/// What a token must have for [`Gate::check_token`](crate::Gate::check_token):
/// see [`Gate::prepare`](crate::Gate::prepare). Cheap to clone. Another gate's
/// requirement admits nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Requirement {
    gate: u64,
    /// JSON; none asks nothing more than a good token.
    text: Option<Arc<[u8]>>,
}

impl Requirement {
    /// Nothing more than a good token of one of the policy's issuers.
    pub const NONE: Self = Self {
        gate: 0,
        text: None,
    };

    pub(crate) fn new(gate: u64, text: Arc<[u8]>) -> Self {
        Self {
            gate,
            text: Some(text),
        }
    }

    pub(crate) fn is_of(&self, gate: u64) -> bool {
        self.text.is_none() || self.gate == gate
    }

    pub(crate) fn text(&self) -> Option<&Arc<[u8]>> {
        self.text.as_ref()
    }
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requirement").finish_non_exhaustive()
    }
}

/// The requirements of one gate that somebody still has.
#[derive(Default)]
pub(crate) struct InUse(Vec<Weak<[u8]>>);

impl InUse {
    pub(crate) fn add(&mut self, text: &Arc<[u8]>) {
        // The dead ones go before the list would grow, and at no other time.
        if self.0.len() == self.0.capacity() {
            self.0.retain(|text| text.strong_count() > 0);
        }
        self.0.push(Arc::downgrade(text));
    }

    pub(crate) fn all(&self) -> Vec<Arc<[u8]>> {
        self.0.iter().filter_map(Weak::upgrade).collect()
    }
}

/// What one instance calls the requirements used last. The instance forgets
/// those least used too, later than this: a number found here is good.
#[derive(Default)]
pub(crate) struct Numbers {
    known: HashMap<Arc<[u8]>, Known>,
    uses: u64,
}

struct Known {
    number: u32,
    last_use: u64,
}

impl Numbers {
    /// Its number in this instance, which parses it if it has to. The inner
    /// error has every problem of it.
    pub(crate) fn number(
        &mut self,
        instance: &mut Instance,
        text: &Arc<[u8]>,
    ) -> Result<Result<u32, Vec<Problem>>, Trap> {
        self.uses += 1;
        if let Some(known) = self.known.get_mut(text) {
            known.last_use = self.uses;
            return Ok(Ok(known.number));
        }
        let number = match instance.prepare(text)? {
            Ok(number) => number,
            Err(problems) => return Ok(Err(problems)),
        };
        if self.known.len() == REMEMBERED {
            let least_used = self.known.iter().min_by_key(|(_, known)| known.last_use);
            if let Some(text) = least_used.map(|(text, _)| text.clone()) {
                self.known.remove(&text);
            }
        }
        let last_use = self.uses;
        self.known.insert(text.clone(), Known { number, last_use });
        Ok(Ok(number))
    }
}
