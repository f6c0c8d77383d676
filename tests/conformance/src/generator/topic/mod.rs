//! The topics. Each has one file of vectors.

mod prelude;

mod algorithms;
mod answers;
mod audience;
mod challenges;
mod claims;
mod conditions;
mod credentials;
mod curves;
mod discovery;
mod documents;
mod form;
mod forwarding;
mod header;
mod issuers;
mod jwk;
mod key_sources;
mod keys;
mod lifecycle;
mod memory;
mod order;
mod order_claims;
mod order_rules;
mod origin;
mod pem;
mod places;
mod policies;
mod principals;
mod pss;
mod request_values;
mod requirements;
mod revocations;
mod rotation;
mod rules;
mod scopes;
mod seams;
mod services;
mod several;
mod sign_in;
mod signatures;
mod slashes;
mod sources;
mod target;
mod templates;
mod time;
mod types;

use crate::vector::Topic;

pub(super) fn all() -> Vec<Topic> {
    vec![
        target::vectors(),
        seams::vectors(),
        rules::vectors(),
        slashes::vectors(),
        credentials::vectors(),
        origin::vectors(),
        places::vectors(),
        several::vectors(),
        services::vectors(),
        form::vectors(),
        header::vectors(),
        issuers::vectors(),
        templates::vectors(),
        algorithms::vectors(),
        keys::vectors(),
        key_sources::vectors(),
        signatures::vectors(),
        pss::vectors(),
        curves::vectors(),
        claims::vectors(),
        sources::vectors(),
        audience::vectors(),
        time::vectors(),
        types::vectors(),
        conditions::vectors(),
        principals::vectors(),
        revocations::vectors(),
        requirements::vectors(),
        request_values::vectors(),
        scopes::vectors(),
        sign_in::vectors(),
        answers::vectors(),
        challenges::vectors(),
        forwarding::vectors(),
        documents::vectors(),
        jwk::vectors(),
        pem::vectors(),
        lifecycle::vectors(),
        rotation::vectors(),
        discovery::vectors(),
        memory::vectors(),
        order::vectors(),
        order_claims::vectors(),
        order_rules::vectors(),
        policies::vectors(),
    ]
}
