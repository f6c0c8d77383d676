//! An OpenID provider for development: people are picked on a page, without passwords.

mod authorize;
mod logout;
mod page;
mod parameters;
mod redeem;
mod reply;
mod settings;
mod shelf;
mod userinfo;

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{HeaderValue, Method, Request, Response, StatusCode, header::ALLOW};
use serde_json::{Value, json};

use self::{
    redeem::Code,
    shelf::{Name, Shelf},
};
use crate::issuer::Issuer;

pub use self::settings::{Client, Fault, Person, Settings};

/// A code is good for a minute.
const CODE_MS: u64 = 60_000;
const ACCESS_MS: u64 = 600_000;
const ID_TOKEN_S: u64 = 600;
/// A working day: so long an ID token is a hint for `/logout`.
const HINT_MS: u64 = 12 * 3_600_000;

/// More than one person and a test suite have at a time.
const MAX_CODES: usize = 1_000;
const MAX_TOKENS: usize = 10_000;

/// An OpenID provider for development, in memory. It signs with an [`Issuer`], whose
/// URL is its own.
///
/// `/authorize` (code flow with PKCE, RFC 7636; `iss` in the response, RFC 9207),
/// `/token`, `/userinfo`, `/logout`, metadata and keys. There are no sessions: every
/// sign-in asks who it is. At most 1,000 codes and 10,000 access tokens are
/// good at a time; the oldest ones make room.
pub struct Provider {
    settings: Settings,
    shelves: Mutex<Shelves>,
}

struct Shelves {
    codes: Shelf<Code>,
    access: Shelf<Access>,
    /// By ID token.
    hints: Shelf<Hint>,
}

/// What an access token stands for: the person's place in the settings.
struct Access {
    person: usize,
}

/// What an ID token that comes back says.
struct Hint {
    client: usize,
    token: Name,
}

/// Who answers, and when.
struct Scene<'a> {
    issuer: &'a Issuer,
    now_ms: u64,
}

impl Provider {
    /// A provider that has signed in nobody yet.
    ///
    /// # Errors
    /// Everything that is wrong in the settings.
    pub fn new(settings: Settings) -> Result<Self, Vec<Fault>> {
        let faults = settings.faults();
        if !faults.is_empty() {
            return Err(faults);
        }
        let shelves = Shelves {
            codes: Shelf::new(CODE_MS, MAX_CODES),
            access: Shelf::new(ACCESS_MS, MAX_TOKENS),
            hints: Shelf::new(HINT_MS, MAX_TOKENS),
        };
        Ok(Self {
            settings,
            shelves: Mutex::new(shelves),
        })
    }

    /// The response to a request with its whole body. `issuer` is read anew by the
    /// caller if its keys can have been rotated; `now_ms` is milliseconds since 1970.
    pub fn answer<B: AsRef<[u8]>>(
        &self,
        issuer: &Issuer,
        request: &Request<B>,
        now_ms: u64,
    ) -> Response<String> {
        let scene = &Scene { issuer, now_ms };
        if !matches!(*request.method(), Method::GET | Method::HEAD | Method::POST) {
            return not_allowed("GET, HEAD, POST");
        }
        match request.uri().path() {
            "/authorize" => return authorize::answer(self, scene, request),
            "/token" => return redeem::answer(self, scene, request),
            "/userinfo" => return userinfo::answer(self, scene, request),
            "/logout" => return logout::answer(self, scene, request),
            _ => {}
        }
        if request.method() == Method::POST {
            return not_allowed("GET, HEAD");
        }
        match request.uri().path() {
            "/" => page::home(&self.settings, &issuer.url),
            "/.well-known/openid-configuration" => reply::document(&metadata(issuer)),
            page::STYLE_PATH => reply::of(StatusCode::OK, "text/css", page::STYLE.to_owned()),
            path => match issuer.document(path) {
                Some(document) => reply::document(&document),
                None => page::refused(StatusCode::NOT_FOUND, "There is nothing here"),
            },
        }
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        // Each change is one step: what a panic left is whole.
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_allowed(methods: &'static str) -> Response<String> {
    let sentence = "The method is not one of this address";
    let mut response = page::refused(StatusCode::METHOD_NOT_ALLOWED, sentence);
    let methods = HeaderValue::from_static(methods);
    response.headers_mut().insert(ALLOW, methods);
    response
}

/// OpenID Connect Discovery 1.0 §3.
fn metadata(issuer: &Issuer) -> Value {
    let at = |path: &str| format!("{}{path}", issuer.url);
    json!({
        "issuer": issuer.url,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"),
        "end_session_endpoint": at("/logout"),
        "jwks_uri": issuer.jwks_uri(),
        "scopes_supported": authorize::SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": issuer.algorithms(),
        "token_endpoint_auth_methods_supported":
            ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "name", "email",
            "email_verified", "organization", "roles"
        ],
        "authorization_response_iss_parameter_supported": true,
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "development_only": true,
    })
}
