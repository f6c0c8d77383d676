//! `/auth/callback/{provider}`: a provider sends a browser back.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::{HeaderMap, Uri};

use super::{
    begin::{self, BROWSER, Secrets},
    code, page, see, trial,
};
use crate::{
    app::App,
    audit::Entry,
    config::PERSON_PREFIX,
    form::Form,
    providers::{Metadata, Provider},
    refusal::{Code, Refusal},
    seal,
    sessions::{Beginning, cookie},
    store::{AttemptRow, PersonRow},
};

pub(super) async fn callback(
    State(app): State<Arc<App>>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let finished = finish(&app, &provider, &headers, &uri).await;
    finished.unwrap_or_else(page::refused)
}

async fn finish(
    app: &App,
    provider: &str,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Response, Refusal> {
    let form = Form::parse(uri.query().unwrap_or_default().as_bytes())?;
    let unknown = Refusal::request("this login was not begun in this browser, or is over");
    let state = form.get("state").ok_or(unknown)?;
    let browser = cookie(headers, BROWSER).ok_or(unknown)?;
    let state_hash = seal::hash(state);
    let now = app.clock.now_ms();
    let browser_hash = seal::hash(browser);
    let attempt = app.store.use_attempt(&state_hash, &browser_hash, now);
    let attempt = attempt.await?.ok_or(unknown)?;
    let completed = complete(app, provider, &attempt, headers, &form).await;
    if let Err(refusal) = &completed {
        let entry = Entry {
            event: "login.refused",
            refused: Some(refusal.description),
            ..Entry::default()
        };
        // Only of an attempt that was one: those are bounded in number.
        app.audit.record(&entry).await?;
    }
    completed
}

/// What follows once the browser has shown that the attempt is its own.
async fn complete(
    app: &App,
    provider: &str,
    attempt: &AttemptRow,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Response, Refusal> {
    // RFC 9700 §4.4.2: an answer at another provider's address is not for this attempt.
    let other = Refusal::new(
        Code::AccessDenied,
        "the answer is not of the provider that was asked",
    );
    if attempt.provider != provider {
        return Err(other);
    }
    let is_test = attempt.purpose == trial::PURPOSE;
    let provider = match is_test {
        true => app.providers.connected(provider).await?,
        false => app.providers.find(provider).await?,
    };
    let provider = provider.ok_or(other)?;
    let provider = &*provider;
    let metadata = provider.metadata().await?;
    if !is_of(provider, &metadata, form) {
        return Err(other);
    }
    if form.get("error").is_some() {
        let description = "the provider did not sign you in";
        return Err(Refusal::new(Code::AccessDenied, description));
    }
    let code = form
        .get("code")
        .ok_or(Refusal::request("there is no `code`"))?;
    let secrets = app
        .sealer
        .unseal(&begin::context(&attempt.state_hash), &attempt.secrets)?;
    let secrets: Secrets = serde_json::from_slice(&secrets).map_err(|_| Refusal::unavailable())?;
    let redirect_uri = Provider::redirect_uri(&provider.id, &app.config.issuer);
    let tester = secrets.tester;
    if is_test != tester.is_some() {
        return Err(other);
    }
    let redeemed = code::redeem(provider, &metadata, &redirect_uri, code, secrets.verifier);
    let id_token = redeemed.await?;
    let identity = provider.verify(&id_token, &secrets.nonce).await?;
    if let Some(tester) = tester {
        return trial::finished(app, headers, &tester, attempt, &identity).await;
    }
    let id = format!("{PERSON_PREFIX}{}", seal::random::<16>()?);
    let person = PersonRow {
        id: &id,
        iss: &provider.issuer,
        sub: &identity.sub,
        name: identity.name.as_deref(),
    };
    let person = app.store.meet_person(&person, app.clock.now_ms()).await?;
    if person.is_disabled {
        return Err(Refusal::new(Code::AccessDenied, "this account is disabled"));
    }
    // Who signs in again in this browser is signed out first.
    if let Some(session) = app.sessions.of(headers).await? {
        app.sessions.finish(&session, "login").await?;
    }
    let cookie = app.sessions.begin(Beginning {
        person: &person.id,
        provider: &provider.id,
        tenant: provider.tenant.as_deref(),
        id_token: &id_token,
        upstream_sid: identity.sid.as_deref(),
        auth_time_s: identity.auth_time_s,
    });
    let description = "this provider signs in nobody now";
    let over = Refusal::new(Code::AccessDenied, description);
    let cookie = cookie.await?.ok_or(over)?;
    // After the look whether it is still active, and before the browser has its cookie.
    if let (Some(tenant), Some(roles)) = (&provider.tenant, &identity.roles) {
        app.members.told(&person.id, tenant, roles).await?;
    }
    see(&attempt.return_to, [cookie])
}

/// RFC 9207 §2.4: who answers is who was asked.
fn is_of(provider: &Provider, metadata: &Metadata, form: &Form) -> bool {
    match form.get("iss") {
        Some(issuer) => issuer == provider.issuer,
        None => !metadata.authorization_response_iss_parameter_supported,
    }
}
