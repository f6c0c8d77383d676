"""For Starlette: the gate as an `AuthenticationBackend`, and what `request.user` is then."""

from __future__ import annotations

from starlette.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    AuthenticationError,
    BaseUser,
    UnauthenticatedUser,
)
from starlette.requests import HTTPConnection
from starlette.responses import Response

from ._decision import Allow, Answer, Deny, Principal, ambiguous
from ._gate import Gate
from ._http import response
from ._target import Ambiguous
from .asgi import GateMiddleware, ReadyApp, apply, check, grant_of, observed_of

__all__ = [
    "Caller",
    "GateBackend",
    "GateMiddleware",
    "ReadyApp",
    "Refused",
    "grant_of",
    "observed_of",
    "on_error",
]


class Caller(BaseUser):
    """The principal as `request.user`."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal

    @property
    def is_authenticated(self) -> bool:
        """A principal comes from a verified token."""
        return True

    @property
    def display_name(self) -> str:
        """The subject."""
        return self.principal.subject or ""

    @property
    def identity(self) -> str:
        """The subject."""
        return self.principal.subject or ""


class Refused(AuthenticationError):  # noqa: N818 - as its base says in its own way
    """The request does not pass: `on_error` answers it."""

    def __init__(self, decision: Deny | Answer) -> None:
        super().__init__(decision.code if isinstance(decision, Deny) else "answered")
        self.decision = decision


class GateBackend(AuthenticationBackend):
    """Decides every request; `request.auth` has the scopes.

    Add it with `AuthenticationMiddleware(backend=GateBackend(gate), on_error=on_error)`.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser]:
        """Decide, and change the request as the policy says."""
        decision = await check(self._gate, conn.scope)
        if not isinstance(decision, Allow):
            raise Refused(decision)
        try:
            conn.scope.update(apply(decision.grant, conn.scope))
        except Ambiguous:
            raise Refused(ambiguous()) from None
        principal = decision.grant.principal
        if principal is None:
            return AuthCredentials(), UnauthenticatedUser()
        return AuthCredentials(["authenticated", *principal.scopes]), Caller(principal)


def on_error(conn: HTTPConnection, error: AuthenticationError) -> Response:
    """Answer what does not pass, as the middleware does."""
    decision = error.decision if isinstance(error, Refused) else Deny("internal_error", 503)
    status, headers, body = response(decision)
    return Response(body, status, dict(headers))
