//! Parses secrets: inline, or by a name for which the host has the bytes.

use alloc::{format, vec::Vec};

use super::{
    codes::Code::*, fields::Fields, grammar, opener::Opener, reader::Node, report::Read,
    suggest::quoted,
};

/// Parses the secret of an object: its member `name`, as `inline` reads it, or
/// `secret_from`. A linter knows no secrets: it gets the name, filled up with
/// zeros, so that two of them differ.
pub(super) fn secret<'p>(
    node: Node<'_, 'p>,
    fields: &mut Fields<'_, 'p>,
    name: &'static str,
    inline: impl FnOnce(Node<'_, 'p>) -> Read<Vec<u8>>,
) -> Read<Vec<u8>> {
    match (fields.node(name), fields.node("secret_from")) {
        (Some(inside), None) => {
            let secret = inline(inside)?;
            let message = "everybody who reads the policy knows this secret: name it by `secret_from`, and give it to the host";
            inside.warn(InlineSecret, message);
            Ok(secret)
        }
        (None, Some(from)) => named(from),
        (found, _) => {
            let code = if found.is_some() {
                Conflict
            } else {
                FieldMissing
            };
            let message =
                format!("a secret is `{name}` or `secret_from`, the name of one that the host has");
            Err(node.refuse(code, message))
        }
    }
}

/// Parses `secret_from`.
pub(super) fn named(node: Node<'_, '_>) -> Read<Vec<u8>> {
    let name = node.word(grammar::name)?;
    let Opener::Host(host) = node.opener() else {
        let mut placeholder = Vec::from(name);
        placeholder.resize(name.len().max(64), 0);
        return Ok(placeholder);
    };
    let found = host.secrets.iter().find(|(known, _)| *known == name);
    match found {
        Some((_, secret)) if !secret.is_empty() => Ok(Vec::from(*secret)),
        Some(_) => Err(node.refuse(SecretMissing, "the host's secret of this name is empty")),
        None => {
            let message = format!("the host has no secret named {}", quoted(name));
            Err(node.refuse(SecretMissing, message))
        }
    }
}
