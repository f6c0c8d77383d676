"""For FastAPI: the gate in front of an app, and further requirements of its routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from ._decision import Allow, Answer, Decision, Deny, Grant, ambiguous, internal_error
from ._gate import Gate
from ._http import response
from ._policy import as_json
from ._target import Ambiguous
from .asgi import GateMiddleware, ReadyApp, Sent, apply, check, grant_of, observed_of

__all__ = [
    "RESPONSES",
    "Denied",
    "GateMiddleware",
    "ReadyApp",
    "Require",
    "grant_of",
    "observed_of",
    "protect",
]

_DENIAL = {
    "type": "object",
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
    "required": ["code", "message"],
}
_CHALLENGE = {"WWW-Authenticate": {"schema": {"type": "string"}}}
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": description,
        "content": {"application/json": {"schema": _DENIAL}},
        **({} if headers is None else {"headers": headers}),
    }
    for status, description, headers in [
        (401, "The token is missing or not valid", _CHALLENGE),
        (403, "The token does not admit this request", None),
    ]
}
"""The denials, as OpenAPI describes them."""
_VIEWS = ("_headers", "_cookies", "_query_params", "_url")
"""What Starlette has computed of a request before the dependency runs: tests would notice others."""


class Denied(HTTPException):
    """A dependency denies the request."""

    def __init__(self, denial: Deny) -> None:
        _, headers, _ = response(denial)
        super().__init__(
            denial.status,
            {"code": denial.code, "message": denial.message},
            {name: value for name, value in headers if not name.startswith("content-")},
        )
        self.denial = denial


class Require(SecurityBase):
    """A dependency: the caller's grant, if it meets a further requirement.

    Behind the middleware it asks the gate only about the requirement. Without it, it
    decides the whole request by the policy first. `Gate.require` makes it.
    """

    def __init__(self, gate: Gate, requirement: Mapping[str, Any]) -> None:
        as_json(requirement)
        self._gate = gate
        self._requirement = requirement
        self.model = HTTPBearer(bearerFormat="JWT")
        self.scheme_name = "Countersign"

    @classmethod
    def of(
        cls, gate: Gate, *, scopes: Sequence[str], roles: Sequence[str], more: Mapping[str, Any]
    ) -> Require:
        """Make one; a requirement with a mistake is a `PolicyError` here."""
        requirement = dict(more)
        if scopes:
            requirement["scopes"] = list(scopes)
        if roles:
            requirement["roles"] = list(roles)
        gate.verify_sync("", requirement)
        return cls(gate, requirement)

    async def __call__(self, connection: HTTPConnection) -> Grant:
        """Return the grant, or raise `Denied`."""
        grant = grant_of(connection)
        # Before the grant has taken the credential away.
        sent = Sent.of(connection.scope)
        if grant is None:
            grant = await self._admitted(connection)
        if self._requirement:
            await self._required(grant, sent)
        return grant

    async def _admitted(self, connection: HTTPConnection) -> Grant:
        decision = await check(self._gate, connection.scope)
        if isinstance(decision, Deny):
            raise Denied(decision)
        if isinstance(decision, Answer):
            # Only the middleware can answer in the place of a handler.
            raise Denied(internal_error())
        try:
            granted = apply(decision.grant, connection.scope)
        except Ambiguous:
            raise Denied(ambiguous()) from None
        connection.scope.update(granted)
        for view in _VIEWS:
            connection.__dict__.pop(view, None)
        return decision.grant

    async def _required(self, grant: Grant, sent: Sent) -> None:
        token = "" if grant.principal is None else await self._token(grant, sent)
        decision: Decision = internal_error()
        if token is not None:
            decision = await self._gate.verify(token, self._requirement, proven=True)
        if not isinstance(decision, Allow):
            raise Denied(decision if isinstance(decision, Deny) else internal_error())

    async def _token(self, grant: Grant, sent: Sent) -> str | None:
        """Return the token with which the request was allowed."""
        for token in sent.tokens(self._gate.reads()):
            decision = await self._gate.verify(token, proven=True)
            if isinstance(decision, Allow) and _is_same(decision.grant, grant):
                return token
        return None


def protect(
    app: FastAPI, gate: Gate, *, bypass_cors_preflight: bool = False, observe: bool = False
) -> None:
    """Put the gate in front of an app, and describe scheme and denials in its OpenAPI.

    With `observe` it protects nothing (`countersign.asgi.GateMiddleware`); routes with
    `gate.require()` still demand what they say.
    """
    app.add_middleware(
        GateMiddleware, gate=gate, bypass_cors_preflight=bypass_cors_preflight, observe=observe
    )
    app.add_exception_handler(Denied, _denied)
    described = app.openapi

    def openapi() -> dict[str, Any]:
        schema = described()
        paths: dict[str, dict[str, Any]] = schema.get("paths", {})
        operations = (operation for path in paths.values() for operation in path.values())
        for operation in operations:
            if "security" in operation:
                said: dict[str, Any] = operation["responses"]
                said.update({str(one): RESPONSES[one] for one in RESPONSES if str(one) not in said})
        return schema

    app.openapi = openapi  # type: ignore[method-assign]


def _denied(_: Request, error: Exception) -> Response:
    denial = error.denial if isinstance(error, Denied) else internal_error()
    status, headers, body = response(denial)
    return Response(body, status, dict(headers))


def _is_same(one: Grant, other: Grant) -> bool:
    # The request may also contain a valid token of another principal. The tenant is
    # that of the rule.
    ours, theirs = one.principal, other.principal
    if ours is None or theirs is None:
        return False
    return replace(ours, tenant=None) == replace(theirs, tenant=None)
