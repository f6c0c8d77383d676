"""The sibling service, end to end: the development issuer, RS256, rotated keys."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

HERE = Path(__file__).parent
SIBLING = HERE.parent / "examples/sibling"
COMMAND = os.environ.get("COUNTERSIGN_COMMAND") or shutil.which("countersign")

pytestmark = pytest.mark.skipif(COMMAND is None, reason="COUNTERSIGN_COMMAND names no command")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def until_it_listens(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end, "nothing listens"
            time.sleep(0.1)
        else:
            return


@pytest.fixture
def issuer(tmp_path: Path):
    url = f"http://127.0.0.1:{free_port()}"

    def said(*arguments: str) -> str:
        assert COMMAND is not None
        whole = [COMMAND, "dev", *arguments, "--dir", str(tmp_path / "issuer")]
        return subprocess.run(whole, check=True, capture_output=True, text=True).stdout.strip()

    said("keys", "--issuer", url)
    assert COMMAND is not None
    server = subprocess.Popen(
        [COMMAND, "dev", "serve", "--dir", str(tmp_path / "issuer")], stdout=subprocess.DEVNULL
    )
    until_it_listens(int(url.rsplit(":", 1)[1]))
    yield url, said
    server.terminate()
    server.wait(10)


@pytest.fixture
def service(tmp_path: Path, issuer):
    url, _ = issuer
    policy = (SIBLING / "policy.yaml").read_text().replace("https://id.example.com", url)
    policy = policy.replace('jwks.json" }', 'jwks.json", insecure_http: true }')
    (tmp_path / "policy.yaml").write_text(policy)
    port = free_port()
    environment = {
        **os.environ,
        "POLICY": str(tmp_path / "policy.yaml"),
        "USERS": str(tmp_path / "users.db"),
    }
    arguments = [
        "-m",
        "uvicorn",
        "--factory",
        "sibling:from_environment",
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    process = subprocess.Popen([sys.executable, *arguments], cwd=SIBLING, env=environment)
    until_it_listens(port)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield client
    process.terminate()
    process.wait(30)


def test_the_sibling_accepts_the_tokens_of_its_issuer(service: httpx.Client, issuer):
    _, said = issuer

    def bearer(subject: str, *more: str) -> dict[str, str]:
        token = said("mint", "--subject", subject, "--audience", "reports", *more)
        return {"authorization": f"Bearer {token}"}

    ada = bearer("ada", "--tenant", "acme", "--scope", "reports:write")
    assert service.get("/healthz").json() == {"keys": True}
    assert service.get("/me", headers=ada).json() == {"user": 1, "name": "ada"}
    assert service.get("/me", headers=bearer("bob")).json() == {"user": 2, "name": "bob"}
    assert service.get("/me", headers=ada).json()["user"] == 1

    reports = "/tenants/acme/reports"
    assert service.post(reports, params={"text": "q3"}, headers=ada).json() == ["1: q3"]
    assert service.get(reports, headers=ada).json() == ["1: q3"]

    def code(method: str, path: str, headers: dict[str, str]) -> str:
        return service.request(method, path, headers=headers).json()["code"]

    assert code("GET", "/tenants/globex/reports", ada) == "tenant_denied"
    assert code("POST", reports, bearer("ada", "--tenant", "acme")) == "scope_insufficient"
    assert code("GET", "/me", {}) == "token_missing"
    assert code("DELETE", reports, ada) == "rule_denied"
    for_others = {
        "authorization": f"Bearer {said('mint', '--subject', 'ada', '--audience', 'billing')}"
    }
    assert code("GET", "/me", for_others) == "audience_mismatch"

    # The token of a new key: the service fetches the key set again, but not within
    # 30 seconds of the last time.
    said("rotate")
    new = bearer("ada")
    end = time.monotonic() + 60
    while service.get("/me", headers=new).status_code != 200:
        assert time.monotonic() < end
        time.sleep(1)
    assert service.get("/me", headers=ada).json()["user"] == 1
