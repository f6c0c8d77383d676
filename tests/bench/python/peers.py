"""The verifiers that one would take instead, each as its documentation says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jwt
from authlib.jose import JsonWebKey, JsonWebToken
from joserfc import jwk
from joserfc import jwt as joserfc_jwt

Verify = Callable[[str], object]


def pyjwt(key: dict[str, Any], algorithm: str, issuer: str, audience: str) -> Verify:
    public = jwt.PyJWK(key, algorithm=algorithm).key
    return lambda token: jwt.decode(token, public, algorithms=[algorithm], issuer=issuer, audience=audience)


class _Keys(jwt.PyJWKClient):
    """`PyJWKClient` without the fetch: the key is chosen by `kid`, from what was fetched."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__("https://issuer.example.com/jwks")
        self._document = document

    def fetch_data(self) -> dict[str, Any]:
        return self._document

    def get_jwk_set(self, refresh: bool = False) -> jwt.PyJWKSet:
        if not hasattr(self, "_set"):
            self._set = jwt.PyJWKSet.from_dict(self._document)
        return self._set


def pyjwt_with_client(key: dict[str, Any], algorithm: str, issuer: str, audience: str) -> Verify:
    keys = _Keys({"keys": [{**key, "alg": algorithm, "use": "sig"}]})

    def verify(token: str) -> object:
        public = keys.get_signing_key_from_jwt(token)
        return jwt.decode(token, public, algorithms=[algorithm], issuer=issuer, audience=audience)

    return verify


def joserfc(key: dict[str, Any], algorithm: str, issuer: str, audience: str) -> Verify:
    public = jwk.import_key(key)
    claims = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": issuer}, aud={"essential": True, "value": audience}, exp={"essential": True}
    )

    def verify(token: str) -> object:
        decoded = joserfc_jwt.decode(token, public, algorithms=[algorithm])
        claims.validate(decoded.claims)
        return decoded.claims

    return verify


def authlib(key: dict[str, Any], algorithm: str, issuer: str, audience: str) -> Verify:
    reader = JsonWebToken([algorithm])
    public = JsonWebKey.import_key(key)
    options = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": audience}}

    def verify(token: str) -> object:
        claims = reader.decode(token, public, claims_options=options)
        claims.validate(now=int(time.time()))
        return claims

    return verify


PEERS = {"PyJWT": pyjwt, "PyJWT with PyJWKClient": pyjwt_with_client, "joserfc": joserfc, "Authlib": authlib}
