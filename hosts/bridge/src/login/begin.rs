//! `/auth/login`: a browser is sent to a provider.

use std::{net::IpAddr, sync::Arc};

use axum::{extract::State, response::Response};
use http::{Extensions, HeaderMap, StatusCode, Uri};
use maud::html;
use serde::{Deserialize, Serialize};

use super::{code, page, return_to, see, trial};
use crate::{
    app::App,
    form::Form,
    peer,
    providers::Provider,
    refusal::Refusal,
    seal,
    sessions::{cookie, set_cookie},
    store::{AttemptRow, ProviderState, StoreError},
};

/// The cookie that binds an attempt to its browser.
pub(super) const BROWSER: &str = "__Host-countersign-login";

/// What an attempt is for, where it is no test.
const LOGIN: &str = "login";

/// The longest choice.
const CHOICE: i64 = 100;

/// How long a login may take.
const ATTEMPT_MS: i64 = 600_000;

/// The window of the throttle.
const WINDOW_MS: i64 = 60_000;

/// Attempts of everybody in a window, in attempts of one address.
const ADDRESSES: i64 = 200;

/// What an attempt keeps until the provider answers. Sealed in the database.
#[derive(Deserialize, Serialize)]
pub(super) struct Secrets {
    pub(super) nonce: String,
    pub(super) verifier: String,
    /// Who tests the provider, where this is no login.
    pub(super) tester: Option<String>,
}

pub(super) async fn login(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let peer = peer::address(&extensions, &headers, &app.config.trusted_proxies);
    begin(&app, peer, &headers, &uri)
        .await
        .unwrap_or_else(page::refused)
}

async fn begin(
    app: &App,
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Response, Refusal> {
    let form = Form::parse(uri.query().unwrap_or_default().as_bytes())?;
    let asked = form.get("return_to").unwrap_or("/");
    let path = return_to::path(&app.config.issuer, asked);
    let path = path.ok_or(Refusal::request("`return_to` is no path of this site"))?;
    let tenant = form.get("tenant");
    if form.get("provider").is_none() && tenant.is_none() && app.providers.all().len() != 1 {
        return Ok(choice(path, &configured(app)));
    }
    // Before the database is asked.
    if !may_try(app, peer).await? {
        return Ok(page::too_often());
    }
    let is_test = form.get("test").is_some();
    let (provider, tester) = match (form.get("provider"), tenant) {
        (Some(id), _) if is_test => {
            let (provider, tester) = trial::begun(app, headers, id).await?;
            (Some(provider), Some(tester))
        }
        (Some(id), _) => (app.providers.find(id).await?, None),
        (None, Some(tenant)) => match &*active_of(app, tenant).await? {
            [(only, _)] => (app.providers.find(only).await?, None),
            several => return Ok(choice(path, several)),
        },
        (None, None) => (app.providers.all().next().cloned(), None),
    };
    let provider = provider.ok_or(Refusal::request("this provider is not known"))?;
    let metadata = provider.metadata().await?;
    let redirect_uri = Provider::redirect_uri(&provider.id, &app.config.issuer);
    let asked = code::ask(&provider, &metadata, &redirect_uri)?;
    // One for all tabs of a browser.
    let browser = match cookie(headers, BROWSER).filter(|value| value.len() == 43) {
        Some(value) => value.to_owned(),
        None => seal::random::<32>()?,
    };
    let now = app.clock.now_ms();
    let state_hash = seal::hash(&asked.state);
    let secrets = Secrets {
        nonce: asked.nonce,
        verifier: asked.verifier,
        tester,
    };
    let purpose = match secrets.tester {
        Some(_) => trial::PURPOSE,
        None => LOGIN,
    };
    let secrets = serde_json::to_vec(&secrets).map_err(|_| Refusal::unavailable())?;
    let row = AttemptRow {
        secrets: app.sealer.seal(&context(&state_hash), &secrets)?,
        state_hash,
        browser_hash: seal::hash(&browser),
        provider: provider.id.clone(),
        return_to: path.to_owned(),
        purpose: purpose.to_owned(),
        created_at: now,
        expires_at: now + ATTEMPT_MS,
    };
    app.store.add_attempt(&row).await?;
    see(
        &asked.uri,
        [set_cookie(BROWSER, &browser, ATTEMPT_MS / 1000)],
    )
}

/// Counts an attempt of this address, and of everybody. An address is a keyed hash of a few
/// bits: the rows of the table are bounded, and nobody can choose whom they share one with.
pub(super) async fn may_try(app: &App, peer: Option<IpAddr>) -> Result<bool, StoreError> {
    let network = match peer.map(|address| address.to_canonical()) {
        None => Vec::new(),
        Some(IpAddr::V4(address)) => address.octets().to_vec(),
        // Who has one address has all 2^64 beside it.
        Some(IpAddr::V6(address)) => address.octets()[..8].to_vec(),
    };
    let hash = app.sealer.keyed_hash("login", &network);
    let place = i64::from(u16::from_be_bytes([hash[0], hash[1]]));
    let most = i64::from(app.config.login.attempts);
    let now = app.clock.now_ms();
    let own = app.store.hit("login", place, WINDOW_MS, now).await?;
    if own > most {
        return Ok(false);
    }
    let all = app.store.hit("login of all", 0, WINDOW_MS, now).await?;
    Ok(all <= most * ADDRESSES)
}

pub(super) fn context(state_hash: &str) -> String {
    format!("login {state_hash}")
}

/// Id and name of the platform's own providers.
fn configured(app: &App) -> Vec<(String, String)> {
    let all = app.providers.all();
    all.map(|provider| (provider.id.clone(), provider.name.clone()))
        .collect()
}

/// Id and name of the providers by which people sign in to this organisation.
async fn active_of(app: &App, tenant: &str) -> Result<Vec<(String, String)>, StoreError> {
    if app.config.login.organisations.is_none() {
        return Ok(Vec::new());
    }
    let rows = app.store.providers_of(tenant, CHOICE).await?;
    let active = rows
        .into_iter()
        .filter(|row| row.state == ProviderState::Active);
    Ok(active.map(|row| (row.id, row.name)).collect())
}

fn choice(path: &str, providers: &[(String, String)]) -> Response {
    let link = |id: &str| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("provider", id);
        query.append_pair("return_to", path);
        format!("/auth/login?{}", query.finish())
    };
    let content = html! {
        @if providers.is_empty() { p { "There is no provider." } }
        ul {
            @for (id, name) in providers {
                li { a href=(link(id)) { (name) } }
            }
        }
    };
    page::page(StatusCode::OK, "Sign in", &content)
}
