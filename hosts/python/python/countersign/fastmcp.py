"""For FastMCP: tokens verified by a gate."""

from __future__ import annotations

from typing import Any

from fastmcp.server.auth.auth import AccessToken, TokenVerifier

from ._gate import Gate, Requirement
from .asgi import GateMiddleware, grant_of
from .mcp import verified

__all__ = ["GateMiddleware", "GateVerifier", "grant_of"]


class GateVerifier(TokenVerifier):
    """Verifies tokens by a gate: `FastMCP(auth=GateVerifier(gate))`.

    Inside `RemoteAuthProvider` it also has a challenge and a metadata document.
    """

    def __init__(
        self,
        gate: Gate,
        *,
        require: Requirement | None = None,
        resource: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self._gate = gate
        self._require = require
        self._resource = resource

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what FastMCP wants to know of a valid token."""
        members = await verified(self._gate, token, self._require, self._resource)
        return None if members is None else AccessToken(**members)
