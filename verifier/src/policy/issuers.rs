//! Parses `issuers`.

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    accepts::{accepts, refuse_open_keys},
    api_keys::api_keys,
    claims::{check_one, claim, normal_form, one, source, sources},
    codes::Code::*,
    conditions::conditions,
    fields::Fields,
    grammar,
    introspection::introspection,
    keys::{self, IssuerContext, KeyLimits},
    names::Names,
    reader::{Node, Unique, ms},
    report::Read,
    sender::of_issuer,
    suggest::{quoted, suggestion},
    token_types::token_types,
};
use crate::{
    base::{Map, limits},
    jose::Algorithm,
    json::{Pointer, Value},
    model::{
        Accepts, Audiences, ByIss, ByPrefix, How, Issuer, Kind, ListMapping, Mapping, Revocations,
        Signed, Source, TenantFrom,
    },
};

/// What finds the issuer of a credential.
#[derive(Default)]
pub(super) struct Finders {
    pub(super) iss: ByIss,
    pub(super) prefix: ByPrefix,
}

pub(super) fn issuers<'p>(
    node: Node<'_, 'p>,
    limits: KeyLimits<'_>,
    names: &mut Names<'p>,
    by: &mut Finders,
) -> Read<Vec<Issuer>> {
    node.array(1, limits::POLICY_ISSUERS)?;
    names.set_complete(true);
    let mut unique = Unique::default();
    let mut index = 0;
    node.list(1, limits::POLICY_ISSUERS, |item| {
        let issuer = issuer(item, limits, names, &mut unique, (by, index));
        index += 1;
        issuer
    })
}

fn issuer<'p>(
    node: Node<'_, 'p>,
    limits: KeyLimits<'_>,
    names: &mut Names<'p>,
    unique_names: &mut Unique,
    (by, index): (&mut Finders, usize),
) -> Read<Issuer> {
    let mut fields = node.fields().inspect_err(|_| names.set_complete(false))?;
    let name = fields.required("name", |node| {
        let name = node.word(grammar::name)?;
        unique_names.add(node, name, "the names of `issuers`")?;
        Ok(name)
    });
    let id = (!name.is_empty()).then(|| names.add_issuer(name));
    names.set_complete(names.is_complete() && id.is_some());
    let kind = kind(node, &mut fields, by, index)?;
    let accepted = fields.node("issuer");
    let (is_signed, is_key) = (
        matches!(kind, Kind::Signed),
        matches!(kind, Kind::ApiKeys(_)),
    );
    let has_keys = match &kind {
        Kind::Opaque(asked) => asked.signed != Signed::Never,
        _ => is_signed,
    };
    let exact = |node: Node<'_, 'p>| Ok((node.word(grammar::text)?, Accepts::Exact));
    let (issuer, accepts) = match is_signed {
        true => fields.required("issuer", |node| accepts(node, &mut by.iss, index)),
        false if has_keys => fields.required("issuer", exact),
        false => fields.or("issuer", ("", Accepts::Absent), exact),
    };
    if !has_keys && !is_key {
        for name in ["algorithms", "keys"] {
            if let Some(node) = fields.node(name) {
                let message = "only signed answers need this: say `signed` in `introspection`";
                node.refuse(Conflict, message);
            }
        }
    }
    if is_key {
        for name in NOT_OF_KEYS {
            if let Some(node) = fields.node(name) {
                node.refuse(Conflict, "this is for tokens: API keys have none of it");
            }
        }
    }
    let audiences = match is_key {
        true => Audiences::Any,
        false => fields.required("audiences", audiences),
    };
    let algorithms = match has_keys {
        true => fields.required("algorithms", algorithms),
        false => fields.or("algorithms", Vec::new(), algorithms),
    };
    let is_exact = matches!(accepts, Accepts::Exact);
    let context = IssuerContext {
        issuer: if is_exact { issuer } else { "" },
        algorithms: &algorithms,
        limits,
    };
    let keys = match has_keys {
        true => fields.required("keys", |node| keys::keys(node, &context)),
        false => fields.or("keys", Vec::new(), |node| keys::keys(node, &context)),
    };
    let leeway_ms = fields.optional("leeway_s", leeway_ms);
    // No other clock has made an API key's `expires_at`.
    let leeway_ms = leeway_ms.or(is_key.then_some(0));
    let (key_node, audience_node) = (fields.node("keys"), fields.node("audiences"));
    if is_signed {
        refuse_open_keys(&accepts, key_node, audience_node);
    }
    let mut mapping = default_mapping();
    if is_key {
        mapping.tenant = TenantFrom::Claim(Source::plain(Pointer::member("tenant")));
        // `scope` and `scp` would be free claims.
        mapping.scopes.claims = Vec::from([Source::plain(Pointer::member("scopes"))]);
    }
    if let Some(node) = fields.node("claims") {
        // A problem is reported, and then no policy is made.
        let _ = read_mapping(node, &mut mapping);
    }
    mapping.numbers_as_text = fields.or("numbers_as_text", false, Node::flag);
    let types_node = fields.node("token_types");
    let issuer = Issuer {
        name: name.into(),
        issuer: issuer.into(),
        accepts,
        kind,
        audiences,
        algorithms,
        keys,
        leeway_ms,
        revocations: fields.optional("revocations", revocations),
        token_types: fields.or("token_types", Vec::new(), |node| {
            token_types(node, id, names)
        }),
        mapping,
        role_map: fields.optional("role_map", role_map),
        scope_wildcards: fields.or("scope_wildcards", false, Node::flag),
        require: fields.or("require", Vec::new(), |node| conditions(node, None)),
        max_token_age_ms: fields.optional("max_token_age_s", |node| node.age_ms()),
        exp_required: fields.or("exp_required", !is_key, exp_required),
        sender: of_issuer(&mut fields),
        needed_at_start: fields.or("needed_at_start", true, Node::flag),
    };
    fields.close();
    if let Some(id) = id {
        names.describe(id, &issuer);
    }
    let mut types = issuer.token_types.iter();
    if let (Some(node), Kind::Opaque(_)) = (types_node, &issuer.kind)
        && types.any(|t| !t.header_typ.is_empty())
    {
        let message = "an opaque token has no header: no token is of a type with `header_typ`";
        node.warn(Unreachable, message);
    }
    if let (Some(node), Accepts::Absent, []) = (
        accepted.filter(|_| is_signed),
        &issuer.accepts,
        &*issuer.require,
    ) {
        let message = "any token of these keys without `iss` is good: `require` more of it";
        node.warn(AdmitsMore, message);
    }
    Ok(issuer)
}

/// Fields that only issuers of tokens have.
const NOT_OF_KEYS: [&str; 7] = [
    "audiences",
    "algorithms",
    "keys",
    "leeway_s",
    "token_types",
    "max_token_age_s",
    "exp_required",
];

/// Parses what the credentials of an issuer are.
fn kind<'p>(
    node: Node<'_, 'p>,
    fields: &mut Fields<'_, 'p>,
    by: &mut Finders,
    index: usize,
) -> Read<Kind> {
    let prefixes = &mut by.prefix;
    match (fields.node("api_keys"), fields.node("introspection")) {
        (None, None) => Ok(Kind::Signed),
        (Some(node), None) => api_keys(node, prefixes, index).map(Kind::ApiKeys),
        (None, Some(node)) => Ok(Kind::Opaque(introspection(node, prefixes, index))),
        (Some(_), Some(_)) => {
            let message = "an issuer has `api_keys`, or `introspection`, or neither for JWTs";
            Err(node.refuse(Conflict, message))
        }
    }
}

fn exp_required(node: Node<'_, '_>) -> Read<bool> {
    let required = node.flag()?;
    if !required {
        let message = "tokens without `exp` are accepted, and are good until their key goes";
        node.warn(ExpNotRequired, message);
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
            Err(node.refuse(ValueInvalid, message))
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
            return node.refuse(ValueInvalid, message);
        }
        let known: Vec<&str> = Algorithm::ALL.iter().map(|known| known.as_str()).collect();
        let hint = suggestion(name, &known);
        let message = format!("{} is not an algorithm of this gate; {hint}", quoted(name));
        node.refuse(ValueInvalid, message)
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
        return Err(node.refuse(Conflict, message));
    }
    if let (Some(node), Some(max_stale_s)) = (max_stale, max_stale_s)
        && max_stale_s <= refresh_s
    {
        let message =
            "it is refreshed only every `refresh_s`: `max_stale_s` must be more than that";
        return Err(node.refuse(Conflict, message));
    }
    Ok(revocations)
}

fn read_mapping(node: Node<'_, '_>, mapping: &mut Mapping) -> Read<()> {
    let mut fields = node.fields()?;
    if let Some(node) = fields.node("subject")
        && let Ok(subject) = sources(node, 1, one)
    {
        subject
            .iter()
            .for_each(|source| warn_of_subject(node, source));
        mapping.subject = subject;
    }
    places(fields.node("roles"), 0, &mut mapping.roles);
    places(fields.node("scopes"), 0, &mut mapping.scopes);
    mapping.scopes.claims.iter_mut().for_each(split_text);
    let one_tenant = fields.node("tenant");
    let tenants = fields.node("tenants");
    fields.close();
    if one_tenant.is_some() || tenants.is_some() {
        // An invalid tenant still counts as a tenant: rules that require one
        // cause no further problem.
        mapping.tenant = TenantFrom::Fixed(Box::default());
    }
    match (one_tenant, tenants) {
        (Some(_), Some(node)) => {
            return Err(node.refuse(Conflict, "a token has one `tenant`, or `tenants`"));
        }
        (Some(node), None) => mapping.tenant = tenant(node)?,
        (None, Some(_)) => {
            let mut list = ListMapping::default();
            places(tenants, 1, &mut list);
            mapping.tenant = TenantFrom::Claims(list);
        }
        (None, None) => {}
    }
    Ok(())
}

/// Reads the sources of a list, if the policy maps it.
fn places(node: Option<Node<'_, '_>>, min: usize, list: &mut ListMapping) {
    if let Some(node) = node
        && let Ok(claims) = sources(node, min, source)
    {
        *list = ListMapping {
            claims,
            strict: true,
        };
    }
}

/// Splits a text of scopes at spaces (RFC 6749 §3.3), unless the policy says
/// how to read it.
fn split_text(source: &mut Source) {
    match &mut source.how {
        how @ How::Plain => *how = How::Split(' '),
        How::Json(inner) => split_text(inner),
        How::Split(_) | How::Keys => {}
    }
}

fn warn_of_subject(node: Node<'_, '_>, source: &Source) {
    if matches!(&*normal_form(&source.pointer), "/email" | "/upn") {
        let message = "its owner can change this, and another can get it: `/sub` stays";
        node.warn(AdmitsMore, message);
    }
}

fn default_mapping() -> Mapping {
    let places = |names: &[&str], how: How| ListMapping {
        claims: names
            .iter()
            .map(|name| Source {
                pointer: Pointer::member(name),
                how: how.clone(),
            })
            .collect(),
        strict: false,
    };
    Mapping {
        subject: Vec::from([Source::plain(Pointer::member("sub"))]),
        tenant: TenantFrom::None,
        roles: places(&["roles"], How::Plain),
        scopes: places(&["scope", "scp", "scopes"], How::Split(' ')),
        numbers_as_text: false,
    }
}

fn tenant(node: Node<'_, '_>) -> Read<TenantFrom> {
    let Value::Object(_) = node.value() else {
        return one(node).map(TenantFrom::Claim);
    };
    let mut fields = node.fields()?;
    let fixed = fields.node("fixed");
    let tenant = match fixed {
        Some(fixed) => {
            for name in ["claim", "as", "separator", "at"] {
                if let Some(other) = fields.node(name) {
                    other.refuse(Conflict, "a `fixed` tenant comes from no claim");
                }
            }
            fixed
                .word(grammar::text)
                .map(|text| TenantFrom::Fixed(text.into()))
        }
        None => claim(node, &mut fields)
            .and_then(|source| check_one(node, source))
            .map(TenantFrom::Claim),
    };
    fields.close();
    tenant
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
