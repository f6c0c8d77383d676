"""For servers of the Model Context Protocol, by its SDK or by FastMCP.

Put `countersign.asgi.GateMiddleware` in front of the server's ASGI app: it answers
with the challenge and the metadata document that the policy names (RFC 9728), and the
rules are those of any other service. `GateTokenVerifier` is for servers that verify
tokens themselves, so that tools find the caller where the SDK keeps it.
"""

from __future__ import annotations

from typing import Any

from mcp.server.auth.provider import AccessToken, TokenVerifier

from ._decision import Allow, Principal
from ._gate import Gate, Requirement
from .asgi import GateMiddleware, grant_of

__all__ = ["GateMiddleware", "GateTokenVerifier", "grant_of"]


class GateTokenVerifier(TokenVerifier):
    """Verifies tokens by a gate: by its policy's issuers, and by a requirement."""

    def __init__(
        self, gate: Gate, *, require: Requirement | None = None, resource: str | None = None
    ) -> None:
        self._gate = gate
        self._require = require
        self._resource = resource

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what the SDK wants to know of a valid token."""
        members = await verified(self._gate, token, self._require, self._resource)
        return None if members is None else AccessToken(**members)


async def verified(
    gate: Gate, token: str, require: Requirement | None, resource: str | None
) -> dict[str, Any] | None:
    """Return the members of a valid token's `AccessToken`."""
    decision = await gate.verify(token, require)
    if not isinstance(decision, Allow) or decision.grant.principal is None:
        return None
    return described(decision.grant.principal, token, resource)


def described(principal: Principal, token: str, resource: str | None) -> dict[str, Any]:
    """Return the members of an `AccessToken`."""
    claims = principal.claims
    audiences = claims.get("aud")
    audiences = [audiences] if isinstance(audiences, str) else audiences or []
    client = claims.get("client_id") or claims.get("azp") or principal.subject or ""
    expires = principal.expires_at_ms
    return {
        "token": token,
        "client_id": client if isinstance(client, str) else "",
        "scopes": list(principal.scopes),
        "expires_at": None if expires is None else expires // 1000,
        # The audience is verified by the policy; this only names it.
        "resource": resource if resource in audiences else next(iter(audiences), None),
        "subject": principal.subject,
        "claims": claims,
    }
