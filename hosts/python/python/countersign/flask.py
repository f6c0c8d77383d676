"""For Flask: the gate in front of an app."""

from __future__ import annotations

from flask import Flask
from flask import request as _request

from ._decision import Grant
from ._gate import Gate
from .wsgi import GateMiddleware, grant_of

__all__ = ["GateMiddleware", "grant", "protect"]


def protect(app: Flask, gate: Gate, *, bypass_cors_preflight: bool = False) -> None:
    """Put the gate in front of an app, and of the middleware that it has."""
    app.wsgi_app = GateMiddleware(  # type: ignore[method-assign]
        app.wsgi_app, gate, bypass_cors_preflight=bypass_cors_preflight
    )


def grant() -> Grant:
    """Return the grant of the request that Flask handles now."""
    granted = grant_of(_request.environ)
    if granted is None:
        raise RuntimeError("the gate is not in front of this app: `countersign.flask.protect`")
    return granted
