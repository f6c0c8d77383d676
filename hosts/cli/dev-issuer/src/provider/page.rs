//! The pages. Its templates escape every value; there is no script.

use http::{HeaderValue, Response, StatusCode};
use maud::{DOCTYPE, Markup, html};

use super::{
    reply,
    settings::{Person, Settings},
};

pub(super) const STYLE_PATH: &str = "/style.css";
pub(super) const STYLE: &str = include_str!("style.css");

/// No `form-action`: browsers apply it to every redirect that follows a form, and an
/// app may lead from its callback to anywhere.
const CONTENT_POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The page on which one picks who signs in. `asked` are the parameters that come back
/// with the choice.
pub(super) fn choice(
    settings: &Settings,
    client: &str,
    asked: &[(&str, Option<&str>)],
) -> Response<String> {
    let mut organizations: Vec<(Option<&str>, Vec<&Person>)> = Vec::new();
    for person in &settings.people {
        let name = person.organization.as_deref();
        match organizations.iter_mut().find(|(other, _)| *other == name) {
            Some((_, people)) => people.push(person),
            None => organizations.push((name, vec![person])),
        }
    }
    let content = html! {
        p { "Who signs in to " strong { (client) } "? There are no passwords." }
        form method="post" action="/authorize" {
            @for (name, value) in asked {
                @if let Some(value) = value {
                    input type="hidden" name=(name) value=(value);
                }
            }
            @for (organization, people) in organizations {
                fieldset {
                    legend { (organization.unwrap_or("without an organisation")) }
                    @for person in people { (button(person)) }
                }
            }
            button name="cancel" value="yes" { "Nobody: go back" }
        }
    };
    page(StatusCode::OK, "Sign in", &content)
}

fn button(person: &Person) -> Markup {
    html! {
        button name="person" value=(person.sub) {
            (person.name)
            small {
                @if let Some(email) = &person.email { (email) " " }
                (person.roles.join(", "))
            }
        }
    }
}

/// What is here.
pub(super) fn home(settings: &Settings, issuer: &str) -> Response<String> {
    let content = html! {
        p { "An OpenID provider for development. Apps that know this address sign people in here." }
        p { "Issuer: " code { (issuer) } }
        p { a href="/.well-known/openid-configuration" { "Metadata" } ", "
            a href="/.well-known/jwks.json" { "keys" } }
        h2 { "Apps" }
        ul {
            @for client in &settings.clients {
                li {
                    strong { (client.id) }
                    @for uri in &client.redirect_uris { small { code { (uri) } } }
                }
            }
        }
        h2 { "People" }
        ul {
            @for person in &settings.people {
                li { (person.name) small { (person.organization.as_deref().unwrap_or_default()) } }
            }
        }
    };
    page(StatusCode::OK, "Development provider", &content)
}

/// After a sign-out that returns nowhere by itself.
pub(super) fn signed_out(back: Option<(&str, &str)>) -> Response<String> {
    let content = html! {
        p { "You are signed out here. The next sign-in asks again who it is." }
        @if let Some((client, uri)) = back {
            p { a href=(uri) { "Back to " (client) } }
        }
    };
    page(StatusCode::OK, "Signed out", &content)
}

/// Why nothing happens: a fixed sentence.
pub(super) fn refused(status: StatusCode, sentence: &str) -> Response<String> {
    let content = html! { p { (sentence) "." } };
    page(status, "Not possible", &content)
}

fn page(status: StatusCode, title: &str, content: &Markup) -> Response<String> {
    let text = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) " · development only" }
                link rel="stylesheet" href=(STYLE_PATH);
            }
            body {
                p.warning { strong { "DEVELOPMENT ONLY" } ": anybody can sign in as anybody. Never trust this in production." }
                main { h1 { (title) } (content) }
            }
        }
    };
    let mut response = reply::of(status, "text/html; charset=utf-8", text.into_string());
    for (name, value) in [
        ("content-security-policy", CONTENT_POLICY),
        ("x-frame-options", "DENY"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}
