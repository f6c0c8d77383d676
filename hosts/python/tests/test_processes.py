"""Threads, forks, and servers that fork: gunicorn and Celery."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from countersign import Allow, Deny, Gate, Request
from support import bearer, fetching, policy, serving, token

HERE = Path(__file__).parent
ME = Request("GET", "/me", bearer())


def test_threads_share_a_gate(gate: Gate):
    def check(number: int) -> bool:
        allowed = gate.check_sync(Request("GET", "/me", bearer(sub=f"{number}")))
        assert isinstance(allowed, Allow)
        assert allowed.grant.principal is not None
        return allowed.grant.principal.subject == f"{number}"

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(check, range(400)))


def test_other_threads_run_while_a_check_waits():
    with serving() as server:
        server.delay_s = 1
        with Gate(fetching(server.uri)) as gate:
            waiting = threading.Thread(target=gate.check_sync, args=(ME,))
            waiting.start()
            start = time.monotonic()
            assert isinstance(gate.check_sync(Request("GET", "/healthz")), Allow)
            assert time.monotonic() - start < 0.5
            waiting.join()


def in_child(body) -> int:
    """Fork, and return the exit code: 0 if the body is true."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            signal.alarm(30)
            code = 0 if body() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def test_a_forked_process_decides_as_its_parent(gate: Gate):
    assert in_child(lambda: isinstance(gate.check_sync(ME), Allow)) == 0
    assert in_child(lambda: isinstance(gate.check_sync(Request("GET", "/me")), Deny)) == 0
    assert isinstance(gate.check_sync(ME), Allow)


def test_a_forked_process_fetches_its_own_documents():
    with serving() as server, Gate(fetching(server.uri)) as gate:
        assert isinstance(gate.check_sync(ME), Allow)
        assert in_child(lambda: isinstance(gate.check_sync(ME), Allow)) == 0
        assert server.asked == 2


def test_a_forked_process_has_the_policy_that_is_in_force(tmp_path: Path):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(policy()))
    with Gate.from_file(path, watch=True) as gate:
        gate.reload_sync(policy(rules=[{"path": "/other", "public": True}]))
        other = Request("GET", "/other")
        assert in_child(lambda: isinstance(gate.check_sync(other), Allow)) == 0

        def watches() -> bool:
            gate.check_sync(other)
            path.write_text(json.dumps(policy(rules=[{"path": "/third", "public": True}])))
            end = time.monotonic() + 10
            while time.monotonic() < end:
                if isinstance(gate.check_sync(Request("GET", "/third")), Allow):
                    return True
                time.sleep(0.1)
            return False

        assert in_child(watches) == 0


def test_a_closed_gate_is_closed_in_a_forked_process():
    gate = Gate(policy())
    gate.close()
    assert in_child(lambda: isinstance(gate.check_sync(ME), Deny)) == 0


def test_a_fork_while_others_check_open_and_log_does_not_hang():
    """The lines of a log and an opened gate have locks, which a fork must not take along."""
    with serving() as server:
        server.status = 500
        gate = Gate(fetching(server.uri), wait_s=0.05)
        ending = threading.Event()

        def busy() -> None:
            while not ending.is_set():
                gate.check_sync(ME)
                Gate(policy(), instances=1).close()

        threads = [threading.Thread(target=busy) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(10):
                assert (
                    in_child(lambda: isinstance(gate.check_sync(Request("GET", "/healthz")), Allow))
                    == 0
                )
        finally:
            ending.set()
            for thread in threads:
                thread.join()
            gate.close()


GATE = None


def _checked(_: int) -> bool:
    assert GATE is not None
    return isinstance(GATE.check_sync(ME), Allow)


def test_a_pool_of_forked_processes():
    global GATE
    with Gate(policy()) as GATE, get_context("fork").Pool(3) as pool:
        assert all(pool.map(_checked, range(20)))


def test_a_new_process_that_ends_does_not_hang():
    text = "import countersign; g = countersign.Gate(%r); g.check_sync(countersign.Request('GET', '/me'))"
    with serving() as server:
        server.delay_s = 3
        started = time.monotonic()
        subprocess.run([sys.executable, "-c", text % fetching(server.uri)], check=True, timeout=60)
        # One that ends while a fetch is in the air.
        text = "import countersign; g = countersign.Gate(%r)"
        subprocess.run(
            [sys.executable, "-X", "faulthandler", "-c", text % fetching(server.uri)],
            check=True,
            timeout=60,
        )
        assert time.monotonic() - started < 60


def test_gunicorn_forks_after_the_app_is_loaded(tmp_path: Path):
    (tmp_path / "service.py").write_text(
        f"import countersign\nfrom countersign.wsgi import GateMiddleware, grant_of\n"
        f"gate = countersign.Gate({policy()!r})\n"
        "gate.check_sync(countersign.Request('GET', '/healthz'))\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [grant_of(environ).principal.subject.encode()]\n"
        "app = GateMiddleware(app, gate)\n"
    )
    port = free_port()
    arguments = [
        "-m",
        "gunicorn",
        "--preload",
        "-w",
        "2",
        "--threads",
        "2",
        "-b",
        f"127.0.0.1:{port}",
        "service:app",
    ]
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}/me"
        for _ in range(20):
            assert ask(url, bearer()) == (200, b"ada")
        assert ask(url, {})[0] == 401
    finally:
        process.terminate()
        assert process.wait(30) == 0


def test_celery_forks_its_workers(tmp_path: Path):
    for folder in ("in", "done"):
        (tmp_path / folder).mkdir()
    (tmp_path / "work.py").write_text(
        f"import countersign\nfrom celery import Celery\n"
        f"gate = countersign.Gate({policy()!r})\n"
        "app = Celery('work', broker='filesystem://', backend='file://done')\n"
        "app.conf.broker_transport_options = {'data_folder_in': 'in', 'data_folder_out': 'in', 'control_folder': 'done'}\n"
        "@app.task\n"
        "def verify(token):\n"
        "    decision = gate.verify_sync(token)\n"
        "    return type(decision).__name__\n"
    )
    worker = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "work",
        "worker",
        "-P",
        "prefork",
        "-c",
        "2",
        "-l",
        "error",
    ]
    environment = {**os.environ, "C_FORCE_ROOT": "1"}
    process = subprocess.Popen(
        [*worker, "--without-mingle", "--without-gossip"], cwd=tmp_path, env=environment
    )
    try:
        text = (
            "import sys, work; print([work.verify.delay(t).get(timeout=60) for t in sys.argv[1:]])"
        )
        asked = [sys.executable, "-c", text, token(), "a.b.c", token()]
        said = subprocess.run(
            asked, cwd=tmp_path, check=True, timeout=120, capture_output=True, text=True
        )
        assert said.stdout.strip() == "['Allow', 'Deny', 'Allow']"
    finally:
        process.terminate()
        process.wait(60)


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def ask(url: str, headers: dict[str, str]) -> tuple[int, bytes]:
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, headers=headers), timeout=30
            ) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > end:
                pytest.fail("nothing listens")
            time.sleep(0.1)
