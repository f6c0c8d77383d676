"""For Flask: the gate in front of an app."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response
from flask import request as _request

from ._decision import Decision, Grant
from ._gate import Gate
from ._http import readiness
from .wsgi import GateMiddleware, grant_of, observed_of

__all__ = ["GateMiddleware", "grant", "observed", "protect", "ready_view"]


def protect(
    app: Flask, gate: Gate, *, bypass_cors_preflight: bool = False, observe: bool = False
) -> None:
    """Put the gate in front of an app, and of the middleware that it has.

    With `observe` it protects nothing: `countersign.wsgi.GateMiddleware`.
    """
    app.wsgi_app = GateMiddleware(  # type: ignore[method-assign]
        app.wsgi_app, gate, bypass_cors_preflight=bypass_cors_preflight, observe=observe
    )


def ready_view(gate: Gate) -> Callable[[], Response]:
    """Return a view for readiness probes: `app.add_url_rule("/readyz", view_func=…)`.

    It needs a public rule.
    """

    def countersign_ready() -> Response:
        status, headers, body = readiness(gate)
        return Response(body, status, headers)

    return countersign_ready


def observed() -> Decision | None:
    """Return what a gate that only observes has decided about the request of now."""
    return observed_of(_request.environ)


def grant() -> Grant:
    """Return the grant of the request that Flask handles now."""
    granted = grant_of(_request.environ)
    if granted is None:
        raise RuntimeError("the gate is not in front of this app: `countersign.flask.protect`")
    return granted
