"""WSGI middleware, for any WSGI server and framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

from . import _environ, _process
from ._decision import Allow, Decision, Grant, ambiguous
from ._environ import Environ
from ._gate import Gate
from ._http import is_preflight, new_query, readiness, response
from ._request import UNREADABLE, Request
from ._target import Ambiguous

__all__ = ["GateMiddleware", "ReadyApp", "check", "grant_of", "observed_of"]

StartResponse: TypeAlias = Callable[..., Any]
App: TypeAlias = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_GRANT = "countersign.grant"
_OBSERVED = "countersign.observed"


class GateMiddleware:
    """Lets requests pass that the gate allows, and answers all others.

    Put it in front of everything that rewrites paths or methods. A granted request has
    the headers of the policy's `forward`, none that a client made up under their names,
    and the grant (`grant_of`).

    With `observe` it protects nothing, for a migration beside other checks: each request
    passes exactly as it came and waits for nothing, without a grant. Events tell what would
    have been decided, and so does `observed_of`.
    """

    def __init__(
        self,
        app: App,
        gate: Gate,
        *,
        bypass_cors_preflight: bool = False,
        observe: bool = False,
    ) -> None:
        self._app = app
        self._gate = gate
        self._bypass = bypass_cors_preflight
        self._observe = observe

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Decide, then call the app or answer."""
        if self._observe:
            self._observed(environ)
            return self._app(environ, start_response)
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
        return _send(environ, start_response, *response(decision))

    def _observed(self, environ: dict[str, Any]) -> None:
        try:
            if not (self._bypass and _is_preflight(environ)):
                environ[_OBSERVED] = self._gate.observe(_request(environ))
        except Exception as error:  # noqa: BLE001 - the request passes, whatever it is
            _process.log.error("a request could not be observed: %s", type(error).__name__)


class ReadyApp:
    """Answers readiness probes (`/readyz`): 200 if the gate is ready, and otherwise 503."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer."""
        return _send(environ, start_response, *readiness(self._gate))


def check(gate: Gate, environ: Mapping[str, Any]) -> Decision:
    """Decide about an environment: a decision, whatever it holds."""
    return gate.check_sync(_request(environ))


def grant_of(environ: Mapping[str, Any]) -> Grant | None:
    """Return the grant of an environment."""
    grant: Grant | None = environ.get(_GRANT)
    return grant


def observed_of(environ: Mapping[str, Any]) -> Decision | None:
    """Return what a gate that only observes has decided; it grants nothing.

    `None` where the decision had to wait for documents.
    """
    decision: Decision | None = environ.get(_OBSERVED)
    return decision


def _request(environ: Mapping[str, Any]) -> Request:
    try:
        return _environ.request_of(environ)
    except (Ambiguous, UnicodeError):
        return UNREADABLE


def _send(
    environ: Environ,
    start_response: StartResponse,
    status: int,
    headers: list[tuple[str, str]],
    body: bytes,
) -> Iterable[bytes]:
    start_response(f"{status} {HTTPStatus(status).phrase}", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def _is_preflight(environ: Environ) -> bool:
    names = (name for name, _ in _environ.headers(environ))
    return is_preflight(environ["REQUEST_METHOD"], names)
