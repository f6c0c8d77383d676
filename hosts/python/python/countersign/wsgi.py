"""WSGI middleware, for any WSGI server and framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

from . import _environ
from ._decision import Allow, Answer, Decision, Deny, Grant, ambiguous
from ._environ import Environ
from ._gate import Gate
from ._http import is_preflight, new_query, response
from ._target import Ambiguous

__all__ = ["GateMiddleware", "check", "grant_of"]

StartResponse: TypeAlias = Callable[..., Any]
App: TypeAlias = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_GRANT = "countersign.grant"


class GateMiddleware:
    """Lets requests pass that the gate allows, and answers all others.

    Put it in front of everything that rewrites paths or methods. A granted request has
    the headers of the policy's `forward`, none that a client made up under their names,
    and the grant (`grant_of`).
    """

    def __init__(self, app: App, gate: Gate, *, bypass_cors_preflight: bool = False) -> None:
        self._app = app
        self._gate = gate
        self._bypass = bypass_cors_preflight

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Decide, then call the app or answer."""
        if self._bypass and _is_preflight(environ):
            _environ.keep_preflight(environ)
            environ[_GRANT] = Grant()
            return self._app(environ, start_response)
        decision = check(self._gate, environ)
        if isinstance(decision, Allow):
            try:
                query = new_query(decision.grant, _environ.target_of(environ))
            except Ambiguous:
                decision = ambiguous()
            else:
                _environ.apply(decision.grant, environ, query)
                environ[_GRANT] = decision.grant
                return self._app(environ, start_response)
        return _refuse(decision, environ, start_response)


def check(gate: Gate, environ: Mapping[str, Any]) -> Decision:
    """Decide about an environment: a decision, whatever it holds."""
    try:
        request = _environ.request_of(environ)
    except (Ambiguous, UnicodeError):
        return ambiguous()
    return gate.check_sync(request)


def grant_of(environ: Mapping[str, Any]) -> Grant | None:
    """Return the grant of an environment."""
    grant: Grant | None = environ.get(_GRANT)
    return grant


def _refuse(
    decision: Deny | Answer, environ: Environ, start_response: StartResponse
) -> Iterable[bytes]:
    status, headers, body = response(decision)
    start_response(f"{status} {HTTPStatus(status).phrase}", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def _is_preflight(environ: Environ) -> bool:
    names = (name for name, _ in _environ.headers(environ))
    return is_preflight(environ["REQUEST_METHOD"], names)
