"""Servers of the Model Context Protocol: the SDK's, and FastMCP's."""

from __future__ import annotations

import asyncio

import pytest
from starlette.testclient import TestClient

from countersign import Gate
from countersign.mcp import GateMiddleware, GateTokenVerifier
from support import bearer, policy, token

RESOURCE = "https://api.example.com/mcp"
DOCUMENT = "https://api.example.com/.well-known/oauth-protected-resource/mcp"
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    },
}
ACCEPT = {"accept": "application/json, text/event-stream", "host": "api.example.com"}


@pytest.fixture(scope="module")
def gate():
    rules = [
        {
            "path": "/mcp/**",
            "require": {"scopes": ["tools"]},
            "challenge": {
                "scope": True,
                "resource_metadata": {
                    "resource": RESOURCE,
                    "authorization_servers": ["https://id.example.com"],
                },
            },
        }
    ]
    with Gate(policy(rules=rules)) as gate:
        yield gate


def sdk():
    from mcp.server.mcpserver import MCPServer
    from mcp.server.transport_security import TransportSecuritySettings

    off = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    return MCPServer("tools").streamable_http_app(transport_security=off)


def fast():
    from fastmcp import FastMCP

    return FastMCP("tools").http_app(path="/mcp")


@pytest.mark.parametrize("server", [sdk, fast])
def test_a_client_is_told_where_to_get_a_token_and_then_let_in(gate: Gate, server):
    with TestClient(GateMiddleware(server(), gate), base_url="http://api.example.com") as client:
        denied = client.post("/mcp", json=HELLO, headers=ACCEPT)
        assert denied.status_code == 401
        assert (
            f'scope="tools", resource_metadata="{DOCUMENT}"' in denied.headers["www-authenticate"]
        )
        document = client.get("/.well-known/oauth-protected-resource/mcp").json()
        assert document == {
            "resource": RESOURCE,
            "authorization_servers": ["https://id.example.com"],
        }
        assert (
            client.post("/mcp", json=HELLO, headers={**ACCEPT, **bearer(scope="x")}).status_code
            == 403
        )
        passed = client.post("/mcp", json=HELLO, headers={**ACCEPT, **bearer(scope="tools")})
        assert passed.status_code == 200
        assert '"serverInfo"' in passed.text


def test_the_sdks_verifier(gate: Gate):
    async def verify(made: str):
        return await GateTokenVerifier(
            gate, require={"scopes": ["tools"]}, resource="api"
        ).verify_token(made)

    access = asyncio.run(verify(token(scope="tools", client_id="app")))
    assert access is not None
    assert (access.client_id, access.scopes, access.resource, access.subject) == (
        "app",
        ["tools"],
        "api",
        "ada",
    )
    assert asyncio.run(verify(token(scope="other"))) is None
    assert asyncio.run(verify("a.b.c")) is None


def test_fastmcps_verifier(gate: Gate):
    from fastmcp import FastMCP

    from countersign.fastmcp import GateVerifier

    app = FastMCP("tools", auth=GateVerifier(gate)).http_app(path="/mcp")
    with TestClient(app, base_url="http://api.example.com") as client:
        assert client.post("/mcp", json=HELLO, headers=ACCEPT).status_code == 401
        assert client.post("/mcp", json=HELLO, headers={**ACCEPT, **bearer()}).status_code == 200
