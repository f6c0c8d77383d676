//! `/authorize`: who signs in (RFC 6749 §4.1.1, OpenID Connect Core 1.0 §3.1.2).

use http::{Method, Request, Response, StatusCode, header::ORIGIN};
use url::Url;

use super::{
    Provider, Scene, page,
    parameters::{Parameters, with_parameters},
    redeem::Code,
    reply,
    settings::Client,
    shelf::{Name, secret},
};

pub(super) const SCOPES: [&str; 3] = ["openid", "profile", "email"];

/// A request for a code that may be answered by a redirect to its client.
struct Asked<'a> {
    place: usize,
    client: &'a Client,
    redirect_uri: &'a str,
    parameters: &'a Parameters,
}

/// What a code is for.
struct Terms<'a> {
    challenge: &'a str,
    scope: String,
}

pub(super) fn answer<B: AsRef<[u8]>>(
    provider: &Provider,
    scene: &Scene<'_>,
    request: &Request<B>,
) -> Response<String> {
    let refused = |sentence| page::refused(StatusCode::BAD_REQUEST, sentence);
    let parameters = match Parameters::of(request) {
        Ok(parameters) => parameters,
        Err(sentence) => return refused(sentence),
    };
    // Until client and redirect URI are known, nobody is redirected (RFC 9700 §4.11.2).
    let client = parameters.get("client_id");
    let Some((place, client)) = client.and_then(|id| provider.settings.client(id)) else {
        return refused("No client has this `client_id`");
    };
    let uri = parameters.get("redirect_uri");
    let Some(redirect_uri) = uri.filter(|uri| client.redirect_uris.iter().any(|one| one == uri))
    else {
        return refused("The `redirect_uri` is not one that the client has registered");
    };
    let asked = Asked {
        place,
        client,
        redirect_uri,
        parameters: &parameters,
    };
    let terms = match asked.terms() {
        Ok(terms) => terms,
        Err((error, description)) => return asked.refuse(scene, error, description),
    };
    let chosen = request.method() == Method::POST
        && ["person", "cancel"]
            .iter()
            .any(|name| parameters.get(name).is_some());
    if !chosen {
        return asked.choice(provider);
    }
    if !is_own_page(scene, request) {
        let sentence = "The choice does not come from the page of this provider";
        return page::refused(StatusCode::FORBIDDEN, sentence);
    }
    if parameters.get("cancel").is_some() {
        return asked.refuse(scene, "access_denied", "nobody signed in");
    }
    let mut people = provider.settings.people.iter();
    match people.position(|person| parameters.get("person") == Some(&person.sub)) {
        Some(person) => asked.grant(provider, scene, &terms, person),
        None => refused("Nobody has this name here"),
    }
}

impl<'a> Asked<'a> {
    /// The error is its code and a sentence (RFC 6749 §4.1.2.1).
    fn terms(&self) -> Result<Terms<'a>, (&'static str, &'static str)> {
        let get = |name| self.parameters.get(name);
        if get("request").is_some() {
            return Err(("request_not_supported", "no request objects here"));
        }
        if get("request_uri").is_some() {
            return Err(("request_uri_not_supported", "no request objects here"));
        }
        if get("response_type") != Some("code") {
            return Err(("unsupported_response_type", "only `code`"));
        }
        if get("response_mode").is_some_and(|mode| mode != "query") {
            return Err(("invalid_request", "only the response mode `query`"));
        }
        let wanted: Vec<_> = get("scope").unwrap_or_default().split(' ').collect();
        if !wanted.contains(&"openid") {
            return Err(("invalid_scope", "the scope `openid` is missing"));
        }
        // Without a method it would be `plain` (RFC 7636 §4.3).
        if get("code_challenge_method") != Some("S256") {
            return Err(("invalid_request", "PKCE with `S256` is needed"));
        }
        let is_hash = |text: &&str| {
            let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            text.len() == 43 && text.bytes().all(is_base64url)
        };
        let challenge = get("code_challenge").filter(is_hash);
        let challenge = challenge.ok_or(("invalid_request", "no `code_challenge` of S256"))?;
        let prompt = get("prompt").unwrap_or_default();
        if prompt.split(' ').any(|word| word == "none") {
            // There are no sessions: every sign-in asks.
            return Err(("login_required", "nobody signs in without the page"));
        }
        let given = SCOPES.into_iter().filter(|scope| wanted.contains(scope));
        Ok(Terms {
            challenge,
            scope: given.collect::<Vec<_>>().join(" "),
        })
    }

    fn choice(&self, provider: &Provider) -> Response<String> {
        let names = [
            "client_id",
            "redirect_uri",
            "response_type",
            "scope",
            "state",
            "nonce",
            "code_challenge",
            "code_challenge_method",
        ];
        let asked = names.map(|name| (name, self.parameters.get(name)));
        page::choice(&provider.settings, &self.client.id, &asked)
    }

    fn grant(
        &self,
        provider: &Provider,
        scene: &Scene<'_>,
        terms: &Terms<'_>,
        person: usize,
    ) -> Response<String> {
        let Ok(secret) = secret() else {
            return self.refuse(scene, "server_error", "the system has no randomness");
        };
        let code = Code {
            client: self.place,
            redirect_uri: self.redirect_uri.to_owned(),
            challenge: terms.challenge.to_owned(),
            nonce: self.parameters.get("nonce").map(str::to_owned),
            scope: terms.scope.clone(),
            person,
            auth_time_s: scene.now_ms / 1000,
            is_spent: false,
            token: None,
        };
        let mut shelves = provider.shelves();
        shelves.codes.put(Name::of(&secret), code, scene.now_ms);
        self.redirect(scene, &[("code", Some(&secret))])
    }

    fn refuse(&self, scene: &Scene<'_>, error: &str, description: &str) -> Response<String> {
        let error = [
            ("error", Some(error)),
            ("error_description", Some(description)),
        ];
        self.redirect(scene, &error)
    }

    fn redirect(&self, scene: &Scene<'_>, result: &[(&str, Option<&str>)]) -> Response<String> {
        let mut parameters = result.to_vec();
        parameters.push(("state", self.parameters.get("state")));
        // RFC 9207 §2: also with an error.
        parameters.push(("iss", Some(&scene.issuer.url)));
        reply::redirect(&with_parameters(self.redirect_uri, &parameters))
    }
}

/// Whether a form does not come from another site's page. A client that is no browser
/// does not say.
fn is_own_page<B>(scene: &Scene<'_>, request: &Request<B>) -> bool {
    let Some(origin) = request.headers().get(ORIGIN) else {
        return true;
    };
    let own = Url::parse(&scene.issuer.url);
    own.is_ok_and(|own| *origin == *own.origin().ascii_serialization())
}
