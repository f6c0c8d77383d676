//! `/logout` (OpenID Connect RP-Initiated Logout 1.0).

use http::{Request, Response, StatusCode};

use super::{
    Provider, Scene, page,
    parameters::{Parameters, with_parameters},
    reply,
    shelf::Name,
};

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
    // A hint is an ID token that was issued here since the start: it is found by its
    // hash, so that nothing here verifies a token.
    let hint = parameters.get("id_token_hint").map(Name::of);
    let hint = hint.and_then(|name| {
        let mut shelves = provider.shelves();
        let hint = shelves.hints.take(name, scene.now_ms)?;
        shelves.access.take(hint.token, scene.now_ms);
        Some(hint)
    });
    let named = parameters.get("client_id");
    let named = match named.map(|id| provider.settings.client(id)) {
        Some(None) => return refused("No client has this `client_id`"),
        Some(Some((place, _))) => Some(place),
        None => None,
    };
    let hinted = hint.map(|hint| hint.client);
    if named.is_some() && hinted.is_some() && named != hinted {
        return refused("The `id_token_hint` is of another client");
    }
    let Some(uri) = parameters.get("post_logout_redirect_uri") else {
        return page::signed_out(None);
    };
    let client = hinted
        .or(named)
        .map(|place| &provider.settings.clients[place]);
    let registered = client.filter(|client| {
        let mut uris = client.post_logout_redirect_uris.iter();
        uris.any(|one| one == uri)
    });
    let Some(client) = registered else {
        return refused("The `post_logout_redirect_uri` is not one that the client has registered");
    };
    let back = with_parameters(uri, &[("state", parameters.get("state"))]);
    match hinted {
        Some(_) => reply::redirect(&back),
        // It may be anybody who sent the browser here: a person goes on by a click.
        None => page::signed_out(Some((&client.id, &back))),
    }
}
