//! What an organisation says of its provider, and what of that is refused.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::{
    app::App,
    config::{is_askable, is_scope},
    form,
    providers::{OpenError, Settings, Unfit},
    refusal::Refusal,
    reply,
};

const NAME_BYTES: usize = 128;
const ISSUER_BYTES: usize = 512;
const CLIENT_BYTES: usize = 256;
const SECRET_BYTES: usize = 512;
const SCOPES: usize = 16;
const ALGORITHMS: usize = 8;

/// Each role is one more check of an ID token.
const ROLES: usize = 32;
const REQUIREMENT_BYTES: usize = 4096;

/// What a person asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) tenant: String,
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) client_secret: Option<String>,
    scopes: Option<Vec<String>>,
    algorithms: Option<Vec<String>>,
    roles: Option<BTreeMap<String, Value>>,
}

/// What is expected, where it is something else.
pub(super) const FORM: &str = "expected `name`, `tenant`, `issuer`, `client_id` and, if wanted, \
                               `client_secret`, `scopes`, `algorithms` and `roles`";

impl Wanted {
    /// What is kept of it beside its columns.
    ///
    /// # Errors
    /// Something is too long, or not of its form.
    pub(super) fn settings(&mut self, app: &App) -> Result<Settings, Refusal> {
        let require = |holds: bool, description| match holds {
            true => Ok(()),
            false => Err(Refusal::request(description)),
        };
        require(
            form::is_line(&self.name, NAME_BYTES),
            "`name` has 1 to 128 bytes on one line",
        )?;
        require(
            form::is_line(&self.client_id, CLIENT_BYTES),
            "`client_id` has 1 to 256 bytes on one line",
        )?;
        let secret = self.client_secret.as_ref();
        require(
            secret.is_none_or(|secret| form::is_line(secret, SECRET_BYTES)),
            "`client_secret` has 1 to 512 bytes on one line",
        )?;
        require(
            self.is_issuer(app),
            "`issuer` is an `https` address of somebody else, without a password, `?` and `#`",
        )?;
        let scopes = self.scopes.take();
        let scopes = scopes.unwrap_or_else(|| vec!["profile".to_owned()]);
        require(
            scopes.len() <= SCOPES && scopes.iter().all(|scope| is_scope(scope)),
            "`scopes` has at most 16 of RFC 6749",
        )?;
        let algorithms = self.algorithms.take();
        let algorithms = algorithms.unwrap_or_else(|| vec!["RS256".to_owned()]);
        // A secret would verify what anybody signs who has it.
        let is_good = |name: &String| form::is_line(name, 16) && !name.starts_with("HS");
        require(
            (1..=ALGORITHMS).contains(&algorithms.len()) && algorithms.iter().all(is_good),
            "`algorithms` has 1 to 8 that are verified by a public key",
        )?;
        let roles = self.roles.take();
        if let Some(roles) = &roles {
            require(
                !app.members.are_elsewhere(),
                "`roles` are said by the service that knows the members",
            )?;
            require(
                (1..=ROLES).contains(&roles.len()),
                "`roles` has 1 to 32 roles",
            )?;
            let known = &app.config.login.roles;
            require(
                roles.keys().all(|role| known.contains_key(role)),
                "`roles` has a role that is not known here",
            )?;
            let is_good = |requirement: &Value| {
                requirement.is_object() && requirement.to_string().len() <= REQUIREMENT_BYTES
            };
            require(
                roles.values().all(is_good),
                "a requirement in `roles` is an object of at most 4096 bytes",
            )?;
        }
        Ok(Settings {
            scopes,
            algorithms,
            roles,
        })
    }

    /// Whether it may be asked at all. Where it leads is found out when it is asked.
    fn is_issuer(&self, app: &App) -> bool {
        let is_development = app.config.issuer.is_http();
        let url = Url::parse(&self.issuer);
        self.issuer.len() <= ISSUER_BYTES
            // A token of the bridge is none of another's provider.
            && self.issuer.trim_end_matches('/') != app.config.issuer.as_str()
            && url.is_ok_and(|url| is_askable(&url, is_development))
    }
}

/// What whoever asked may know of a provider that cannot be connected: one of a few texts.
pub(super) fn unfit(unfit: Unfit) -> Refusal {
    Refusal::request(match unfit {
        Unfit::NotThere => "the provider's metadata cannot be fetched from where its issuer says",
        Unfit::Unusable => "the provider's metadata is not what is needed here",
    })
}

/// What is wrong with a policy that was asked for, as the policy language says it.
pub(super) fn refused(error: &OpenError) -> Result<axum::response::Response, Refusal> {
    let (place, error) = match error {
        OpenError::Policy(error) => ("", error),
        OpenError::Role(role, error) => (role.as_str(), error),
    };
    let problems = error.problems();
    if problems.is_empty() {
        tracing::error!("the gate of a provider cannot be opened");
        return Err(Refusal::unavailable());
    }
    let problems: Vec<_> = problems
        .iter()
        .map(|problem| {
            json!({
                "role": place,
                "pointer": problem.pointer,
                "code": problem.code,
                "message": problem.message,
            })
        })
        .collect();
    let body = json!({
        "error": "invalid_request",
        "error_description": "the policy language does not know what is asked for",
        "problems": problems,
    });
    Ok(reply::json(StatusCode::BAD_REQUEST, &body))
}
