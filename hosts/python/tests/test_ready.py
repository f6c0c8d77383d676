"""Readiness: probes, and a start that waits."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
from werkzeug.test import Client

from countersign import Gate, Request
from countersign.asgi import ReadyApp
from countersign.fastapi import protect
from countersign.flask import protect as protect_flask
from countersign.flask import ready_view
from countersign.wsgi import ReadyApp as ReadyWsgi
from support import fetching, policy, serving

RULES = [{"path": "/readyz", "public": True}, {"path": "/**", "require": {}}]


def test_a_probe_is_answered_by_what_the_gate_has():
    with serving() as server:
        release = server.hold()
        with Gate(fetching(server.uri)) as gate:
            asgi = TestClient(Starlette(routes=[Route("/readyz", ReadyApp(gate))]))
            wsgi = Client(ReadyWsgi(gate))
            answers = [asgi.get("/readyz").status_code, wsgi.get("/readyz").status_code]
            assert answers == [503, 503]
            assert asgi.get("/readyz").text == wsgi.get("/readyz").text == "not ready\n"
            release()
            assert gate.wait_ready_sync(60)
            answer = asgi.get("/readyz")
            assert (answer.status_code, answer.text) == (200, "ready\n")
            assert answer.headers["cache-control"] == "no-store"
            assert wsgi.get("/readyz").status_code == 200
        assert asgi.get("/readyz").status_code == 503  # the gate is closed


def test_a_probe_stands_behind_the_gate_with_a_public_rule():
    with Gate(policy(rules=RULES)) as gate:
        app = FastAPI()
        app.add_route("/readyz", ReadyApp(gate))  # type: ignore[arg-type]
        protect(app, gate)
        assert TestClient(app).get("/readyz").text == "ready\n"
        assert TestClient(app).head("/readyz").status_code == 200
        flask = Flask(__name__)
        flask.add_url_rule("/readyz", view_func=ready_view(gate))
        protect_flask(flask, gate)
        assert flask.test_client().get("/readyz").data == b"ready\n"


def test_waiting_ends_when_the_documents_are_there():
    with serving() as server:
        release = server.hold()
        with Gate(fetching(server.uri)) as gate:

            async def wait() -> tuple[bool, bool]:
                too_short = await gate.wait_ready(0.05)
                release()
                return too_short, await gate.wait_ready(60)

            assert asyncio.run(wait()) == (False, True)


def test_a_gate_that_waits_at_its_start_is_ready():
    with serving() as server:
        release = server.hold()
        threading.Timer(0.2, release).start()
        with Gate(fetching(server.uri), ready_s=60) as gate:
            assert gate.ready()


def test_the_state_says_what_is_needed_and_how_the_candidate_compares():
    candidate: dict[str, Any] = policy(rules=[{"path": "/healthz", "public": True}])
    with serving() as server, Gate(fetching(server.uri), shadow=candidate, ready_s=60) as gate:
        gate.check_sync(Request("GET", "/healthz"))
        gate.check_sync(Request("GET", "/me"))
        status = gate.status()
        assert status.ready
        assert status.policy_digest == gate.policy_digest
        assert [(one.kind, one.needed) for one in status.documents] == [("jwks", True)]
        assert status.source is None
        assert status.shadow is not None
        assert status.shadow.policy_digest != status.policy_digest
        counts = [(one.comparison, one.rule, one.count) for one in status.shadow.counts]
        assert sorted(counts, key=str) == [("agree", "/rules/0", 1), ("differs", "/rules/4", 1)]
        gate.reload_shadow_sync(policy())
        shadow = gate.status().shadow
        assert shadow is not None
        assert shadow.counts == ()
        asyncio.run(gate.reload_shadow(None))
        assert gate.status().shadow is None
