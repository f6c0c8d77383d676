"""A gate that only observes: everything passes as it came, and events say what would be."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask, jsonify, request
from starlette.testclient import TestClient

from countersign import Allow, DecisionEvent, Deny, Gate
from countersign.asgi import GateMiddleware, check, grant_of, observed_of
from countersign.fastapi import protect as protect_fastapi
from countersign.flask import observed, protect
from support import bearer, fetching, policy, serving
from test_asgi import scope

EVE = {"x-auth-subject": "eve"}


def observe(gate: Gate, asked: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return the scope that the app sees."""
    seen: list[dict[str, Any]] = []

    async def app(scope, receive, send):
        seen.append(scope)

    middleware = GateMiddleware(app, gate, observe=True, **options)
    asyncio.run(middleware(asked, None, None))  # type: ignore[arg-type]
    return seen[0]


@pytest.fixture
def events():
    return []


@pytest.fixture
def observer(events: list[DecisionEvent]):
    with Gate(policy(strip_credential=True), on_decision=events.append) as gate:
        yield gate


def test_each_request_passes_exactly_as_it_came(observer: Gate, events: list[DecisionEvent]):
    for headers, decision in [({**bearer(), **EVE}, "allow"), (EVE, "deny")]:
        asked = scope(headers=headers, query_string=b"a=1")
        seen = observe(observer, asked)
        assert {name: seen[name] for name in asked} == asked
        assert set(seen) - set(asked) == {"countersign.observed"}
        assert grant_of(seen) is None
        assert type(observed_of(seen)).__name__.lower() == decision
        assert (events[-1].mode, events[-1].decision) == ("observed", decision)


def test_the_same_gate_still_enforces_elsewhere(observer: Gate, events: list[DecisionEvent]):
    observe(observer, scope())
    assert isinstance(asyncio.run(check(observer, scope())), Deny)
    assert [event.mode for event in events] == ["observed", "enforced"]


def test_a_request_that_can_be_read_in_two_ways_passes_and_is_told(
    observer: Gate, events: list[DecisionEvent]
):
    seen = observe(observer, scope(raw_path=b"/healthz"))
    assert isinstance(observed_of(seen), Deny)
    assert (events[-1].code, events[-1].mode) == ("request_ambiguous", "observed")


@pytest.mark.parametrize("broken", [{"headers": 7}, {"path": None}, {"type": "telepathy"}])
def test_a_scope_that_no_gate_can_read_passes(observer: Gate, broken: dict[str, Any]):
    asked = {**scope(), **broken}
    seen = observe(observer, asked)
    assert {name: seen[name] for name in asked} == asked


def test_a_closed_gate_lets_pass(observer: Gate):
    observer.close()
    assert observe(observer, scope())["path"] == "/me"


def test_no_request_waits_and_the_event_comes_with_the_keys():
    told = threading.Event()
    events: list[DecisionEvent] = []

    def tell(event: DecisionEvent) -> None:
        events.append(event)
        told.set()

    with serving() as server:
        release = server.hold()
        with Gate(fetching(server.uri), on_decision=tell) as gate:
            seen = observe(gate, scope(headers=bearer()))
            assert "countersign.observed" in seen
            assert observed_of(seen) is None
            assert not told.is_set()
            release()
            assert told.wait(60)
    assert [(event.decision, event.mode) for event in events] == [("allow", "observed")]


def test_a_preflight_that_would_pass_is_not_judged(observer: Gate, events: list[DecisionEvent]):
    headers = {"origin": "https://a", "access-control-request-method": "GET", "cookie": "a=b"}
    asked = scope(headers=headers, method="OPTIONS")
    assert observe(observer, asked, bypass_cors_preflight=True) == asked
    assert events == []
    observe(observer, asked)
    assert [event.code for event in events] == ["token_missing"]


def test_flask_passes_everything(observer: Gate, events: list[DecisionEvent]):
    app = Flask(__name__)
    protect(app, observer, observe=True)

    @app.route("/me")
    def me():
        return jsonify(
            observed=type(observed()).__name__, header=request.headers.get("x-auth-subject")
        )

    client = app.test_client()
    assert client.get("/me", headers={**bearer(), **EVE}).json == {
        "observed": "Allow",
        "header": "eve",
    }
    assert client.get("/me", headers=EVE).json == {"observed": "Deny", "header": "eve"}
    assert {event.mode for event in events} == {"observed"}
    observer.close()
    assert client.get("/me").status_code == 200


def test_fastapi_passes_everything(observer: Gate):
    app = FastAPI()
    protect_fastapi(app, observer, observe=True)

    @app.get("/me")
    async def me():
        return {}

    assert TestClient(app).get("/me").json() == {}


def test_what_is_observed_is_a_decision_and_no_grant(observer: Gate):
    seen = observe(observer, scope(headers=bearer()))
    decision = observed_of(seen)
    assert isinstance(decision, Allow)
    assert decision.grant.principal is not None
    assert "grant" not in json.dumps(sorted(seen))
