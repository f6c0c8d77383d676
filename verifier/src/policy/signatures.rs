//! Parses `signatures` and `fips`: who verifies signatures.

use alloc::format;

use super::{codes::Code::*, fields::Fields, opener::Opener, reader::Node};
use crate::model::{Issuer, Kind};

/// Parses both fields. Returns whether the policy demands the host's own
/// cryptography.
pub(super) fn demanded(fields: &mut Fields<'_, '_>, opener: Opener<'_>) -> bool {
    let (signatures, fips) = (fields.node("signatures"), fields.node("fips"));
    let native = fields.optional("signatures", |node| {
        let message =
            "say `module`, for this gate's own code, or `native`, for the host's own cryptography";
        node.either(["module", "native"], message)
    });
    let is_fips = fields.or("fips", false, Node::flag);
    if let (Some(node), true, Some(false) | None) = (fips, is_fips, native) {
        node.refuse(
            Conflict,
            "only the host's own cryptography can be validated: `fips` needs `\"signatures\": \"native\"`",
        );
    }
    if let (Some(node), Some(native)) = (signatures, native) {
        let has_own = opener.native().is_some();
        let message = match (opener, native) {
            (Opener::Host(_), true) if !has_own => {
                "this host verifies signatures in the module: set its option `signatures` to `native`, \
                 if it has cryptography of its own"
            }
            (Opener::Host(_), false) if has_own => {
                "this host's option `signatures` is `native`: remove it, or this field"
            }
            _ => "",
        };
        if !message.is_empty() {
            node.refuse(SignaturesUnavailable, message);
        }
    }
    if let (Some(node), true, Some(true), Some(host)) = (fips, is_fips, native, opener.native())
        && !host.fips
    {
        let message = "this host's cryptography is not a validated module, or not in its validated mode (FIPS 140-3)";
        node.refuse(SignaturesUnavailable, message);
    }
    native == Some(true)
}

/// Refuses API keys where the policy demands validated cryptography.
pub(super) fn check_api_keys(fields: &mut Fields<'_, '_>, issuers: &[Issuer]) {
    let Some(node) = fields.node("fips") else {
        return;
    };
    for issuer in issuers {
        if let (Kind::ApiKeys(_), Ok(true)) = (&issuer.kind, node.flag()) {
            let message = format!(
                "the gate's own code hashes API keys, and it is not validated: `fips` cannot stand beside issuer `{}`",
                issuer.name
            );
            node.refuse(Conflict, message);
        }
    }
}

/// Refuses algorithms that the host cannot verify, if the policy demands that
/// it does.
pub(super) fn check_algorithms(node: Node<'_, '_>, issuers: &[Issuer], opener: Opener<'_>) {
    let Some(host) = opener.native() else {
        return;
    };
    for issuer in issuers {
        for algorithm in &issuer.algorithms {
            if !host.algorithms.contains(algorithm) {
                let message = format!(
                    "the host's own cryptography does not verify {}, which issuer `{}` has",
                    algorithm.as_str(),
                    issuer.name
                );
                node.refuse(SignaturesUnavailable, message);
            }
        }
    }
}
