//! The topics: one file of vectors each.

mod prelude;

mod answers;
mod audience;
mod claims;
mod conditions;
mod credentials;
mod discovery;
mod documents;
mod form;
mod forwarding;
mod header;
mod issuers;
mod keys;
mod lifecycle;
mod memory;
mod order;
mod origin;
mod policies;
mod principals;
mod requirements;
mod revocations;
mod rules;
mod target;
mod time;
mod types;

use crate::vector::Topic;

pub(super) fn all() -> Vec<Topic> {
    vec![
        target::vectors(),
        rules::vectors(),
        credentials::vectors(),
        origin::vectors(),
        form::vectors(),
        header::vectors(),
        issuers::vectors(),
        keys::vectors(),
        claims::vectors(),
        audience::vectors(),
        time::vectors(),
        types::vectors(),
        conditions::vectors(),
        principals::vectors(),
        revocations::vectors(),
        requirements::vectors(),
        answers::vectors(),
        forwarding::vectors(),
        documents::vectors(),
        lifecycle::vectors(),
        discovery::vectors(),
        memory::vectors(),
        order::vectors(),
        policies::vectors(),
    ]
}
