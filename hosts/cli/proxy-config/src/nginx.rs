//! nginx with `auth_request`. NOT COMPLETE YET.

use crate::{facts::Facts, options::Options, problem::Problems};

pub(crate) fn write(facts: &Facts, _: &Options, _: &mut Problems) -> String {
    let names = facts.changed_headers();
    names
        .iter()
        .map(|named| format!("# {} ({})\n", named.name, named.pointer))
        .collect()
}
