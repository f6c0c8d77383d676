"""WSGI and Flask."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, jsonify, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from countersign import Gate
from countersign.flask import grant, protect
from countersign.wsgi import GateMiddleware, grant_of
from support import bearer, policy, token


@pytest.fixture
def app(gate: Gate):
    app = Flask(__name__)
    protect(app, gate)

    @app.route("/me", methods=["GET", "POST"])
    @app.route("/maybe")
    @app.route("/orgs/<org>/seats")
    def me(org=None):
        caller = grant().principal
        return jsonify(
            subject=caller and caller.subject, header=request.headers.get("x-auth-subject"), org=org
        )

    return app


def test_a_caller_is_known(app: Flask):
    answer = app.test_client().get("/me", headers={**bearer(), "X-Auth-Subject": "eve"})
    assert answer.json == {"subject": "ada", "header": "ada", "org": None}
    assert app.test_client().get("/maybe").json == {"subject": None, "header": None, "org": None}
    assert (
        app.test_client().get("/orgs/acme/seats", headers=bearer(tenant_id="acme")).status_code
        == 200
    )


def test_a_denial_is_answered_with_its_challenge(app: Flask):
    answer = app.test_client().get("/me")
    assert (answer.status, answer.json) == (
        "401 Unauthorized",
        {"code": "token_missing", "message": "a token is required"},
    )
    assert answer.headers["www-authenticate"] == 'Bearer realm="countersign"'
    assert (
        app.test_client().get("/orgs/globex/seats", headers=bearer(tenant_id="acme")).status_code
        == 403
    )
    assert app.test_client().head("/me").data == b""


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({}, 200),
        ({"RAW_URI": "/me?x"}, 200),
        ({"RAW_URI": "/%6de"}, 400),
        ({"REQUEST_URI": "/me"}, 200),
        ({"RAW_URI": "/healthz"}, 400),
        ({"RAW_URI": "http://a/me"}, 400),
        ({"REQUEST_METHOD": "get"}, 400),
        ({"PATH_INFO": "/m\u20ac"}, 400),
        ({"PATH_INFO": "/m\xff"}, 400),
        ({"PATH_INFO": "me"}, 400),
        ({"PATH_INFO": "//me"}, 400),
        ({"PATH_INFO": "/healthz/../me"}, 400),
        ({"SCRIPT_NAME": "/orgs/a"}, 403),
        ({"SCRIPT_NAME": "/orgs/a", "RAW_URI": "/orgs/a/me"}, 403),
        ({"SCRIPT_NAME": "/orgs/a", "RAW_URI": "/me"}, 403),
        ({"SCRIPT_NAME": "/orgs/"}, 400),
        ({"SCRIPT_NAME": "/me", "PATH_INFO": ""}, 200),
    ],
)
def test_what_is_routed_is_judged_or_refused(gate: Gate, environ: dict[str, Any], status: int):
    def inner(environ, start_response):
        start_response("200 OK", [])
        return [b""]

    said = []
    usual = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/me",
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "HTTP_AUTHORIZATION": f"Bearer {token()}",
    }
    GateMiddleware(inner, gate)({**usual, **environ}, lambda status, _: said.append(status))
    assert int(said[0][:3]) == status


def test_an_app_below_a_prefix_is_judged_with_it(app: Flask):
    client = Client(DispatcherMiddleware(Flask("outer"), {"/orgs/acme": app.wsgi_app}))  # type: ignore[arg-type]
    assert client.get("/orgs/acme/me").status_code == 401
    assert client.get("/orgs/acme/me", headers=bearer(tenant_id="globex")).status_code == 403
    assert client.get("/orgs/acme/me", headers=bearer(tenant_id="acme")).status_code == 200


def test_a_token_in_the_query_is_taken_out():
    rules = [{"path": "/me", "credentials": [{"query": "t"}], "require": {}}]
    with Gate(policy(rules=rules)) as gate:
        seen: list[dict[str, Any]] = []

        def inner(environ, start_response):
            seen.append(environ)
            start_response("200 OK", [])
            return [b""]

        client = Client(GateMiddleware(inner, gate))
        client.get("/me", query_string=f"a=1&t={token()}")
        assert seen[0]["QUERY_STRING"] == "a=1"
        assert seen[0]["RAW_URI"] == seen[0]["REQUEST_URI"] == "/me?a=1"
        assert grant_of(seen[0]) is not None


def test_a_preflight_passes_only_where_it_is_asked_for(gate: Gate):
    seen: list[dict[str, Any]] = []

    def inner(environ, start_response):
        seen.append(environ)
        start_response("200 OK", [])
        return [b""]

    headers = {"origin": "https://a", "access-control-request-method": "GET", "authorization": "x"}
    assert Client(GateMiddleware(inner, gate)).options("/me", headers=headers).status_code == 401
    bypassing = GateMiddleware(inner, gate, bypass_cors_preflight=True)
    assert Client(bypassing).options("/me", headers=headers).status_code == 200
    assert "HTTP_AUTHORIZATION" not in seen[0]


def test_an_app_without_the_gate_says_so():
    with Flask("bare").test_request_context("/"), pytest.raises(RuntimeError, match="protect"):
        grant()
