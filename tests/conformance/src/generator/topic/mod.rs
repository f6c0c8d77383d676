//! The topics. Each has one file of vectors.

mod prelude;

mod algorithms;
mod answers;
mod api_key_documents;
mod api_keys;
mod audience;
mod challenges;
mod claims;
mod client_certificate;
mod conditions;
mod credentials;
mod curves;
mod digest;
mod discovery;
mod documents;
mod dpop;
mod dpop_requests;
mod dpop_time;
mod events;
mod form;
mod forwarding;
mod header;
mod issuers;
mod jwk;
mod key_sources;
mod keys;
mod lifecycle;
mod memory;
mod native;
mod opaque;
mod opaque_signed;
mod opaque_times;
mod order;
mod order_claims;
mod order_rules;
mod origin;
mod pem;
mod places;
mod policies;
mod principals;
mod pss;
mod readiness;
mod request_values;
mod requirements;
mod revocations;
mod rotation;
mod rules;
mod scopes;
mod seams;
mod sender;
mod services;
mod several;
mod sign_in;
mod signatures;
mod signed_policies;
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
        opaque::vectors(),
        opaque_times::vectors(),
        opaque_signed::vectors(),
        principals::vectors(),
        revocations::vectors(),
        api_keys::vectors(),
        api_key_documents::vectors(),
        sender::vectors(),
        client_certificate::vectors(),
        dpop::vectors(),
        dpop_requests::vectors(),
        dpop_time::vectors(),
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
        native::vectors(),
        order::vectors(),
        order_claims::vectors(),
        order_rules::vectors(),
        policies::vectors(),
    ]
}

pub(super) fn operation() -> Vec<Topic> {
    vec![
        events::vectors(),
        digest::vectors(),
        readiness::vectors(),
        signed_policies::vectors(),
    ]
}
