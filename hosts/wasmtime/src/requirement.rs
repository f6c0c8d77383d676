//! Requirements on valid tokens, and the numbers that instances give them.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Weak},
};

use crate::{
    instance::Instance,
    problem::{Problem, Trap},
};

/// Fewer than the 1,024 that an instance remembers, so that this host forgets a
/// number before the instance does.
const REMEMBERED: usize = 1000;

/// The requirement on a token for [`Gate::check_token`](crate::Gate::check_token):
/// see [`Gate::prepare`](crate::Gate::prepare). Cheap to clone. Another gate's
/// requirement admits no token.
#[derive(Clone, PartialEq, Eq)]
pub struct Requirement {
    gate: u64,
    /// JSON; `None`: a valid token is enough.
    text: Option<Arc<[u8]>>,
}

impl Requirement {
    /// A valid token of one of the policy's issuers is enough.
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

/// The requirements of one gate that are still in use.
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

/// The numbers that one instance has given to the requirements used last. The
/// instance forgets the least used later than this, so a number here is valid.
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
    /// The number of a requirement in this instance, which parses it on first use.
    /// The inner error has every problem of it.
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
