//! API keys: found in the document of their issuer.

use alloc::{format, sync::Arc};

use super::Checks;
use crate::{
    documents::{Found, claims_of},
    json,
    model::ApiKeys,
    refusal::{Code, Halt, Trace, quoted},
    token::{HeaderFacts, Origin, Verified, describe_claims},
};

impl Checks<'_> {
    /// Finds an API key in the document of its issuer.
    pub(super) fn verify_api_key(
        &self,
        key: &[u8],
        index: usize,
        api_keys: &ApiKeys,
        trace: &mut Trace<'_>,
    ) -> Result<Verified, Halt> {
        let bounds = &self.policy.limits;
        let form = match key.len() > bounds.token_bytes {
            true => Err(Code::TokenTooLarge),
            false => match api_keys.is_well_formed(key) {
                true => Ok(()),
                false => Err(Code::ApiKeyInvalid),
            },
        };
        trace.record("token", form, || {
            let checked = match api_keys.checksum {
                true => "visible ASCII with its checksum at the end",
                false => "visible ASCII",
            };
            format!("{} bytes; an API key is at most 512, {checked}", key.len())
        })?;
        let document = self.issuers.api_keys(index, self.now_ms);
        let document = trace.record("api_keys", document, || {
            "the issuer's document of API keys".into()
        })?;
        let found = document.find(api_keys, key);
        let entry = match &found {
            Found::Active(entry) => Ok(*entry),
            _ => Err(Code::ApiKeyInvalid),
        };
        let entry = trace.record("api_key", entry, || {
            let what = match &found {
                Found::Nothing => return "the document has neither its id nor its hash".into(),
                Found::OtherHash => "the document has another hash for its id",
                Found::Inactive => "its `status` is not `active`, or its entry is skipped",
                Found::Active(_) => "found",
            };
            // Only an id that the document has is one: of other keys it could be
            // a part of their secret.
            match api_keys.id_of(key).filter(|id| document.has_id(id)) {
                Some(id) => format!("id {}: {what}", quoted(id)),
                None => format!("by its hash: {what}"),
            }
        })?;
        let issuer = self.policy.issuers.get(index).ok_or(Code::InternalError)?;
        let text = claims_of(entry, &issuer.issuer);
        let read = || {
            let (_, claims) = json::parse_claims(&text, bounds.into());
            let claims = claims.map_err(|_| Code::ClaimsInvalid)?;
            let header = HeaderFacts {
                origin: Origin::ApiKeys,
                typ: None,
            };
            let text = core::str::from_utf8(&text).map_err(|_| Code::ClaimsInvalid)?;
            let (number, text) = (self.number.get(), Arc::from(text));
            Verified::new(number, self.policy, index, header, claims, text)
        };
        let verified = read();
        let failed = verified.as_ref().err();
        let failed = failed.and_then(|refusal| refusal.claim.clone());
        trace.record("claims", verified, || {
            describe_claims(&text, bounds, failed.as_deref())
        })
    }
}
