"""An issuer for the tests: keys made now, and a server of their documents."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ISSUER = "https://issuer.example.com"
KEY = Ed25519PrivateKey.generate()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwks(key: Ed25519PrivateKey = KEY) -> dict[str, Any]:
    x = b64(key.public_key().public_bytes_raw())
    return {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "alg": "EdDSA", "x": x}]}


def token(key: Ed25519PrivateKey = KEY, **claims: Any) -> str:
    now = int(time.time())
    usual = {"iss": ISSUER, "aud": "api", "sub": "ada", "iat": now, "exp": now + 600}
    header = b64(json.dumps({"alg": "EdDSA", "kid": "1"}).encode())
    text = f"{header}.{b64(json.dumps({**usual, **claims}).encode())}"
    return f"{text}.{b64(key.sign(text.encode()))}"


def bearer(**claims: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {token(**claims)}"}


def policy(**more: Any) -> dict[str, Any]:
    return {
        "contract": "1",
        "issuers": [
            {
                "name": "platform",
                "issuer": ISSUER,
                "audiences": ["api"],
                "algorithms": ["EdDSA"],
                "keys": {"jwks": jwks()},
                "claims": {"tenant": "/tenant_id"},
            }
        ],
        "rules": [
            {"path": "/healthz", "public": True},
            {"path": "/orgs/{org}/**", "require": {"tenant": "{org}"}},
            {"path": "/write/**", "methods": ["GET", "POST"], "require": {"scopes": ["write"]}},
            {"path": "/maybe", "optional": True},
            {"path": ["/me", "/echo", "/ws"], "require": {}},
        ],
        "forward": {"x-auth-subject": "subject"},
        **more,
    }


def fetching(uri: str, **more: Any) -> dict[str, Any]:
    """Return the policy with keys that are fetched."""
    made = policy(**more)
    made["issuers"][0]["keys"] = {"jwks_uri": uri, "insecure_http": True}
    return made


class Server(ThreadingHTTPServer):
    """Serves the keys; `delay_s` before it answers, `asked` counts."""

    daemon_threads = True
    delay_s = 0.0
    status = 200
    asked = 0
    held: threading.Event | None = None

    def hold(self) -> Callable[[], None]:
        """Answer nothing until the result is called."""
        self.held = threading.Event()
        return self.held.set

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/jwks"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        server.asked += 1
        time.sleep(server.delay_s)
        if server.held is not None:
            server.held.wait(60)
        body = json.dumps(jwks()).encode()
        self.send_response(server.status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving():
    server = Server(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


SIGNER = Ed25519PrivateKey.generate()


def trust(**more: Any) -> dict[str, Any]:
    """Return whom a host trusts with its policy."""
    x = b64(SIGNER.public_key().public_bytes_raw())
    keys = [{"kty": "OKP", "crv": "Ed25519", "kid": "signer", "x": x}]
    return {"keys": keys, "policy": "shop", "audience": "tests", **more}


def signed(policy: dict[str, Any] | str, version: int, /, **more: Any) -> bytes:
    """Return a signed policy; `more` are members of its header."""
    usual = {"alg": "EdDSA", "typ": "countersign-policy+jws", "kid": "signer", "policy": "shop"}
    times = {"aud": "tests", "version": version, "exp": int(time.time()) + 3600}
    text = policy if isinstance(policy, str) else json.dumps(policy)
    header = b64(json.dumps({**usual, **times, **more}).encode())
    both = f"{header}.{b64(text.encode())}"
    return f"{both}.{b64(SIGNER.sign(both.encode()))}".encode()
