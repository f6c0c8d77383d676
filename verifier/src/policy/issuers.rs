//! Parses `issuers`.

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    claims::{conditions, one_or_more, pointer},
    codes::*,
    grammar,
    keys::{self, IssuerContext},
    names::Names,
    reader::{Node, Unique, ms},
    report::Read,
    suggest::{quoted, suggestion},
    token_types::token_types,
};
use crate::{
    base::{Limits, Map, limits},
    jose::Algorithm,
    json::{Pointer, Value},
    model::{Audiences, Issuer, ListMapping, Mapping, Revocations, TenantFrom},
};

pub(super) fn issuers<'p>(
    node: Node<'_, 'p>,
    limits: &Limits,
    names: &mut Names<'p>,
) -> Read<Vec<Issuer>> {
    node.array(1, limits::POLICY_ISSUERS)?;
    names.set_complete(true);
    let mut unique = (Unique::default(), Unique::default());
    node.list(1, limits::POLICY_ISSUERS, |item| {
        issuer(item, limits, names, &mut unique)
    })
}

fn issuer<'p>(
    node: Node<'_, 'p>,
    limits: &Limits,
    names: &mut Names<'p>,
    (unique_names, unique_issuers): &mut (Unique, Unique),
) -> Read<Issuer> {
    let mut fields = node.fields().inspect_err(|_| names.set_complete(false))?;
    let name = fields.required("name", |node| {
        let name = node.word(grammar::name)?;
        unique_names.add(node, name, "the names of `issuers`")?;
        Ok(name)
    });
    let id = (!name.is_empty()).then(|| names.add_issuer(name));
    names.set_complete(names.is_complete() && id.is_some());
    let issuer = fields.required("issuer", |node| {
        let issuer = node.word(grammar::text)?;
        unique_issuers.add(node, issuer, "`issuers`, and its tokens could go to either")?;
        Ok(issuer)
    });
    let audiences = fields.required("audiences", audiences);
    let algorithms = fields.required("algorithms", algorithms);
    let context = IssuerContext {
        issuer,
        algorithms: &algorithms,
        limits,
    };
    let keys = fields.required("keys", |node| keys::keys(node, &context));
    let leeway_ms = fields.optional("leeway_s", leeway_ms);
    let mapping = fields.optional("claims", mapping);
    if let (Some(id), Some(TenantFrom::Claim(_) | TenantFrom::Fixed(_))) =
        (id, mapping.as_ref().map(|mapping| &mapping.tenant))
    {
        names.set_tenant(id);
    }
    let issuer = Issuer {
        name: name.into(),
        issuer: issuer.into(),
        audiences,
        algorithms,
        keys,
        leeway_ms,
        revocations: fields.optional("revocations", revocations),
        token_types: fields.or("token_types", Vec::new(), |node| {
            token_types(node, id, names)
        }),
        mapping: mapping.unwrap_or_else(default_mapping),
        role_map: fields.optional("role_map", role_map),
        scope_wildcards: fields.or("scope_wildcards", false, Node::flag),
        require: fields.or("require", Vec::new(), conditions),
        max_age_ms: fields.optional("max_age_s", |node| node.age_ms()),
        exp_required: fields.or("exp_required", true, exp_required),
    };
    fields.close();
    Ok(issuer)
}

fn exp_required(node: Node<'_, '_>) -> Read<bool> {
    let required = node.flag()?;
    if !required {
        let message = "tokens without `exp` are accepted, and are good until their key goes";
        node.warn(EXP_NOT_REQUIRED, message);
    }
    Ok(required)
}

fn audiences(node: Node<'_, '_>) -> Read<Audiences> {
    match node.value() {
        Value::Array(_) => node.words(1, grammar::text).map(Audiences::OneOf),
        Value::String(word) if word == "any" => Ok(Audiences::Any),
        Value::String(word) => {
            let list = quoted(&["[\"", word, "\"]"].concat());
            let message = format!("only `any` stands alone; one audience is written {list}");
            Err(node.refuse(VALUE_INVALID, message))
        }
        Value::Object(_) => {
            let mut fields = node.fields()?;
            let all = fields.required("all", |node| node.words(1, grammar::text));
            fields.close();
            Ok(Audiences::All(all))
        }
        _ => Err(node.type_wrong("an array, `{ \"all\": [...] }` or the word `any`")),
    }
}

pub(super) fn leeway_ms(node: Node<'_, '_>) -> Read<i64> {
    node.integer(0..=300).map(ms)
}

pub(super) fn algorithms(node: Node<'_, '_>) -> Read<Vec<Algorithm>> {
    let mut unique = Unique::default();
    node.list(1, usize::MAX, |item| {
        let algorithm = algorithm(item)?;
        unique.add(item, algorithm.as_str(), "this list")?;
        Ok(algorithm)
    })
}

fn algorithm(node: Node<'_, '_>) -> Read<Algorithm> {
    let name = node.text()?;
    Algorithm::from_name(name).ok_or_else(|| {
        if name.eq_ignore_ascii_case("none") {
            let message = "`none` is no signature: a token of it could be anybody's";
            return node.refuse(VALUE_INVALID, message);
        }
        let hint = suggestion(name, &mut Algorithm::ALL.iter().map(|known| known.as_str()));
        let message = format!("{} is not an algorithm of this gate; {hint}", quoted(name));
        node.refuse(VALUE_INVALID, message)
    })
}

fn revocations(node: Node<'_, '_>) -> Read<Revocations> {
    let mut fields = node.fields()?;
    let insecure = fields.or("insecure_http", false, keys::insecure_http);
    let refresh_s = fields.or("refresh_s", 30, |node| node.integer(5..=86_400));
    let required = fields.or("required", false, Node::flag);
    let max_stale = fields.node("max_stale_s");
    let max_stale_s = fields.optional("max_stale_s", |node| node.integer(60..=604_800));
    let revocations = Revocations {
        uri: fields.required("uri", |node| keys::address(node, insecure)),
        refresh_ms: u64::from(refresh_s).saturating_mul(1000),
        required,
        max_stale_ms: max_stale_s.map(|s| u64::from(s).saturating_mul(1000)),
    };
    fields.close();
    if let (Some(node), false) = (max_stale, required) {
        let message =
            "a document may be too old only where it is `required`: say `required: true` too";
        return Err(node.refuse(CONFLICT, message));
    }
    if let (Some(node), Some(max_stale_s)) = (max_stale, max_stale_s)
        && max_stale_s <= refresh_s
    {
        let message =
            "it is refreshed only every `refresh_s`: `max_stale_s` must be more than that";
        return Err(node.refuse(CONFLICT, message));
    }
    Ok(revocations)
}

fn mapping(node: Node<'_, '_>) -> Read<Mapping> {
    let mut mapping = default_mapping();
    let mut fields = node.fields()?;
    mapping.subject = fields.or("subject", mapping.subject, pointer);
    let places = |node: Node<'_, '_>| {
        let claims = one_or_more(node)?;
        Ok(ListMapping {
            claims,
            strict: true,
        })
    };
    mapping.roles = fields.or("roles", mapping.roles, places);
    mapping.scopes = fields.or("scopes", mapping.scopes, places);
    if let Some(node) = fields.node("tenant") {
        // An invalid tenant still counts as a tenant: rules that require one
        // cause no further problem.
        mapping.tenant = tenant(node).unwrap_or(TenantFrom::Fixed(Box::default()));
    }
    fields.close();
    Ok(mapping)
}

fn default_mapping() -> Mapping {
    let places = |names: &[&str]| ListMapping {
        claims: names.iter().map(|name| Pointer::member(name)).collect(),
        strict: false,
    };
    Mapping {
        subject: Pointer::member("sub"),
        tenant: TenantFrom::None,
        roles: places(&["roles"]),
        scopes: places(&["scope", "scp", "scopes"]),
    }
}

fn tenant(node: Node<'_, '_>) -> Read<TenantFrom> {
    match node.value() {
        Value::String(_) => pointer(node).map(TenantFrom::Claim),
        Value::Object(_) => fixed(node).map(TenantFrom::Fixed),
        _ => Err(node.type_wrong("a string or `{ \"fixed\": \"acme\" }`")),
    }
}

/// Parses `{ "fixed": "acme" }`.
pub(super) fn fixed(node: Node<'_, '_>) -> Read<Box<str>> {
    let mut fields = node.fields()?;
    let fixed = fields.required("fixed", |node| node.word(grammar::text));
    fields.close();
    Ok(fixed.into())
}

fn role_map(node: Node<'_, '_>) -> Read<Map<Vec<Box<str>>>> {
    let groups = node.members(|group, roles| {
        let roles = roles.words(1, grammar::text)?;
        Ok((Box::<str>::from(group), roles))
    })?;
    let mut map = Map::default();
    for (group, roles) in groups {
        map.insert(group.as_bytes(), roles);
    }
    Ok(map)
}
