//! TEMPORARY: the next API of the verifier over the present one.
use countersign::{Gate, Outcome, Problem};

pub(crate) enum Supplied {
    Accepted {
        skipped: Vec<Problem>,
    },
    Refused(Problem),
    #[allow(dead_code)]
    Unfinished,
    #[allow(dead_code)]
    Outdated,
}

pub(crate) trait Next {
    fn supply_next(
        &mut self,
        source: u32,
        uri: &str,
        outcome: Outcome<'_>,
        now_ms: u64,
    ) -> Supplied;
    fn resume(&mut self, source: u32, now_ms: u64) -> Supplied;
    fn next_due_in(&self, now_ms: u64) -> Option<u64>;
}

impl Next for Gate {
    fn supply_next(&mut self, source: u32, _: &str, outcome: Outcome<'_>, now_ms: u64) -> Supplied {
        match self.supply(source, outcome, now_ms) {
            Ok(supplied) => Supplied::Accepted {
                skipped: supplied.skipped,
            },
            Err(problem) => Supplied::Refused(problem),
        }
    }
    fn resume(&mut self, _: u32, _: u64) -> Supplied {
        Supplied::Outdated
    }
    fn next_due_in(&self, now_ms: u64) -> Option<u64> {
        self.next_due().map(|at| at.saturating_sub(now_ms))
    }
}
