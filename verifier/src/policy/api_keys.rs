//! Parses `api_keys`.

use alloc::{boxed::Box, format, string::String, sync::Arc, vec::Vec};

use countersign_kernel::bytes::base64url;

use super::{
    codes::Code::*,
    fields::Fields,
    grammar,
    headers::FRAMING,
    keys,
    opener::Opener,
    reader::{Node, Unique},
    report::Read,
    secrets::secret,
    suggest::quoted,
};
use crate::{
    json::push_value,
    model::{ApiKeys, ByPrefix, HashForm, Pepper, entry_id},
};

/// Prefixes of one issuer.
const PREFIXES: usize = 8;
/// Peppers of one issuer: each key is hashed by all of them.
const PEPPERS: usize = 4;
/// Minimum bytes of a pepper.
const PEPPER_BYTES: usize = 16;
/// Keys of a document in the policy.
const INLINE: usize = 1_000;
/// Bytes of one of them, and its nesting.
const INLINE_BYTES: usize = 8 * 1024;
const INLINE_DEPTH: usize = 12;
/// Headers of the fetch.
const HEADERS: usize = 8;
/// The defaults of `refresh_s` and `max_stale_s`.
const REFRESH_S: u32 = 30;
const MAX_STALE_S: u32 = 3_600;

pub(super) fn api_keys(
    node: Node<'_, '_>,
    by_prefix: &mut ByPrefix,
    index: usize,
) -> Read<ApiKeys> {
    let mut fields = node.fields()?;
    let (uri, inline) = (fields.node("uri"), fields.node("inline"));
    let prefixes = fields.required("prefix", |node| {
        let read = |item| prefix(item, by_prefix, index);
        node.list(1, PREFIXES, read)
    });
    let peppers = fields.required("pepper", |node| {
        let mut unique = Unique::default();
        node.list(1, PEPPERS, |item| pepper(item, &mut unique))
    });
    let forms = fields.or("forms", Vec::from([HashForm::Hmac]), |node| {
        let mut unique = Unique::default();
        node.list(1, HashForm::WORDS.len(), |item| form(item, &mut unique))
    });
    let checksum = fields.or("checksum", true, Node::flag);
    for name in ["refresh_s", "max_stale_s", "headers", "insecure_http"] {
        if let (Some(node), None) = (fields.node(name), uri) {
            node.refuse(
                Conflict,
                "this is for a document that is fetched from a `uri`",
            );
        }
    }
    let refresh_s = fields.or("refresh_s", REFRESH_S, |node| node.integer(5..=86_400));
    let stale_node = fields.node("max_stale_s");
    let default_s = MAX_STALE_S.max(refresh_s.saturating_mul(2));
    let max_stale_s = fields.or("max_stale_s", default_s, |node| node.integer(60..=604_800));
    if let (Some(node), true) = (stale_node, max_stale_s <= refresh_s) {
        let message =
            "it is refreshed only every `refresh_s`: `max_stale_s` must be more than that";
        node.refuse(Conflict, message);
    }
    let insecure = fields.or("insecure_http", false, keys::insecure_http);
    let headers = fields.or("headers", Arc::default(), headers);
    fields.close();
    let mut keys = ApiKeys {
        uri: None,
        inline: Vec::new(),
        prefixes,
        peppers,
        forms,
        checksum,
        refresh_ms: u64::from(refresh_s).saturating_mul(1000),
        max_stale_ms: u64::from(max_stale_s).saturating_mul(1000),
        headers,
    };
    match (uri, inline) {
        (Some(uri), None) => keys.uri = Some(keys::address(uri, insecure)?),
        (None, Some(inline)) => keys.inline = document(inline, &keys)?,
        (found, _) => {
            let code = if found.is_some() {
                Conflict
            } else {
                FieldMissing
            };
            return Err(node.refuse(code, "the document of API keys is at a `uri`, or `inline`"));
        }
    }
    Ok(keys)
}

fn prefix(node: Node<'_, '_>, by_prefix: &mut ByPrefix, index: usize) -> Read<Box<str>> {
    let prefix = node.text()?;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !(3..=32).contains(&prefix.len()) || !prefix.bytes().all(legal) {
        let message = "a prefix is 3 to 32 letters, digits, `-` and `_`, such as `sk_live_`";
        return Err(node.refuse(ValueInvalid, message));
    }
    if begins_jwt(prefix) {
        let message = "a JWT can begin so too: choose a prefix such as `sk_live_`";
        return Err(node.refuse(ValueInvalid, message));
    }
    match by_prefix.add(prefix, index) {
        Ok(()) => Ok(prefix.into()),
        Err(known) => {
            let message = format!(
                "each credential begins as those of one issuer: {} is a prefix already",
                quoted(known)
            );
            Err(node.refuse(Conflict, message))
        }
    }
}

/// Returns whether base64url of a JSON object, with or without white space before
/// it, can begin so.
fn begins_jwt(prefix: &str) -> bool {
    let start: String = prefix.chars().take(2).chain("AA".chars()).collect();
    let first = base64url::decode(start.as_bytes()).and_then(|bytes| bytes.first().copied());
    matches!(first, Some(b'{' | b' ' | b'\t' | b'\n' | b'\r'))
}

fn form(node: Node<'_, '_>, unique: &mut Unique) -> Read<HashForm> {
    let message = "a form is `hmac-sha256`, or `sha256` as existing systems store it";
    let is_second = node.either(HashForm::WORDS, message)?;
    unique.add(node, node.text()?, "this list")?;
    Ok(HashForm::of(is_second))
}

fn pepper(node: Node<'_, '_>, unique: &mut Unique) -> Read<Pepper> {
    let mut fields = node.fields()?;
    let version = fields.required("version", |node| {
        let version = node.word(grammar::name)?;
        unique.add(node, version, "the versions of `pepper`")?;
        Ok(Box::from(version))
    });
    let secret = secret_text(node, &mut fields);
    fields.close();
    let secret = secret?;
    if secret.len() < PEPPER_BYTES {
        let message =
            format!("a pepper has at least {PEPPER_BYTES} bytes; make it of 32 random ones");
        return Err(node.refuse(ValueInvalid, message));
    }
    Ok(Pepper { version, secret })
}

/// Parses a secret whose bytes are its text.
fn secret_text<'p>(node: Node<'_, 'p>, fields: &mut Fields<'_, 'p>) -> Read<Vec<u8>> {
    secret(node, fields, "secret", |node| {
        Ok(Vec::from(node.word(grammar::text)?.as_bytes()))
    })
}

/// Names and values.
type Headers = Arc<[(Box<str>, Box<str>)]>;

/// The headers of a fetch: `{ "authorization": { "secret_from": "NAME" } }`.
fn headers(node: Node<'_, '_>) -> Read<Headers> {
    if node.object()?.iter().len() > HEADERS {
        return Err(node.refuse(TooMany, format!("at most {HEADERS} headers are sent")));
    }
    let mut unique = Unique::default();
    let headers = node.members(|name, value| {
        if let Err(sentence) = grammar::header(name) {
            return Err(value.refuse(ValueInvalid, sentence));
        }
        let name = name.to_ascii_lowercase();
        if FRAMING.contains(&&*name) {
            return Err(value.refuse(ValueInvalid, "this header frames the message (RFC 9112)"));
        }
        unique.add(value, &name, "`headers`, where case does not count")?;
        let mut fields = value.fields()?;
        let secret = secret_text(value, &mut fields);
        let is_named = fields.node("secret_from").is_some();
        fields.close();
        let secret = secret?;
        let is_plain = secret.iter().all(|byte| matches!(byte, b' '..=b'~'));
        match String::from_utf8(secret) {
            Ok(text) if is_plain && text.trim().len() == text.len() => {
                Ok((name.into(), text.into()))
            }
            // A linter does not know it.
            _ if is_named && matches!(value.opener(), Opener::Nobody) => {
                Ok((name.into(), Box::default()))
            }
            _ => {
                let message = "the value of a header is visible ASCII without blanks round it";
                Err(value.refuse(ValueInvalid, message))
            }
        }
    })?;
    Ok(headers.into())
}

/// Reads the document of a policy, whose entries must all be good, and writes it
/// as it would be fetched.
fn document(node: Node<'_, '_>, keys: &ApiKeys) -> Read<Vec<u8>> {
    let mut fields = node.fields()?;
    let mut document = Vec::from(b"{\"keys\":[");
    let (mut ids, mut hashes) = (Unique::default(), Unique::default());
    let entries = fields.node("keys");
    fields.close();
    let Some(entries) = entries else {
        return Err(node.refuse(FieldMissing, "`keys` is missing here"));
    };
    entries.array(0, INLINE)?;
    let mut read = Ok(());
    entries.each(&mut |item| {
        let added = entry(item, keys, &mut document, &mut ids, &mut hashes);
        read = read.and(added);
    });
    read?;
    document.extend_from_slice(b"]}");
    Ok(document)
}

fn entry(
    node: Node<'_, '_>,
    keys: &ApiKeys,
    document: &mut Vec<u8>,
    ids: &mut Unique,
    hashes: &mut Unique,
) -> Read<()> {
    let object = node.object()?;
    let Some(id) = entry_id(object) else {
        let message = "an `id` has 1 to 128 letters, digits, `-`, `.` and `_`";
        return Err(node.refuse(KeyUnusable, message));
    };
    ids.add(node, id, "the ids of `keys`")?;
    let read = keys.entry(object).map_err(|why| {
        let message = format!("this key cannot be used: {why}");
        node.refuse(KeyUnusable, message)
    })?;
    let hash = base64url::encode(&read.digest);
    if hashes.contains(&hash) {
        return Err(node.refuse(Duplicate, "its `hash` is that of another key"));
    }
    hashes.add(node, &hash, "the hashes of `keys`")?;
    let start = document.len();
    if !document.ends_with(b"[") {
        document.push(b',');
    }
    let written = push_value(document, node.value(), INLINE_DEPTH);
    let length = document.len().saturating_sub(start);
    if written.is_none() || length > INLINE_BYTES {
        let message = "a key in a policy has whole numbers, at most 8 KiB and 12 levels: a document at a `uri` can have more";
        return Err(node.refuse(KeyUnusable, message));
    }
    Ok(())
}
