//! Parses the text of a policy or a requirement.

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    challenge::{Documents, challenge},
    codes::Code::*,
    credentials::{Lists, default_credentials},
    grammar,
    headers::{Forwarded, forward},
    issuers::{Finders, issuers, leeway_ms},
    keys::KeyLimits,
    names::Names,
    opener::Opener,
    reader::Node,
    report::{Read, Report},
    requirement::{Context, requirement},
    rules::rules,
    sender, signatures,
    suggest::quoted,
};
use crate::{
    base::{Limits, Problem, limits},
    json::{self, Bounds, FaultKind, Value},
    model::{Access, Challenge, ClaimCondition, Policy, Requirement, Rule, Source},
};

/// The JSON bounds of a policy or a requirement.
const BOUNDS: Bounds = Bounds {
    depth: 48,
    members: 20_000,
};
/// Maximum bytes of a requirement outside a policy.
const REQUIREMENT_BYTES: usize = 256 * 1024;
/// The default of `leeway_s`.
const LEEWAY_DEFAULT_MS: i64 = 30_000;

/// Parses the JSON of a policy, or of a larger text that contains one, for
/// [`Gate::open_json`](crate::Gate::open_json).
///
/// # Errors
/// The problem, if the text is not strict JSON within the bounds of a policy.
pub fn policy_json(text: &[u8]) -> Result<Value<'_>, Vec<Problem>> {
    value(text, limits::POLICY_BYTES)
}

/// Parses a policy. Returns the policy and its warnings, or every problem.
pub(crate) fn parse(
    value: &Value<'_>,
    opener: Opener<'_>,
) -> Result<(Policy, Vec<Problem>), Vec<Problem>> {
    let report = Report::new(value, opener);
    let policy = policy(Node::root(&report), opener);
    report.finish(policy)
}

/// Parses a requirement outside a policy. It has no path, so its tenant cannot
/// be `{name}`.
pub(crate) fn parse_requirement(policy: &Policy, text: &[u8]) -> Result<Requirement, Vec<Problem>> {
    let value = value(text, REQUIREMENT_BYTES)?;
    let report = Report::new(&value, Opener::Nobody);
    let names = Names::of(policy);
    let context = Context {
        names: &names,
        values: None,
    };
    let requirement = requirement(Node::root(&report), context);
    let (mut requirement, _) = report.finish(requirement)?;
    requirement.each_condition(&mut |wanted| wanted.kept = position(&policy.kept, wanted));
    Ok(requirement)
}

fn position(kept: &[Source], wanted: &ClaimCondition) -> Option<usize> {
    kept.iter().position(|source| *source == wanted.source)
}

/// Numbers the sources of the rules' conditions. Returns the sources, and the
/// headers that the rules compare.
fn collect(rules: &mut [Rule]) -> (Vec<Source>, Vec<Box<str>>) {
    let mut kept: Vec<Source> = Vec::new();
    let mut compared: Vec<Box<str>> = Vec::new();
    for rule in rules {
        let mut keep = |wanted: &mut ClaimCondition| {
            wanted.kept = position(&kept, wanted);
            if wanted.kept.is_none() && kept.len() < limits::KEPT {
                wanted.kept = Some(kept.len());
                kept.push(wanted.source.clone());
            }
        };
        if let Access::Optional(requirement) | Access::Required(requirement) = &mut rule.access {
            requirement.each_condition(&mut keep);
        }
        for (_, requirement) in &mut rule.tokens.principals {
            requirement.each_condition(&mut keep);
        }
        for name in &rule.compared {
            if !compared.contains(name) {
                compared.push(name.clone());
            }
        }
    }
    (kept, compared)
}

/// Returns the problems and warnings of a policy in its order.
/// [`Gate::open`](crate::Gate::open) accepts the policy if none is an error.
pub fn lint(policy: &[u8]) -> Vec<Problem> {
    policy_json(policy)
        .and_then(|value| parse(&value, Opener::Nobody))
        .map_or_else(|problems| problems, |(_, warnings)| warnings)
}

fn value(text: &[u8], max: usize) -> Result<Value<'_>, Vec<Problem>> {
    if text.len() > max {
        let message = format!("{} bytes are read, these are {}", max, text.len());
        return Err(Vec::from([Problem::error("", TooLarge.as_str(), message)]));
    }
    json::parse(text, BOUNDS).map_err(|fault| {
        let (line, column) = fault.line_column;
        let (code, message) = match fault.kind {
            FaultKind::Syntax => (
                Syntax,
                format!("this is not JSON at line {line}, column {column}"),
            ),
            FaultKind::Duplicate => (
                Duplicate,
                format!("this member is here twice, again at line {line}, column {column}"),
            ),
            FaultKind::Depth => (TooDeep, format!("at most {} levels are read", BOUNDS.depth)),
            FaultKind::Members => (
                TooMany,
                format!("at most {} members are read", BOUNDS.members),
            ),
        };
        Vec::from([Problem::error(fault.pointer, code.as_str(), message)])
    })
}

fn policy(node: Node<'_, '_>, opener: Opener<'_>) -> Read<Policy> {
    let mut names = Names::default();
    let mut fields = node.fields()?;
    // Editors use `$schema` to validate the file.
    fields.optional("$schema", |node| node.text().map(drop));
    fields.required("contract", contract);
    let limits = fields.or("limits", Limits::DEFAULT, lowered_limits);
    let mut by = Finders::default();
    let by_host = signatures::demanded(&mut fields, opener);
    let issuers = fields.required("issuers", |node| {
        let limits = KeyLimits {
            limits: &limits,
            by_host,
        };
        issuers(node, limits, &mut names, &mut by)
    });
    if let (Some(node), true) = (fields.node("signatures"), by_host) {
        signatures::check_algorithms(node, &issuers, opener);
    }
    signatures::check_api_keys(&mut fields, &issuers);
    let strips = fields.node("strip_credential").is_some();
    let strips = fields.or("strip_credential", strips, Node::flag);
    let mut lists = Lists::new(&names, &issuers, strips);
    let credentials = lists.list(&mut fields, true);
    let credentials = credentials.unwrap_or_else(default_credentials);
    let forward_node = fields.node("forward");
    let forwarded = fields.or("forward", Forwarded::default(), |node| {
        forward(node, &credentials)
    });
    lists.forwarded = &forwarded;
    let sender = sender::sender(&mut fields, &forwarded, &credentials);
    fields.optional("default", default);
    let mut documents = Documents::new(&issuers);
    let challenge = fields.or("challenge", Challenge::default(), |node| {
        challenge(node, &mut documents)
    });
    let mut rules = fields.or("rules", Vec::new(), |node| {
        rules(node, &names, &credentials, &mut lists, &mut documents)
    });
    if let Some(node) = forward_node {
        lists.check_forwarded(node);
    }
    sender::check_places(&mut fields, &issuers, &lists, &credentials, &rules);
    let kept_issuers = lists.kept;
    let metadata = documents.metadata;
    let (kept, compared) = collect(&mut rules);
    let policy = Policy {
        leeway_ms: fields.or("leeway_s", LEEWAY_DEFAULT_MS, leeway_ms),
        issuers,
        by_iss: by.iss,
        by_prefix: by.prefix,
        challenge,
        metadata,
        rules,
        compared,
        kept,
        exact_case: fields.or("path_case", false, path_case),
        forward: forwarded.user,
        forward_of: forwarded.of,
        credentials,
        kept_issuers,
        strip_credential: strips,
        sender,
        realm: fields
            .or("realm", "countersign", |node| node.word(grammar::realm))
            .into(),
        remember: fields.or("remember", true, Node::flag),
        limits,
    };
    fields.close();
    Ok(policy)
}

fn contract(node: Node<'_, '_>) -> Read<()> {
    match node.text()? {
        "1" => Ok(()),
        other => {
            let message = format!("this gate speaks contract `1`, not {}", quoted(other));
            Err(node.refuse(ValueInvalid, message))
        }
    }
}

fn path_case(node: Node<'_, '_>) -> Read<bool> {
    let message = "say `refuse`, for backends that may not tell letters' case apart, or `exact`";
    node.either(["refuse", "exact"], message)
}

fn default(node: Node<'_, '_>) -> Read<()> {
    match node.text()? {
        "deny" => Ok(()),
        _ => {
            let message = "what no rule admits is denied: only `deny` is possible";
            Err(node.refuse(ValueInvalid, message))
        }
    }
}

/// Parses `limits`. A policy can lower each limit, but not raise it.
fn lowered_limits(node: Node<'_, '_>) -> Read<Limits> {
    const MAX: Limits = Limits::DEFAULT;
    let mut fields = node.fields()?;
    let mut limit = |name, max| fields.or(name, max, |node| lowered(node, max));
    let limits = Limits {
        token_bytes: limit("token_bytes", MAX.token_bytes),
        header_bytes: limit("header_bytes", MAX.header_bytes),
        json_depth: limit("json_depth", MAX.json_depth),
        json_members: limit("json_members", MAX.json_members),
        document_bytes: limit("document_bytes", MAX.document_bytes),
        document_keys: limit("document_keys", MAX.document_keys),
        revocation_bytes: limit("revocation_bytes", MAX.revocation_bytes),
        revocation_entries: limit("revocation_entries", MAX.revocation_entries),
        api_keys_bytes: limit("api_keys_bytes", MAX.api_keys_bytes),
        api_keys: limit("api_keys", MAX.api_keys),
        remembered_tokens: limit("remembered_tokens", MAX.remembered_tokens),
    };
    fields.close();
    Ok(limits)
}

fn lowered(node: Node<'_, '_>, max: usize) -> Read<usize> {
    let bound = u32::try_from(max).unwrap_or(u32::MAX);
    node.integer(1..=bound)
        .map(|n| usize::try_from(n).unwrap_or(max))
}
