//! Arguments that several commands share.

mod documents;
mod host;
mod policy;
mod subject;
mod token;

use clap::Args;

use crate::moment;

pub(crate) use documents::DocumentArgs;
pub(crate) use host::{Host, HostArgs};
pub(crate) use policy::PolicyArgs;
pub(crate) use subject::SubjectArgs;
pub(crate) use token::{TokenArgs, looks_like_a_token};

/// The moment of the decision.
#[derive(Args, Debug)]
pub(crate) struct Now {
    /// Decide as of this moment: 2026-11-21T09:30:00Z, or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    now: Option<u64>,
}

impl Now {
    /// The given moment, or now; milliseconds since 1970.
    pub(crate) fn ms(&self) -> u64 {
        self.now.unwrap_or_else(moment::now_ms)
    }
}
