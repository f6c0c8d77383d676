//! `/token`: a code becomes an ID token (RFC 6749 §4.1.3, RFC 7636 §4.6).

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::{HeaderMap, Method, Request, Response, StatusCode, header::AUTHORIZATION};
use serde_json::{Map, Value, json};

use super::{
    ACCESS_MS, Access, Hint, ID_TOKEN_S, Provider, Scene,
    parameters::Parameters,
    reply,
    shelf::{Name, secret},
};
use crate::error::Error;

/// What a code stands for.
pub(super) struct Code {
    /// The place of the client in the settings, and so of the person.
    pub(super) client: usize,
    pub(super) redirect_uri: String,
    /// Of S256.
    pub(super) challenge: String,
    pub(super) nonce: Option<String>,
    pub(super) scope: String,
    pub(super) person: usize,
    pub(super) auth_time_s: u64,
    /// It has been tried, well or not.
    pub(super) is_spent: bool,
    /// The access token that came of it.
    pub(super) token: Option<Name>,
}

/// The code of an error, and a fixed sentence.
type Refusal = (&'static str, &'static str);

pub(super) fn answer<B: AsRef<[u8]>>(
    provider: &Provider,
    scene: &Scene<'_>,
    request: &Request<B>,
) -> Response<String> {
    if request.method() != Method::POST {
        return reply::refused("invalid_request", "only POST");
    }
    match redeem(provider, scene, request) {
        Ok(tokens) => reply::json_of(StatusCode::OK, &tokens),
        Err((error, description)) => reply::refused(error, description),
    }
}

fn redeem<B: AsRef<[u8]>>(
    provider: &Provider,
    scene: &Scene<'_>,
    request: &Request<B>,
) -> Result<Value, Refusal> {
    let parameters = Parameters::of(request).map_err(|sentence| ("invalid_request", sentence))?;
    let client = authenticate(provider, request.headers(), &parameters)?;
    match parameters.get("grant_type") {
        Some("authorization_code") => {}
        Some(_) => return Err(("unsupported_grant_type", "only `authorization_code`")),
        None => return Err(("invalid_request", "there is no `grant_type`")),
    }
    let needed = |name| {
        parameters
            .get(name)
            .ok_or(("invalid_request", "a parameter is missing"))
    };
    let (name, redirect_uri) = (Name::of(needed("code")?), needed("redirect_uri")?);
    let verifier = needed("code_verifier")?;

    let invalid = ("invalid_grant", "the code is not good, or no longer");
    let mut shelves = provider.shelves();
    let shelves = &mut *shelves;
    let code = shelves.codes.find(name, scene.now_ms).ok_or(invalid)?;
    if code.client != client {
        return Err(invalid);
    }
    if code.is_spent {
        // Somebody else has had it too (RFC 6749 §4.1.2).
        if let Some(token) = code.token.take() {
            shelves.access.take(token, scene.now_ms);
        }
        return Err(invalid);
    }
    // One try, also for a wrong verifier.
    code.is_spent = true;
    if code.redirect_uri != redirect_uri || !fits(verifier, &code.challenge) {
        return Err(invalid);
    }
    let issued = |_: Error| ("server_error", "the token could not be made");
    let access_token = secret().map_err(issued)?;
    let id_token = id_token(provider, scene, code).map_err(issued)?;
    let token = Name::of(&access_token);
    code.token = Some(token);
    let access = Access {
        person: code.person,
    };
    shelves.access.put(token, access, scene.now_ms);
    let hint = Hint { client, token };
    shelves.hints.put(Name::of(&id_token), hint, scene.now_ms);
    Ok(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": ACCESS_MS / 1000,
        "scope": code.scope,
        "id_token": id_token,
    }))
}

/// OpenID Connect Core 1.0 §2.
fn id_token(provider: &Provider, scene: &Scene<'_>, code: &Code) -> Result<String, Error> {
    let issued_at_s = scene.now_ms / 1000;
    let mut header = Map::new();
    header.insert("typ".to_owned(), json!("JWT"));
    let mut claims = Map::new();
    let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    claim("iss", json!(scene.issuer.url));
    claim("aud", json!(provider.settings.clients[code.client].id));
    claim("iat", json!(issued_at_s));
    claim("exp", json!(issued_at_s + ID_TOKEN_S));
    claim("auth_time", json!(code.auth_time_s));
    if let Some(nonce) = &code.nonce {
        claim("nonce", json!(nonce));
    }
    claims.extend(provider.settings.people[code.person].claims());
    scene.issuer.signer()?.sign(&header, &claims)
}

/// The place of the client: by `client_secret_basic`, `client_secret_post`, or, if it
/// has no secret, by its name alone (RFC 6749 §2.3.1).
fn authenticate(
    provider: &Provider,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<usize, Refusal> {
    let unknown = (
        "invalid_client",
        "the client is not known, or its secret is wrong",
    );
    let (posted_id, posted) = (parameters.get("client_id"), parameters.get("client_secret"));
    let mut basics = headers.get_all(AUTHORIZATION).iter();
    let (id, secret) = match (basics.next(), basics.next()) {
        (Some(_), Some(_)) => return Err(("invalid_request", "two `Authorization` headers")),
        (Some(_), None) if posted.is_some() => {
            return Err(("invalid_request", "two ways of client authentication"));
        }
        (Some(value), None) => {
            let (id, secret) = value.to_str().ok().and_then(basic).ok_or(unknown)?;
            if posted_id.is_some_and(|posted| posted != id) {
                return Err(("invalid_request", "two clients"));
            }
            (id, Some(secret).filter(|secret| !secret.is_empty()))
        }
        (None, _) => {
            let id = posted_id.ok_or(unknown)?;
            (id.to_owned(), posted.map(str::to_owned))
        }
    };
    let (place, client) = provider.settings.client(&id).ok_or(unknown)?;
    let is_known = match (&client.secret, secret) {
        (None, None) => true,
        (Some(own), Some(given)) => {
            verify_slices_are_equal(own.as_bytes(), given.as_bytes()).is_ok()
        }
        (None, Some(_)) | (Some(_), None) => false,
    };
    is_known.then_some(place).ok_or(unknown)
}

/// ID and secret, each of them encoded like a form before the base64 (RFC 6749 §2.3.1).
fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, text) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded = |text: &str| {
        // A form of one name, which ends nowhere before the text does.
        let text = text.replace('&', "%26").replace('=', "%3D");
        let mut names = form_urlencoded::parse(text.as_bytes());
        names
            .next()
            .map_or(String::new(), |(name, _)| name.into_owned())
    };
    Some((decoded(id), decoded(secret)))
}

/// Whether a verifier is that of a challenge of S256 (RFC 7636 §4.1, §4.6).
fn fits(verifier: &str, challenge: &str) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let is_verifier = (43..=128).contains(&verifier.len()) && verifier.bytes().all(is_unreserved);
    let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    is_verifier && verify_slices_are_equal(hash.as_bytes(), challenge.as_bytes()).is_ok()
}
