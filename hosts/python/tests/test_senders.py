"""API keys, secrets, and tokens that are bound to their sender."""

import asyncio
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated, Any, ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Depends, FastAPI
from starlette.testclient import TestClient

from countersign import Allow, Deny, Gate, Grant, Options, PolicyError, Request
from countersign._environ import request_of as request_of_environ
from countersign._http import tokens
from countersign.asgi import request_of
from countersign.fastapi import protect
from support import b64, policy, token
from test_asgi import ask, scope, seen

PEPPER = b"a pepper of 16 bytes or more"
KEY = "sk_1_a-key-of-an-existing-system"
OTHER_KEY = "sk_1_another-key-of-that-system"
NONCES = {"dpop": {"nonce": {"secret_from": "nonces"}}}
CLIENT = Ed25519PrivateKey.generate()
JWK = {"crv": "Ed25519", "kty": "OKP", "x": b64(CLIENT.public_key().public_bytes_raw())}


def sha256(data: bytes) -> str:
    return b64(hashlib.sha256(data).digest())


def api_keys() -> dict[str, Any]:
    made = policy()
    keys = [
        {"id": one, "hash": sha256(PEPPER + b":" + key.encode()), "form": "sha256", **more}
        for one, key, more in [
            ("k1", KEY, {"subject": "robot", "scopes": ["write"]}),
            ("k2", OTHER_KEY, {"subject": "robot-2"}),
        ]
    ]
    settings = {
        "prefix": ["sk_1_"],
        "pepper": [{"version": "1", "secret_from": "pepper"}],
        "forms": ["sha256"],
        "checksum": False,
        "inline": {"keys": keys},
    }
    made["issuers"].append({"name": "keys", "api_keys": settings})
    made["credentials"] = [
        {"header": "authorization", "scheme": "Bearer"},
        {"header": "x-api-key"},
        {"cookie": "key"},
    ]
    return made


def bound(**more: Any) -> dict[str, Any]:
    credentials = [
        {"header": "authorization", "scheme": "Bearer"},
        {"header": "authorization", "scheme": "DPoP"},
    ]
    return policy(**{"credentials": credentials, "dpop": {}, **more})


def dpop_token(**more: Any) -> str:
    jwk = json.dumps(JWK, separators=(",", ":"), sort_keys=True)
    return token(cnf={"jkt": sha256(jwk.encode())}, **more)


def proof(of: str, path: str, jti: str, scheme: str = "https", **more: Any) -> str:
    header = {"typ": "dpop+jwt", "alg": "EdDSA", "jwk": JWK}
    claims = {
        "jti": jti,
        "htm": "GET",
        "htu": f"{scheme}://api.example.com{path}",
        "iat": int(time.time()),
        "ath": sha256(of.encode()),
        **more,
    }
    text = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
    return f"{text}.{b64(CLIENT.sign(text.encode()))}"


def sent_with(of: str, path: str, jti: str, **more: Any) -> dict[str, str]:
    host = {"host": "api.example.com", "authorization": f"DPoP {of}"}
    return {**host, "dpop": proof(of, path, jti, **more)}


def code(sent: list[dict[str, Any]]) -> str:
    return "allow" if sent[0]["status"] == 200 else json.loads(sent[1]["body"])["code"]


# Secrets


def test_secrets_are_named_by_the_policy_and_stay_for_reloads():
    asked = Request("GET", "/me", {"host": "a.example", "x-api-key": KEY})
    with pytest.raises(PolicyError):
        Gate(api_keys(), instances=1)
    for secret in (PEPPER, PEPPER.decode()):
        with Gate(api_keys(), instances=1, secrets={"pepper": secret}) as gate:
            assert isinstance(gate.check_sync(asked), Allow)
            gate.reload_sync(api_keys())
            assert isinstance(gate.check_sync(asked), Allow)
            gate._local.forget()  # as in a forked process
            assert isinstance(gate.check_sync(asked), Allow)


def test_secrets_are_not_shown_and_not_shared():
    given = {"pepper": PEPPER}
    options = Options(secrets=given)
    given["pepper"] = b"another"
    assert options.secrets == {"pepper": PEPPER}
    assert "pepper" not in repr(options)
    assert hash(options) == hash(Options())
    with Gate(api_keys(), instances=1, secrets={"pepper": PEPPER}) as gate:
        assert "pepper" not in repr(gate)


@pytest.mark.parametrize("secrets", [{"pepper": 7}, {7: b"x"}, {"pepper": None}, [b"x"]])
def test_what_is_no_secret_is_refused(secrets):
    with pytest.raises((TypeError, AttributeError)) as error:
        Gate(api_keys(), instances=1, secrets=secrets)
    assert "pepper of" not in str(error.value)


def test_routes_demand_more_of_a_key():
    with Gate(api_keys(), instances=1, secrets={"pepper": PEPPER}) as gate:
        app = FastAPI()
        protect(app, gate)

        @app.get("/me")
        async def me(grant: Annotated[Grant, Depends(gate.require(scopes=["write"]))]):
            return grant.principal and grant.principal.subject

        client = TestClient(app)
        for headers in (
            {"authorization": f"Bearer {KEY}"},
            {"x-api-key": KEY, "cookie": "a=1; b=2"},
            {"cookie": f"a=1; key={KEY}; b={token()}"},
        ):
            assert client.get("/me?q=text", headers=headers).json() == "robot", headers
        # The denial is that of the caller's key, whatever else the request has.
        headers = {"x-api-key": OTHER_KEY, "cookie": f"b={KEY}"}
        denied = client.get("/me", headers=headers)
        assert (denied.status_code, denied.json()["code"]) == (403, "scope_insufficient")


class _Introspection(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_POST(self):
        self.asked.append(self.rfile.read(int(self.headers["content-length"])).decode())
        active = {"active": True, "sub": "ada", "aud": "api", "scope": "write"}
        body = json.dumps({**active, "exp": int(time.time()) + 60}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object):
        pass


def test_routes_demand_more_of_an_opaque_token():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Introspection)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {
        "uri": f"http://127.0.0.1:{server.server_address[1]}/introspect",
        "insecure_http": True,
        "client": {"id": "gate", "secret_from": "client"},
        "prefix": ["opq_"],
    }
    made = policy(issuers=[{"name": "old", "audiences": ["api"], "introspection": settings}])
    with Gate(made, instances=2, secrets={"client": "s"}) as gate:
        app = FastAPI()
        protect(app, gate)

        @app.get("/me")
        async def me(grant: Annotated[Grant, Depends(gate.require(scopes=["write"]))]):
            return grant.principal and grant.principal.subject

        headers = {"authorization": "Bearer opq_1", "cookie": "a=opq_2"}
        client = TestClient(app)
        assert [client.get("/me", headers=headers).json() for _ in range(3)] == ["ada"] * 3
    server.shutdown()
    server.server_close()
    # Once, and about nothing else of the request.
    assert _Introspection.asked == ["token=opq_1&token_type_hint=access_token"]


def test_what_can_be_a_token():
    reads = frozenset(["authorization", "cookie", "x-api-key"])
    headers = [
        ("Cookie", 'a="one"; b=two words; c=x.y.z'),
        ("X_Api_Key", " sk_1 "),
        ("Authorization", "Basic dXNlcjpwYTpzcw==, Bearer opq_1"),
        ("Authorization", "Basic ?"),
        ("Other", "never"),
    ]
    found = tokens(headers, "q=text&q=", reads)
    assert found == ["x.y.z", "sk_1", "pa:ss", "opq_1", "one", "text"]


# Senders


def test_a_bound_token_over_asgi():
    with Gate(bound(), instances=2) as gate:
        held = dpop_token()
        secure = {"scheme": "https", "client": ("192.0.2.1", 5000)}
        first = scope("/me", sent_with(held, "/me", "asgi-1"), **secure)
        assert seen(ask(gate, first))["caller"] == "ada"
        assert code(ask(gate, first)) == "proof_replayed"
        plain = scope("/me", sent_with(held, "/me", "asgi-2"), **{**secure, "scheme": "http"})
        assert code(ask(gate, plain)) == "proof_invalid"
        plain = sent_with(held, "/me", "asgi-3", scheme="http")
        assert code(ask(gate, scope("/me", plain, scheme="http"))) == "allow"
        # A header says nothing about the connection.
        lying = {**sent_with(held, "/me", "asgi-4"), "x-forwarded-proto": "https"}
        assert code(ask(gate, scope("/me", lying, scheme="http"))) == "proof_invalid"
        bearer = {"host": "api.example.com", "authorization": f"Bearer {held}"}
        assert code(ask(gate, scope("/me", bearer, **secure))) == "proof_missing"


def test_a_nonce_comes_with_the_denial():
    with Gate(bound(**NONCES), instances=1, secrets={"nonces": b"7" * 32}) as gate:
        held = dpop_token()
        denied = ask(gate, scope("/me", sent_with(held, "/me", "nonce-1")))[0]
        headers = dict(denied["headers"])
        assert denied["status"] == 401
        assert headers[b"cache-control"] == b"no-store"
        assert b'error="use_dpop_nonce"' in headers[b"www-authenticate"]
        nonce = headers[b"dpop-nonce"].decode()
        passed = ask(gate, scope("/me", sent_with(held, "/me", "nonce-2", nonce=nonce)))
        assert seen(passed)["caller"] == "ada"
        assert b"dpop-nonce" not in dict(passed[0]["headers"])
        asked = Request("GET", "/me", sent_with(held, "/me", "nonce-3"))
        decision = gate.check_sync(asked)
        assert isinstance(decision, Deny)
        assert decision.nonce is not None


@pytest.mark.parametrize("in_front", [True, False])
def test_routes_demand_more_of_a_bound_token(in_front):
    with Gate(bound(**NONCES), instances=2, secrets={"nonces": "7" * 32}) as gate:
        app = FastAPI()
        if in_front:
            protect(app, gate)

        @app.get("/me")
        async def me(grant: Annotated[Grant, Depends(gate.require(scopes=["write"]))]):
            return grant.principal and grant.principal.subject

        client = TestClient(app, base_url="https://api.example.com")

        def get(jti: str, **claims: Any):
            held = dpop_token(**claims)
            nonce = client.get("/me", headers=sent_with(held, "/me", f"{jti}-0"))
            assert nonce.headers["cache-control"] == "no-store"
            more = {"nonce": nonce.headers["dpop-nonce"]}
            return client.get("/me", headers=sent_with(held, "/me", f"{jti}-1", **more))

        name = f"fastapi-{in_front}"
        assert get(name, scope="read write").json() == "ada"
        assert get(f"{name}-less", scope="read").status_code == 403


def test_a_certificate_counts_only_from_the_connection():
    certificate = b"a certificate in DER"
    held = token(cnf={"x5t#S256": sha256(certificate)})
    headers = {
        "host": "api.example.com",
        "authorization": f"Bearer {held}",
        "x-forwarded-client-cert": f"Hash={'ab' * 32}",
    }
    with Gate(bound(), instances=1) as gate:

        def with_certificate(hashed: bytes | None) -> str:
            asked = Request("GET", "/me", headers, tls=True, certificate=hashed)
            decision = gate.check_sync(asked)
            return decision.code if isinstance(decision, Deny) else "allow"

        assert with_certificate(None) == "proof_missing"
        assert with_certificate(b"too short") == "proof_missing"
        assert with_certificate(hashlib.sha256(b"another").digest()) == "proof_invalid"
        assert with_certificate(hashlib.sha256(certificate).digest()) == "allow"

        # A further check of a request that was allowed.
        denied = gate.verify_sync(held)
        assert isinstance(denied, Deny)
        assert denied.code == "proof_missing"
        assert isinstance(gate.verify_sync(held, proven=True), Allow)
        assert isinstance(asyncio.run(gate.verify(held, {}, proven=True)), Allow)


def test_a_header_of_a_trusted_proxy_counts():
    hashed = hashlib.sha256(b"a certificate in DER")
    held = token(cnf={"x5t#S256": b64(hashed.digest())})
    headers = {
        "host": "api.example.com",
        "authorization": f"Bearer {held}",
        "client-cert-hash": hashed.hexdigest(),
    }
    trusted = {
        "header": "client-cert-hash",
        "format": "sha256",
        "trusted_proxies": ["10.0.0.0/8", "fe80::/10"],
    }
    with Gate(bound(client_certificate=trusted), instances=1) as gate:
        for client, expected in [
            (("10.1.2.3", 1), "allow"),
            (("::ffff:10.1.2.3", 1), "allow"),
            (("fe80::1%eth0", 1), "allow"),
            (("192.0.2.1", 1), "proof_missing"),
            (("testclient", 1), "proof_missing"),
            (None, "proof_missing"),
        ]:
            assert code(ask(gate, scope("/me", headers, client=client))) == expected, client


def test_adapters_say_what_the_server_knows():
    made = [
        request_of(scope(scheme=scheme, client=("192.0.2.1", 5000))) for scheme in ("https", "http")
    ]
    assert [(one.tls, one.peer) for one in made] == [(True, "192.0.2.1"), (False, "192.0.2.1")]
    socket = request_of(scope(type="websocket", scheme="wss", client=None))
    assert (socket.tls, socket.peer) == (True, None)
    nothing = request_of(scope())
    assert (nothing.tls, nothing.peer, nothing.certificate) == (None, None, None)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/me", "HTTP_X_FORWARDED_PROTO": "https"}
    known = {"wsgi.url_scheme": "http", "REMOTE_ADDR": "2001:db8::1"}
    for more, expected in [({}, (None, None)), (known, (False, "2001:db8::1"))]:
        asked = request_of_environ({**environ, **more})
        assert (asked.tls, asked.peer) == expected
