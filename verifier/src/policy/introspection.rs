//! Parses `introspection`: where an authorization server is asked about opaque
//! tokens, and about which.

use alloc::{boxed::Box, format, string::String, vec::Vec};

use countersign_kernel::bytes::base64url;

use super::{
    codes::Code::*, grammar, keys, reader::Node, report::Read, secrets::secret, suggest::quoted,
};
use crate::{
    base::uri::push_form,
    model::{ByPrefix, Introspection, Signed},
};

/// Maximum number of prefixes: each token is compared with all of them.
const PREFIXES: usize = 16;
const CACHE_MAX_S: u32 = 3600;
const RATE_MAX: u32 = 10_000;

pub(super) fn introspection(
    node: Node<'_, '_>,
    by_prefix: &mut ByPrefix,
    index: usize,
) -> Introspection {
    // A problem is reported, and then no policy is made. The issuer's keys are no
    // further problem.
    let Ok(mut fields) = node.fields() else {
        return Introspection {
            signed: Signed::Accepted,
            ..Introspection::default()
        };
    };
    let insecure = fields.or("insecure_http", false, keys::insecure_http);
    let seconds = |node: Node<'_, '_>| node.integer(0..=CACHE_MAX_S);
    let ms = |seconds: u32| u64::from(seconds).saturating_mul(1000);
    let client = fields.required("client", client);
    let introspection = Introspection {
        uri: fields.required("uri", |node| keys::address(node, insecure)),
        client_id: client.id,
        authorization: client.authorization,
        body_end: client.body_end,
        cache_ms: ms(fields.or("cache_s", 60, seconds)),
        negative_ms: ms(fields.or("negative_cache_s", 10, seconds)),
        rate_per_s: fields.or("rate_per_s", 50, |node| node.integer(1..=RATE_MAX)),
        signed: fields.node("signed").map_or(Signed::Never, signed),
    };
    let prefixes = fields.node("prefix");
    if let Some(node) = prefixes {
        let _ = node.list(1, PREFIXES, |item| prefix(item, by_prefix, index));
    }
    let opaque = fields.node("opaque");
    let is_opaque = fields.or("opaque", false, Node::flag);
    fields.close();
    if let (Some(node), true) = (opaque, is_opaque)
        && !by_prefix.add_opaque(index)
    {
        node.refuse(Conflict, "one issuer is that of all opaque tokens");
    }
    if prefixes.is_none() && !is_opaque {
        let message = "say which tokens it is asked about: `prefix` is how they begin, `\"opaque\": true` all that are no JWTs";
        node.refuse(FieldMissing, message);
    }
    introspection
}

fn signed(node: Node<'_, '_>) -> Signed {
    let message = "say `required`, or `accepted` where plain answers are good too";
    match node.either(["accepted", "required"], message) {
        Ok(true) => Signed::Required,
        _ => Signed::Accepted,
    }
}

fn prefix(node: Node<'_, '_>, by_prefix: &mut ByPrefix, index: usize) -> Read<()> {
    let text = node.word(grammar::prefix)?;
    by_prefix.add(text, index).map_err(|known| {
        let message = format!(
            "one is the beginning of the other: this and {}",
            quoted(known)
        );
        node.refuse(Conflict, message)
    })
}

/// How the client authenticates.
#[derive(Default)]
struct Client {
    id: Box<str>,
    authorization: Box<str>,
    body_end: Box<str>,
}

fn client(node: Node<'_, '_>) -> Read<Client> {
    let mut fields = node.fields()?;
    let id = fields.required("id", |node| node.word(grammar::text));
    let secret = secret(node, &mut fields, "secret", |node| {
        let text = node.word(grammar::text)?;
        Ok(Vec::from(text.as_bytes()))
    });
    let in_body = fields.or("method", false, |node| {
        let message = "say `basic`, or `post` where the server wants them in the body";
        node.either(["basic", "post"], message)
    });
    fields.close();
    let secret = secret?;
    let mut body_end = String::from("&token_type_hint=access_token");
    let mut authorization = String::new();
    if in_body {
        body_end.push_str("&client_id=");
        push_form(&mut body_end, id.as_bytes());
        body_end.push_str("&client_secret=");
        push_form(&mut body_end, &secret);
    } else {
        // RFC 6749 §2.3.1: each is form-encoded first.
        let mut pair = String::new();
        push_form(&mut pair, id.as_bytes());
        pair.push(':');
        push_form(&mut pair, &secret);
        authorization.push_str("Basic ");
        authorization.push_str(&base64(pair.as_bytes()));
    }
    Ok(Client {
        id: id.into(),
        authorization: authorization.into(),
        body_end: body_end.into(),
    })
}

/// Encodes in base64 with padding (RFC 4648 §4).
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for character in base64url::encode(bytes).chars() {
        text.push(match character {
            '-' => '+',
            '_' => '/',
            other => other,
        });
    }
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}
