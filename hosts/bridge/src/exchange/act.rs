//! Who acts for a subject (RFC 8693 §4.1): kept, and nested below who acts now.

use serde_json::{Map, Value, json};

use super::subject;
use crate::{
    app::App,
    clients::Client,
    refusal::Refusal,
    subjects::{Shown, Source},
};

/// How many may have acted one after the other.
const DEEP: usize = 4;

/// The longest name of one.
const NAME_BYTES: usize = 512;

/// An actor whose token is good.
pub(super) struct Actor {
    sub: String,
    pub(super) ends_at: i64,
}

/// The actor of a token. It is one of the bridge itself: others' names could be taken for
/// one of its own.
pub(super) async fn actor(app: &App, token: &str) -> Result<Actor, Refusal> {
    let refused = Refusal::request("the actor token is not good here");
    let shown = app.subjects.actor(token).await?;
    let (Source::Own(_), Some(jti)) = (&shown.source, shown.text("jti")) else {
        return Err(refused);
    };
    let is_known = subject::parent(app, jti).await;
    is_known.map_err(|error| match error.is_unavailable() {
        true => error,
        false => refused,
    })?;
    // Somebody acts for it already: that chain would be lost.
    if shown.claims.contains_key("act") {
        return Err(refused);
    }
    let sub = shown.principal.subject.clone().ok_or(refused)?;
    let now = app.clock.now_ms();
    let is_good = app.store.is_good_subject(&sub, shown.issued_at(), now);
    match is_good.await? {
        true => Ok(Actor {
            sub,
            ends_at: shown.ends_at,
        }),
        false => Err(refused),
    }
}

/// Whether this actor may act for this subject: the client itself, or whom the subject
/// token names (`may_act`, §4.4). Where it names somebody, nobody else may, a client
/// without an actor token included.
pub(super) fn require_may_act(
    app: &App,
    client: &Client,
    shown: &Shown,
    actor: Option<&Actor>,
) -> Result<(), Refusal> {
    let party = actor.map_or(&*client.id, |actor| &actor.sub);
    let may = match shown.claims.get("may_act") {
        None => party == client.id,
        Some(named) => {
            // Without `iss` the name is one of the token's issuer.
            let iss = named.get("iss").map_or(shown.text("iss"), Value::as_str);
            let is_ours = iss == Some(app.config.issuer.as_str());
            is_ours && named.get("sub").and_then(Value::as_str) == Some(party)
        }
    };
    match may {
        true => Ok(()),
        false => Err(Refusal::request("this actor may not act for the subject")),
    }
}

/// `act` of the new token.
pub(super) fn chain(
    app: &App,
    shown: &Shown,
    actor: Option<&Actor>,
) -> Result<Option<Value>, Refusal> {
    let refused = Refusal::request("`act` of the subject token cannot be kept");
    let foreign = match &shown.source {
        Source::Own(_) => None,
        Source::Issuer(_) | Source::App(..) => Some(&*shown.principal.iss),
    };
    let own = app.config.issuer.as_str();
    let deep = DEEP - usize::from(actor.is_some());
    let kept = shown.claims.get("act");
    let kept = kept.map(|act| keep(act, own, foreign, deep).ok_or(refused));
    let kept = kept.transpose()?;
    Ok(match actor {
        None => kept,
        Some(actor) => {
            let mut act = json!({ "sub": actor.sub });
            if let Some(kept) = kept {
                act["act"] = kept;
            }
            Some(act)
        }
    })
}

/// Names only, each with its issuer where that is another one. `None` where a name is
/// missing or is said to be the bridge's by somebody else, or there are too many.
fn keep(act: &Value, own: &str, foreign: Option<&str>, deep: usize) -> Option<Value> {
    let act = act.as_object().filter(|_| deep > 0)?;
    let name = |value: &Value| {
        let text = value.as_str()?;
        (1..=NAME_BYTES).contains(&text.len()).then(|| json!(text))
    };
    let mut kept = Map::new();
    kept.insert("sub".to_owned(), name(act.get("sub")?)?);
    let iss = match (act.get("iss"), foreign) {
        (Some(iss), _) => Some(name(iss)?),
        (None, Some(foreign)) => Some(json!(foreign)),
        (None, None) => None,
    };
    if foreign.is_some() && iss.as_ref() == Some(&json!(own)) {
        return None;
    }
    if let Some(iss) = iss {
        kept.insert("iss".to_owned(), iss);
    }
    if let Some(before) = act.get("act") {
        kept.insert("act".to_owned(), keep(before, own, foreign, deep - 1)?);
    }
    Some(Value::Object(kept))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::keep;

    const OWN: &str = "https://auth.example.com";
    const OTHER: &str = "https://id.example.com";

    #[test]
    fn names_are_kept_in_their_order_and_nothing_else_is() {
        let act = json!({ "sub": "b", "exp": 1, "act": { "sub": "a", "iss": OTHER } });
        let kept = json!({ "sub": "b", "act": { "sub": "a", "iss": OTHER } });
        assert_eq!(keep(&act, OWN, None, 4), Some(kept));
        let kept = json!({ "sub": "b", "iss": OTHER, "act": { "sub": "a", "iss": OTHER } });
        assert_eq!(keep(&act, OWN, Some(OTHER), 4), Some(kept));
    }

    #[test]
    fn what_is_no_chain_is_refused_and_nobody_else_names_the_bridge_s_own() {
        let deep = |count: usize| {
            (0..count).fold(Value::Null, |act, _| match act {
                Value::Null => json!({ "sub": "a" }),
                act => json!({ "sub": "a", "act": act }),
            })
        };
        assert!(keep(&deep(4), OWN, None, 4).is_some());
        for wrong in [
            deep(5),
            json!("a"),
            json!({}),
            json!({ "sub": 7 }),
            json!({ "sub": "" }),
            json!({ "sub": "a", "iss": 7 }),
            json!({ "sub": "a", "act": null }),
            json!({ "sub": "a".repeat(513) }),
        ] {
            assert_eq!(keep(&wrong, OWN, None, 4), None, "{wrong}");
        }
        let ours = json!({ "sub": "orders", "iss": OWN });
        assert!(keep(&ours, OWN, None, 4).is_some());
        assert_eq!(keep(&ours, OWN, Some(OTHER), 4), None);
        let nested = json!({ "sub": "a", "act": ours });
        assert_eq!(keep(&nested, OWN, Some(OTHER), 4), None);
    }
}
