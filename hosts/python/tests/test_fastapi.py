"""FastAPI and Starlette, with the gate in front and without."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Security, WebSocket
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient, WebSocketDenialResponse

from countersign import Gate, Grant, PolicyError
from countersign.fastapi import grant_of, protect
from countersign.starlette import GateBackend, GateMiddleware, on_error
from support import bearer, policy, token


def app_of(gate: Gate, *, in_front: bool = True) -> TestClient:
    app = FastAPI()
    if in_front:
        protect(app, gate)
    caller = Annotated[Grant, Depends(gate.require())]
    writer = Annotated[Grant, Security(gate.require(scopes=["write"]))]

    @app.get("/me")
    async def me(grant: caller, x_auth_subject: Annotated[str | None, Header()] = None):
        assert grant.principal is not None
        return {"subject": grant.principal.subject, "header": x_auth_subject}

    @app.get("/maybe")
    async def maybe(grant: Annotated[Grant, Depends(gate.require(roles=["admin"]))]):
        return {"subject": grant.principal and grant.principal.subject}

    @app.get("/echo")
    async def write(grant: writer):
        return {"subject": grant.principal and grant.principal.subject}

    @app.get("/healthz")
    async def healthz():
        return {}

    @app.websocket("/ws")
    async def ws(socket: WebSocket, grant: caller):
        await socket.accept()
        await socket.send_json({"subject": grant.principal and grant.principal.subject})
        await socket.close()

    router = APIRouter(prefix="/orgs/{org}")

    @router.get("/seats")
    async def seats(org: str, grant: caller):
        return {"org": org, "tenant": grant.principal and grant.principal.tenant}

    app.include_router(router)
    return TestClient(app)


@pytest.fixture(params=["in front", "as a dependency"])
def client(request, gate: Gate):
    return app_of(gate, in_front=request.param == "in front")


def test_a_caller_is_known(client: TestClient):
    answer = client.get("/me", headers={**bearer(), "x-auth-subject": "eve"})
    assert answer.json() == {"subject": "ada", "header": "ada"}
    assert client.get("/orgs/acme/seats", headers=bearer(tenant_id="acme")).json() == {
        "org": "acme",
        "tenant": "acme",
    }


@pytest.mark.parametrize(
    ("path", "claims", "status", "code"),
    [
        ("/me", None, 401, "token_missing"),
        ("/me", {"exp": 1}, 401, "token_expired"),
        ("/orgs/globex/seats", {"tenant_id": "acme"}, 403, "tenant_denied"),
        ("/echo", {"scope": "read"}, 403, "scope_insufficient"),
        ("/maybe", None, 401, "token_missing"),
        ("/maybe", {"roles": ["user"]}, 403, "role_denied"),
    ],
)
def test_a_denial_has_its_code_and_challenge(client: TestClient, path, claims, status, code):
    answer = client.get(path, headers={} if claims is None else bearer(**claims))
    body = answer.json()
    assert answer.status_code == status
    assert body.get("detail", body)["code"] == code
    assert ("www-authenticate" in answer.headers) == (status == 401 or code == "scope_insufficient")


def test_a_further_requirement_is_met(client: TestClient):
    assert client.get("/echo", headers=bearer(scope="write")).json() == {"subject": "ada"}
    assert client.get("/maybe", headers=bearer(roles=["admin"])).json() == {"subject": "ada"}


def test_a_websocket_has_a_caller_or_none(gate: Gate):
    client = app_of(gate)
    with client.websocket_connect("/ws", headers=bearer()) as socket:
        assert socket.receive_json() == {"subject": "ada"}
    with pytest.raises(WebSocketDenialResponse) as raised, client.websocket_connect("/ws"):
        pass
    assert raised.value.status_code == 401


def test_another_valid_token_does_not_meet_the_requirement():
    """The grant is that of one token: a second one in the request must not lend its scopes."""
    credentials = [{"header": "authorization", "scheme": "Bearer"}]
    with Gate(policy(credentials=credentials)) as gate:
        answer = app_of(gate).get(
            "/echo", headers={**bearer(scope="read"), "cookie": f"session={token(scope='write')}"}
        )
        assert answer.status_code == 403


def test_a_credential_that_is_taken_away_can_still_be_asked_about():
    with Gate(policy(strip_credential=True)) as gate:
        for in_front in (True, False):
            client = app_of(gate, in_front=in_front)
            assert client.get("/echo", headers=bearer(scope="write")).status_code == 200
            assert client.get("/echo", headers=bearer(scope="read")).status_code == 403


def test_a_requirement_with_a_mistake_is_said_at_once(gate: Gate):
    with pytest.raises(PolicyError):
        gate.require(scops=["write"])


def test_openapi_shows_the_scheme_and_the_denials(gate: Gate):
    schema = app_of(gate).get("/openapi.json", headers=bearer())
    assert schema.status_code == 403  # the policy has no rule for it
    client = app_of(gate)
    document = client.app.openapi()  # type: ignore[attr-defined]
    assert document["components"]["securitySchemes"] == {
        "Countersign": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    operation = document["paths"]["/me"]["get"]
    assert operation["security"] == [{"Countersign": []}]
    assert {"401", "403"} <= set(operation["responses"])
    assert "security" not in document["paths"]["/healthz"]["get"]


def test_starlettes_own_backend(gate: Gate):
    async def me(request):
        return JSONResponse(
            {
                "user": request.user.display_name,
                "is": request.user.is_authenticated,
                "scopes": request.auth.scopes,
                "subject": request.headers.get("x-auth-subject"),
            }
        )

    routes = [Route("/me", me), Route("/maybe", me)]
    backend = Middleware(AuthenticationMiddleware, backend=GateBackend(gate), on_error=on_error)
    client = TestClient(Starlette(routes=routes, middleware=[backend]))
    headers = {**bearer(scope="a b"), "x-auth-subject": "eve"}
    assert client.get("/me", headers=headers).json() == {
        "user": "ada",
        "is": True,
        "scopes": ["authenticated", "a", "b"],
        "subject": "ada",
    }
    assert client.get("/maybe").json() == {"user": "", "is": False, "scopes": [], "subject": None}
    denied = client.get("/me")
    assert (denied.status_code, denied.json()["code"]) == (401, "token_missing")


def test_a_mounted_app_is_judged_with_its_prefix(gate: Gate):
    async def seats(request):
        return JSONResponse({"subject": grant_of(request).principal.subject})

    inner = Starlette(
        routes=[Route("/acme/seats", seats)], middleware=[Middleware(GateMiddleware, gate=gate)]
    )
    client = TestClient(Starlette(routes=[Mount("/orgs", inner)]))
    assert client.get("/orgs/acme/seats", headers=bearer(tenant_id="acme")).status_code == 200
    assert client.get("/orgs/acme/seats", headers=bearer(tenant_id="globex")).status_code == 403
