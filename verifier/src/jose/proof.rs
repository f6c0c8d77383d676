//! A proof of possession (RFC 9449 §4.2): a compact JWS that carries its key.

use alloc::{boxed::Box, vec::Vec};

use countersign_kernel::bytes::base64url;

use super::{
    Algorithm, Parts,
    key::{Carried, Key},
};
use crate::{
    base::{Limits, limits},
    json::{self, Object, Value},
};

/// A parsed proof. Nothing of it is verified.
pub(crate) struct Proof<'a> {
    pub(crate) jti: Box<str>,
    /// Claims that are no text are absent.
    pub(crate) htm: Option<Box<str>>,
    pub(crate) htu: Option<Box<str>>,
    pub(crate) ath: Option<Box<str>>,
    pub(crate) nonce: Option<Box<str>>,
    pub(crate) iat_ms: Option<i64>,
    signing_input: &'a [u8],
    signature: Vec<u8>,
}

impl<'a> Proof<'a> {
    /// Parses a proof and its key. The error is a clause for an explanation.
    pub(crate) fn parse(
        text: &'a [u8],
        allowed: &[Algorithm],
        bounds: &Limits,
    ) -> Result<(Self, Carried), &'static str> {
        const FORM: &str = "it is not a compact JWS";
        if text.len() > limits::PROOF_BYTES {
            return Err("it has more than 8,192 bytes");
        }
        let parts = Parts::split(text).ok_or(FORM)?;
        let header = base64url::decode(parts.header).ok_or(FORM)?;
        let payload = base64url::decode(parts.payload).ok_or(FORM)?;
        let signature = base64url::decode(parts.signature).ok_or(FORM)?;
        let key = read_header(&header, allowed, bounds)?;
        let Ok(Value::Object(claims)) = json::parse(&payload, bounds.into()) else {
            return Err("its claims are not strict JSON");
        };
        let claim = |name| text_of(&claims, name).map(Box::from);
        let jti: Option<Box<str>> = claim("jti");
        let iat = claims.get("iat");
        let proof = Self {
            jti: jti
                .filter(|jti| (1..=limits::JTI_BYTES).contains(&jti.len()))
                .ok_or("its `jti` is no text of 1 to 256 bytes")?,
            htm: claim("htm"),
            htu: claim("htu"),
            ath: claim("ath"),
            nonce: claim("nonce"),
            iat_ms: iat.and_then(Value::as_milliseconds),
            signing_input: parts.signing_input,
            signature,
        };
        Ok((proof, key))
    }

    /// Returns whether it is signed by this key.
    pub(crate) fn is_signed_by(&self, key: &Key) -> bool {
        key.verify(self.signing_input, &self.signature)
    }
}

fn read_header(
    text: &[u8],
    allowed: &[Algorithm],
    bounds: &Limits,
) -> Result<Carried, &'static str> {
    if text.len() > bounds.header_bytes {
        return Err("its header is too large");
    }
    let Ok(Value::Object(header)) = json::parse(text, bounds.into()) else {
        return Err("its header is not strict JSON");
    };
    if text_of(&header, "typ") != Some("dpop+jwt") {
        return Err("its `typ` is not `dpop+jwt`");
    }
    if header.get("crit").is_some() || header.get("b64").is_some_and(|b| *b != Value::Bool(true)) {
        return Err("it requires an extension");
    }
    let algorithm = text_of(&header, "alg").and_then(Algorithm::from_name);
    let algorithm = algorithm.filter(|algorithm| allowed.contains(algorithm));
    let jwk = header.get("jwk").and_then(Value::as_object);
    Carried::read(
        jwk.ok_or("it has no `jwk`")?,
        algorithm.ok_or("its `alg` is not one of the policy")?,
    )
}

fn text_of<'o>(object: &'o Object<'_>, name: &str) -> Option<&'o str> {
    object.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::sha256;

    /// RFC 9449 §7.1, figure 13.
    const PUBLISHED: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    const TOKEN: &[u8] = b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    /// RFC 9449 §6.1.
    const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    #[test]
    fn the_published_proof_is_read_and_verified() {
        let parse = |text| Proof::parse(text, &[Algorithm::ES256], &Limits::DEFAULT).map_err(drop);
        let (proof, carried) = parse(PUBLISHED.as_bytes()).unwrap();
        assert_eq!(base64url::encode(&carried.thumbprint), JKT);
        assert_eq!(&*proof.jti, "e1j3V_bKic8-LAEB");
        assert_eq!(proof.htm.as_deref(), Some("GET"));
        let htu = "https://resource.example.org/protectedresource";
        assert_eq!(proof.htu.as_deref(), Some(htu));
        assert_eq!(proof.iat_ms, Some(1_562_262_618_000));
        let ath = base64url::encode(&sha256(&[TOKEN]));
        assert_eq!(proof.ath.as_deref(), Some(&*ath));
        let key = carried.prepare().map_err(drop).unwrap();
        assert!(proof.is_signed_by(&key));
        // With another letter in it, the signature is another.
        let other = PUBLISHED.replace("2oW9", "2oW8");
        let (proof, _) = parse(other.as_bytes()).unwrap();
        assert!(!proof.is_signed_by(&key));
    }

    #[test]
    fn the_published_thumbprint_of_an_rsa_key_is_found() {
        // RFC 7638 §3.1.
        const JWK: &[u8] = br#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
        let Ok(Value::Object(jwk)) = json::parse(JWK, (&Limits::DEFAULT).into()) else {
            panic!("no JWK");
        };
        let carried = Carried::read(&jwk, Algorithm::RS256).map_err(drop).unwrap();
        let wanted = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        assert_eq!(base64url::encode(&carried.thumbprint), wanted);
    }
}
