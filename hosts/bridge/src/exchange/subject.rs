//! For whom a token is exchanged, and the most that the new one may have.

use crate::{
    app::App,
    config::{PERSON_PREFIX, TrustedIssuer},
    members::Membership,
    refusal::Refusal,
    seal,
    store::PersonRow,
    subjects::{Shown, Source},
};

/// OpenID Connect Core §2: `sub` has at most 255 characters of ASCII.
const SUBJECT_BYTES: usize = 255;

/// Roles of one subject, and the length of each: as many as a member may have.
const ROLES: usize = 64;
const NAME_BYTES: usize = 128;

/// The subject of a token that is good.
pub(super) struct Subject {
    /// `sub` of the new token.
    pub(super) id: String,
    pub(super) tenant: Option<String>,
    /// Whether it is a member there, with the roles that it has here.
    pub(super) is_member: bool,
    pub(super) roles: Vec<String>,
    /// The most that it is allowed.
    pub(super) scopes: Vec<String>,
    /// When what was shown ends.
    pub(super) ends_at: i64,
    /// The session with which all that was made from it ends.
    pub(super) session: Option<String>,
    /// The `jti` of a token of the bridge itself.
    pub(super) parent: Option<String>,
}

/// The subject, as it is now.
///
/// # Errors
/// It may have no token here, or this cannot be known now.
pub(super) async fn of(
    app: &App,
    shown: &Shown,
    asked_tenant: Option<&str>,
) -> Result<Subject, Refusal> {
    let subject = match &shown.source {
        Source::Own(_) => of_own(app, shown, asked_tenant).await?,
        Source::Issuer(issuer) => of_issuer(app, issuer, shown, asked_tenant).await?,
        Source::App(..) => of_app(app, shown, asked_tenant).await?,
    };
    let now = app.clock.now_ms();
    let store = &app.store;
    let is_good = store.is_good_subject(&subject.id, shown.issued_at(), now);
    match is_good.await? {
        true => Ok(subject),
        false => Err(refused()),
    }
}

/// A token of the bridge itself: what it has, as far as its subject still has that.
async fn of_own(app: &App, shown: &Shown, asked: Option<&str>) -> Result<Subject, Refusal> {
    let jti = shown.text("jti").ok_or(refused())?;
    let parent = parent(app, jti).await?;
    let principal = &shown.principal;
    let id = principal.subject.clone().ok_or(refused())?;
    let tenant = principal.tenant.clone();
    if asked.is_some() && asked != tenant.as_deref() {
        return Err(Refusal::request(
            "the subject token is another organisation's",
        ));
    }
    let (mut roles, mut scopes) = (principal.roles.clone(), principal.scopes.clone());
    let is_member = id.starts_with(PERSON_PREFIX);
    if is_member {
        let tenant = tenant.as_deref().ok_or(refused())?;
        let now = membership(app, &id, tenant).await?;
        roles.retain(|role| now.roles.contains(role));
        scopes.retain(|scope| now.scopes.contains(scope));
    } else {
        // A machine: one that is no client any more has no more tokens.
        let client = app.clients.find(&id).await?.ok_or(refused())?;
        if client.tenant != tenant {
            return Err(refused());
        }
        roles.retain(|role| client.roles.contains(role));
        scopes.retain(|scope| client.scopes.contains(scope));
    }
    Ok(Subject {
        id,
        tenant,
        is_member,
        roles,
        scopes,
        ends_at: shown.ends_at,
        session: parent,
        parent: Some(jti.to_owned()),
    })
}

/// The session of a platform access token that was issued here and is not revoked.
///
/// # Errors
/// It is none: a token that is not recorded is of somebody who has a key.
pub(super) async fn parent(app: &App, jti: &str) -> Result<Option<String>, Refusal> {
    let parent = app.store.parent(jti, app.clock.now_ms()).await?;
    let parent = parent.filter(|parent| parent.class == crate::mint::Class::Pat.as_str());
    Ok(parent.ok_or(refused())?.session)
}

async fn of_issuer(
    app: &App,
    issuer: &TrustedIssuer,
    shown: &Shown,
    asked: Option<&str>,
) -> Result<Subject, Refusal> {
    let principal = &shown.principal;
    let sub = principal.subject.as_deref();
    let id = person(app, &principal.iss, sub.ok_or(refused())?).await?;
    let said: Vec<_> = principal.tenant.iter().chain(&principal.tenants).collect();
    // Where the token names organisations, it is for one of them.
    let tenant = match (asked, &*said) {
        (Some(asked), []) if issuer.has_members => asked.to_owned(),
        (Some(asked), said) if said.iter().any(|said| *said == asked) => asked.to_owned(),
        (None, [first, rest @ ..]) if rest.iter().all(|said| said == first) => (*first).clone(),
        (None, _) => return Err(Refusal::request("say the `tenant`")),
        (Some(_), _) => {
            let description = "the subject token is another organisation's";
            return Err(Refusal::request(description));
        }
    };
    if !(1..=NAME_BYTES).contains(&tenant.len()) {
        return Err(refused());
    }
    let (roles, mut scopes) = match issuer.has_members {
        true => {
            let membership = membership(app, &id, &tenant).await?;
            (membership.roles, membership.scopes)
        }
        false => {
            let roles = principal.roles.clone();
            let is_role = |role: &String| (1..=NAME_BYTES).contains(&role.len());
            if roles.len() > ROLES || !roles.iter().all(is_role) {
                return Err(refused());
            }
            let scopes = match issuer.has_scopes() {
                true => principal.scopes.clone(),
                false => app.members.scopes_of(&roles),
            };
            (roles, scopes)
        }
    };
    if issuer.has_scopes() {
        scopes.retain(|scope| principal.scopes.contains(scope));
    }
    Ok(Subject {
        id,
        tenant: Some(tenant),
        is_member: issuer.has_members,
        roles,
        scopes,
        ends_at: shown.ends_at,
        session: None,
        parent: None,
    })
}

/// A person that an app names. What the person may do, the app does not say.
async fn of_app(app: &App, shown: &Shown, asked: Option<&str>) -> Result<Subject, Refusal> {
    let iss = shown.claims.get("sub_id").and_then(|id| id["iss"].as_str());
    let sub = shown.principal.subject.as_deref();
    let ends_at = shown.seconds("session_expires_at").ok_or(refused())?;
    let tenant = asked.ok_or(Refusal::request("say the `tenant`"))?;
    if tenant.len() > NAME_BYTES {
        return Err(Refusal::request("say the `tenant`"));
    }
    let id = person(app, iss.ok_or(refused())?, sub.ok_or(refused())?).await?;
    let membership = membership(app, &id, tenant).await?;
    Ok(Subject {
        id,
        tenant: Some(tenant.to_owned()),
        is_member: true,
        roles: membership.roles,
        scopes: membership.scopes,
        // The assertion lives a minute: the end is that of what it speaks of.
        ends_at: ends_at.saturating_mul(1000),
        session: None,
        parent: None,
    })
}

/// The id of a person, who may be new.
async fn person(app: &App, iss: &str, sub: &str) -> Result<String, Refusal> {
    if !(1..=SUBJECT_BYTES).contains(&sub.len()) {
        return Err(refused());
    }
    let id = format!("{PERSON_PREFIX}{}", seal::random::<16>()?);
    let row = PersonRow {
        id: &id,
        iss,
        sub,
        name: None,
    };
    let met = app.store.meet_person(&row, app.clock.now_ms()).await?;
    match met.is_disabled {
        true => Err(refused()),
        false => Ok(met.id),
    }
}

async fn membership(app: &App, person: &str, tenant: &str) -> Result<Membership, Refusal> {
    let membership = app.members.of(person, tenant).await?;
    membership.ok_or(Refusal::request("the subject is no member of it"))
}

/// One text for every reason: it would help only somebody who guesses.
fn refused() -> Refusal {
    Refusal::request("the subject token is not good here")
}
