//! A device begins (RFC 8628 §3.1): it gets a code for itself and one for a person.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{Extensions, HeaderMap, HeaderValue, header};
use serde_json::{Map, json};

use super::{
    PAGE,
    code::UserCode,
    key, settings,
    throttle::{self, WINDOW_MS},
};
use crate::{
    app::App,
    audit::Entry,
    clients::Client,
    config::GrantType,
    form::Form,
    peer,
    refusal::{Code, Refusal},
    seal,
    store::DeviceCodeRow,
};

/// The scope of a join token. No node has it.
pub(super) const JOIN_SCOPE: &str = "node:join";

/// All scopes of nodes begin so: gates hold their tokens to it.
const NODE_SCOPES: &str = "node:";

/// The longest name of a device.
const NAME_LETTERS: usize = 64;

pub(super) async fn start(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, Refusal> {
    let settings = settings(&app)?;
    let peer = peer::address(&extensions, &headers, &app.config.trusted_proxies);
    let client = app.clients.authenticate(&headers, &form, peer).await?;
    client.require(GrantType::DeviceCode)?;
    let scopes = scopes(&client, form.get("scope"))?;
    let audience = client.audience(&form)?;
    let cnf = key::cnf(&form)?;
    let network = throttle::network(peer);
    for (count, of) in [
        (throttle::STARTS_OF_ADDRESS, network.as_str()),
        (throttle::STARTS, ""),
    ] {
        if throttle::admit(&app, count, of).await?.is_none() {
            return Err(Refusal::unavailable());
        }
    }
    let device_code = seal::random::<16>()?;
    let now = app.clock.now_ms();
    let mut row = DeviceCodeRow {
        device_hash: seal::hash(&device_code),
        user_code_hash: String::new(),
        client: client.id.clone(),
        scopes,
        audience: audience.to_owned(),
        cnf: cnf.map(|cnf| cnf.to_string()),
        device: name(form.get("device_name").unwrap_or_default()),
        place: peer.map_or_else(|| "unknown".to_owned(), |peer| peer.to_string()),
        state: "pending".to_owned(),
        person: None,
        tenant: None,
        interval_s: i64::from(settings.interval_s),
        created_at: now,
        expires_at: now + WINDOW_MS,
    };
    let user_code = add(&app, &mut row).await?;
    let mut detail = Map::new();
    detail.insert("scope".to_owned(), json!(row.scopes.join(" ")));
    detail.insert("place".to_owned(), json!(row.place));
    detail.insert("is_bound".to_owned(), json!(row.cnf.is_some()));
    app.audit
        .record(&Entry {
            event: "pairing.started",
            actor: Some(&client.id),
            client: Some(&client.id),
            detail,
            ..Entry::default()
        })
        .await?;
    let shown = user_code.shown();
    let page = app.config.issuer.at(PAGE);
    let body = json!({
        "device_code": device_code,
        "user_code": shown,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={shown}"),
        "expires_in": WINDOW_MS / 1000,
        "interval": settings.interval_s,
    });
    let mut response = Json(body).into_response();
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

/// Adds the row with a user code that no other has now.
async fn add(app: &App, row: &mut DeviceCodeRow) -> Result<UserCode, Refusal> {
    for _ in 0..4 {
        let code = UserCode::generate()?;
        row.user_code_hash = code.hash(&app.sealer);
        if app.store.add_device_code(row).await? {
            return Ok(code);
        }
    }
    Err(Refusal::unavailable())
}

/// Narrow ones: those of nodes alone.
fn scopes(client: &Client, asked: Option<&str>) -> Result<Vec<String>, Refusal> {
    let is_node_s = |scope: &String| scope.starts_with(NODE_SCOPES) && scope != JOIN_SCOPE;
    let mut scopes = client.scopes(asked)?;
    match asked {
        None => scopes.retain(is_node_s),
        Some(_) if scopes.iter().all(is_node_s) => {}
        Some(_) => {
            let description = "a scope is asked for that no node may have";
            return Err(Refusal::new(Code::InvalidScope, description));
        }
    }
    match scopes.is_empty() {
        true => Err(Refusal::new(Code::InvalidScope, "a node needs a scope")),
        false => Ok(scopes),
    }
}

/// What a device calls itself, as a page may show it: letters of one direction, and
/// nothing that is not seen. Anybody can say anything, so the page says whose words it is.
fn name(text: &str) -> String {
    let is_shown = |letter: &char| letter.is_alphanumeric() || " -_.,:()/#".contains(*letter);
    let name: String = text.chars().filter(is_shown).take(NAME_LETTERS).collect();
    match name.trim() {
        "" => "without a name".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_name_has_nothing_that_is_not_seen() {
        assert_eq!(name("Press 7 (hall B)"), "Press 7 (hall B)");
        assert_eq!(name("a\u{202e}b\u{0}<c>\n"), "abc");
        assert_eq!(name("\u{200b} "), "without a name");
        assert_eq!(name(&"x".repeat(100)).len(), 64);
    }
}
