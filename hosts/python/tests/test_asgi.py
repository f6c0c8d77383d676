"""The ASGI middleware, by itself."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from countersign import Gate
from countersign._http import one_host
from countersign.asgi import GateMiddleware, grant_of
from support import bearer, policy, token


async def echo(scope, receive, send):
    """Answer with what a handler can see."""
    if scope["type"] == "lifespan":
        return
    grant = grant_of(scope)
    caller = grant and grant.principal and grant.principal.subject
    headers = [
        [name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]
    ]
    seen = {
        "caller": caller,
        "state": scope["state"]["grant"] == grant,
        "headers": headers,
        "query": scope["query_string"].decode(),
        "subprotocols": scope.get("subprotocols"),
    }
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": json.dumps(seen)})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(seen).encode()})


def scope(path="/me", headers=None, **more: Any) -> dict[str, Any]:
    fields = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    usual = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "root_path": "",
        "query_string": b"",
        "headers": fields,
    }
    return {**usual, **more}


def ask(gate: Gate, asked: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(dict(message))

    asyncio.run(GateMiddleware(echo, gate, **options)(asked, receive, send))
    return sent


def seen(sent: list[dict[str, Any]]) -> dict[str, Any]:
    return json.loads(sent[1].get("body") or sent[1]["text"])


def test_a_granted_request_reaches_its_handler(gate: Gate):
    sent = ask(gate, scope(headers=bearer()))
    assert seen(sent)["caller"] == "ada"
    assert seen(sent)["state"]


def test_a_denied_request_is_answered_with_its_challenge(gate: Gate):
    start, body = ask(gate, scope())
    headers = dict(start["headers"])
    assert start["status"] == 401
    assert headers[b"www-authenticate"] == b'Bearer realm="countersign"'
    assert headers[b"cache-control"] == b"no-store"
    assert json.loads(body["body"])["code"] == "token_missing"
    assert int(headers[b"content-length"]) == len(body["body"])
    assert ask(gate, scope(method="HEAD"))[1]["body"] == b""


def test_headers_that_a_client_made_up_are_gone_in_every_spelling(gate: Gate):
    asked = scope(
        headers={
            **bearer(),
            "x-auth-subject": "eve",
            "x_auth_subject": "eve",
            "X-AUTH-Subject": "eve",
            "host": "API.Example.com.:80",
        }
    )
    headers = seen(ask(gate, asked))["headers"]
    assert [one for one in headers if "subject" in one[0].lower()] == [["x-auth-subject", "ada"]]
    assert ["host", "api.example.com:80"] in headers


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"raw_path": b"/%6de"}, 400),
        ({"path": "/orgs/a b/c", "raw_path": b"/orgs/a%20b/c"}, 403),
        ({"raw_path": b"/me?x=1", "query_string": b"x=1"}, 200),
        ({"raw_path": None}, 200),
        ({"raw_path": b""}, 200),
        ({"raw_path": b"/healthz"}, 400),
        ({"path": "/healthz", "raw_path": b"/me"}, 400),
        ({"path": "/m\ufffd", "raw_path": b"/m%ff"}, 400),
        ({"path": "/\ud800", "raw_path": None}, 400),
        ({"path": "http://a/me", "raw_path": b"http://a/me"}, 400),
        ({"path": "*", "raw_path": b"*"}, 400),
        ({"path": "/orgs/a/b", "raw_path": b"/orgs%2fa/b"}, 400),
        ({"method": "get"}, 400),
        ({"method": "Get"}, 400),
        # A prefix, in the path or not, is judged with it.
        ({"root_path": "/orgs/a", "path": "/me", "raw_path": b"/me"}, 403),
        ({"root_path": "/orgs/a", "path": "/orgs/a/me", "raw_path": b"/orgs/a/me"}, 403),
        ({"root_path": "/orgs/a", "path": "/orgs/a/me", "raw_path": b"/me"}, 403),
        ({"root_path": "/orgs", "path": "/me", "raw_path": b"/orgs/me"}, 403),
        ({"root_path": "/m", "path": "/me", "raw_path": b"/me"}, 403),
        ({"root_path": "/me/", "path": "/", "raw_path": b"/"}, 400),
        ({"root_path": "me", "path": "/me", "raw_path": b"/me"}, 400),
        ({"root_path": "/me", "path": "/me", "raw_path": b"/me"}, 200),
    ],
)
def test_what_is_routed_is_judged_or_refused(gate: Gate, more, status):
    assert ask(gate, scope(headers=bearer(), **more))[0]["status"] == status


def test_a_token_in_the_query_is_taken_out():
    credentials = [{"header": "authorization", "scheme": "Bearer"}]
    rules = [{"path": "/me", "credentials": [{"query": "t"}], "require": {}}]
    with Gate(policy(credentials=credentials, rules=rules)) as gate:
        query = f"a=1&t={token()}&b=2".encode()
        answer = seen(ask(gate, scope(query_string=query)))
        assert answer["query"] == "a=1&b=2"
        assert answer["caller"] == "ada"


def test_a_websocket_is_checked_at_its_handshake(gate: Gate):
    socket = {"type": "websocket", "http_version": "1.1"}
    assert seen(ask(gate, scope("/ws", bearer(), **socket)))["caller"] == "ada"
    assert ask(gate, scope("/ws", **socket)) == [{"type": "websocket.close", "code": 1008}]
    answers = {"extensions": {"websocket.http.response": {}}}
    start, body = ask(gate, scope("/ws", **socket, **answers))
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert json.loads(body["body"])["code"] == "token_missing"
    assert (
        ask(gate, scope("/ws", **{**socket, "http_version": "2"}))[0]["type"] == "websocket.close"
    )


def test_a_token_among_the_subprotocols_is_taken_out_of_both_views():
    rules = [
        {"path": "/ws", "credentials": [{"websocket_protocol": {"after": "bearer"}}], "require": {}}
    ]
    with Gate(policy(rules=rules)) as gate:
        offered = f"chat, bearer, {token()}"
        asked = scope(
            "/ws",
            {"sec-websocket-protocol": offered, "upgrade": "websocket"},
            type="websocket",
            subprotocols=offered.split(", "),
        )
        answer = seen(ask(gate, asked))
        assert answer["subprotocols"] == ["chat", "bearer"]
        assert ["sec-websocket-protocol", "chat, bearer"] in answer["headers"]


def test_a_preflight_passes_only_where_it_is_asked_for(gate: Gate):
    preflight = {
        "origin": "https://a",
        "access-control-request-method": "GET",
        "authorization": "x",
        "host": "h",
        "x-auth-subject": "eve",
    }
    asked = scope(headers=preflight, method="OPTIONS")
    assert ask(gate, asked)[0]["status"] == 401
    answer = seen(ask(gate, asked, bypass_cors_preflight=True))
    assert sorted(name for name, _ in answer["headers"]) == [
        "access-control-request-method",
        "host",
        "origin",
    ]
    assert answer["caller"] is None
    assert ask(gate, scope(), bypass_cors_preflight=True)[0]["status"] == 401


def test_other_kinds_of_scopes_do_not_pass(gate: Gate):
    assert ask(gate, {"type": "lifespan"}) == []
    with pytest.raises(ValueError, match="not admitted"):
        ask(gate, {"type": "telepathy"})


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("a.example.com", "a.example.com"),
        ("A.example.com.", "a.example.com"),
        ("a.example.com:", "a.example.com"),
        ("a.example.com.:", "a.example.com"),
        ("A.example.com.:8080", "a.example.com:8080"),
        ("[::1]", "[::1]"),
        ("[::1]:", "[::1]"),
        ("[::1]:80", "[::1]:80"),
        ("", ""),
    ],
)
def test_a_host_is_one_that_every_router_reads_alike(sent: str, seen: str):
    assert one_host(sent.encode()) == seen.encode()
