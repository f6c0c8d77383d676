//! Machines: the grant of client credentials (RFC 6749 §4.4).

use crate::{
    app::App,
    clients::Client,
    config::GrantType,
    form::Form,
    mint::{Class, Order},
    refusal::Refusal,
    reply::Granted,
};

/// A token for the client itself: its `sub` is the client's id (RFC 9068 §2.2), which no
/// person and no node has.
pub(crate) async fn client_credentials(
    app: &App,
    client: &Client,
    form: &Form,
) -> Result<Granted, Refusal> {
    client.require(GrantType::ClientCredentials)?;
    if client.is_public() {
        return Err(Refusal::client());
    }
    let scopes = client.scopes(form.get("scope"))?;
    let audience = client.audience(form)?;
    let mut order = Order::new(Class::Pat, &client.id, audience, &client.id);
    order.tenant = client.tenant.as_deref();
    order.roles = &client.roles;
    order.scopes = &scopes;
    Ok(Granted::bearer(app.mint.issue(&order).await?))
}
