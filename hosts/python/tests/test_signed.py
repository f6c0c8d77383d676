"""Signed policies from a file and from an address."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from countersign import (
    Allow,
    Deny,
    Gate,
    PolicyError,
    PolicySource,
    Request,
    SourceStatus,
    policy_digest,
)
from support import policy, signed, trust
from test_processes import in_child


def numbered(version: int) -> dict[str, Any]:
    """Return a policy that only admits its own number."""
    return policy(rules=[{"path": f"/v{version}", "public": True}])


def versions(gate: Gate) -> list[int]:
    """Return which of the numbered policies is in force."""
    paths = ((one, Request("GET", f"/v{one}")) for one in range(10))
    return [one for one, request in paths if isinstance(gate.check_sync(request), Allow)]


def source(gate: Gate) -> SourceStatus:
    found = gate.status().source
    assert found is not None
    return found


def test_only_a_good_policy_replaces_the_one_in_force(tmp_path: Path):
    path = tmp_path / "policy.jws"
    path.write_bytes(signed(numbered(3), 3))
    errors: list[PolicyError] = []
    place = PolicySource(path, trust=trust(), on_error=errors.append)
    with Gate(place) as gate:
        assert versions(gate) == [3]
        assert gate.policy_digest == policy_digest(numbered(3))
        assert (source(gate).version, source(gate).kid) == (3, "signer")
        for bad in [
            signed(numbered(2), 2),
            signed(numbered(4), 4, aud="production"),
            signed(numbered(4), 4, policy="other"),
            signed(numbered(4), 4, exp=int(time.time()) - 1),
            signed(numbered(4), 4)[:-4] + b"AAAA",
            signed({"contract": "2"}, 4),
            json.dumps(numbered(4)).encode(),
        ]:
            path.write_bytes(bad)
            with pytest.raises(PolicyError) as raised:
                gate.look_for_policy_sync()
            assert raised.value.problems
            assert versions(gate) == [3]
            assert source(gate).last_error is not None
        assert len(errors) == 7
        assert all(isinstance(one, PolicyError) for one in errors)
        path.write_bytes(signed(numbered(4), 4))
        assert gate.look_for_policy_sync()
        assert not gate.look_for_policy_sync()
        assert (versions(gate), source(gate).version, source(gate).last_error) == ([4], 4, None)


@pytest.mark.parametrize("bad", [{"audience": "production"}, {"policy": "other"}, {"keys": []}])
def test_a_gate_does_not_open_with_a_policy_that_it_does_not_trust(tmp_path: Path, bad):
    path = tmp_path / "policy.jws"
    path.write_bytes(signed(numbered(1), 1))
    with pytest.raises(PolicyError):
        Gate(PolicySource(path, trust={**trust(), **bad}))


def test_the_trust_is_a_mapping_a_text_or_a_file(tmp_path: Path):
    path, said = tmp_path / "policy.jws", tmp_path / "trust.json"
    path.write_bytes(signed(numbered(1), 1))
    said.write_text(json.dumps(trust()))
    for one in (trust(), json.dumps(trust()), json.dumps(trust()).encode(), said):
        with Gate(PolicySource(str(path), trust=one)) as gate:
            assert versions(gate) == [1]
    with pytest.raises(PolicyError):
        Gate(PolicySource(path, trust="no json"))


def test_a_policy_in_yaml_can_be_signed(tmp_path: Path):
    path = tmp_path / "policy.jws"
    text = 'contract: "1"\nissuers: []\nrules:\n  - { path: /v1, public: true }\n'
    with pytest.raises(PolicyError) as unsigned:
        Gate(text)
    path.write_bytes(signed(text, 1))
    with pytest.raises(PolicyError) as raised:
        Gate(PolicySource(path, trust=trust()))
    assert [one.code for one in raised.value.problems] == [
        one.code for one in unsigned.value.problems
    ]


def test_a_policy_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(PolicyError) as raised:
        Gate(PolicySource(tmp_path / "none.jws", trust=trust()))
    assert [one.code for one in raised.value.problems] == ["policy_unavailable"]


def test_the_state_file_keeps_the_highest_version_over_a_restart(tmp_path: Path):
    path, state = tmp_path / "policy.jws", tmp_path / "state"
    place = PolicySource(path, trust=trust(), state_file=state)
    path.write_bytes(signed(numbered(5), 5))
    Gate(place).close()
    assert json.loads(state.read_text()) == {"version": 5}
    path.write_bytes(signed(numbered(4), 4))
    with pytest.raises(PolicyError):
        Gate(place)
    state.write_text("damaged")
    with pytest.raises(PolicyError) as raised:
        Gate(place)
    assert [one.code for one in raised.value.problems] == ["state_file_unusable"]


def test_a_forked_process_puts_no_older_policy_in_force(tmp_path: Path):
    path = tmp_path / "policy.jws"
    path.write_bytes(signed(numbered(5), 5))
    with Gate(PolicySource(path, trust=trust())) as gate:
        assert in_child(lambda: versions(gate) == [5]) == 0
        path.write_bytes(signed(numbered(6), 6))
        assert in_child(lambda: versions(gate) == [6]) == 0
        path.write_bytes(signed(numbered(4), 4))
        # It has no policy then, and denies everything.
        assert in_child(lambda: versions(gate) == []) == 0
        assert in_child(lambda: isinstance(gate.check_sync(Request("GET", "/v4")), Deny)) == 0
        assert versions(gate) == [5]


def test_a_gate_of_signed_policies_takes_no_other(tmp_path: Path):
    path = tmp_path / "policy.jws"
    path.write_bytes(signed(numbered(1), 1))
    with Gate(PolicySource(path, trust=trust())) as gate:
        with pytest.raises(ValueError, match="signed"):
            gate.reload_sync(numbered(2))
        assert versions(gate) == [1]


class _Policies(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: Any = self.server
        server.asked.append(self.headers.get("if-none-match"))
        etag = f'"{server.version}"'
        unchanged = self.headers.get("if-none-match") == etag
        body = b"" if unchanged else signed(numbered(server.version), server.version)
        self.send_response(304 if unchanged else 200)
        self.send_header("etag", etag)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving_policies():
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Policies)
    server.daemon_threads = True
    server.version, server.asked = 1, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def test_an_address_is_asked_with_its_etag():
    with serving_policies() as server:
        url = f"http://127.0.0.1:{server.server_address[1]}/shop.jws?key=hidden"
        place = PolicySource(url, trust=trust(), insecure_http=True)
        assert "hidden" not in repr(place)
        with Gate(place) as gate:
            assert "hidden" not in repr(gate)
            assert not gate.look_for_policy_sync()
            server.version = 2
            assert gate.look_for_policy_sync()
            assert versions(gate) == [2]
        assert server.asked == [None, '"1"', '"1"']
        with pytest.raises(PolicyError) as raised:
            Gate(PolicySource(url, trust=trust()))
        assert [one.code for one in raised.value.problems] == ["policy_unavailable"]
        assert "hidden" not in str(raised.value)


def test_a_newer_policy_is_found_without_being_asked(tmp_path: Path):
    path = tmp_path / "policy.jws"
    path.write_bytes(signed(numbered(1), 1))
    with Gate(PolicySource(path, trust=trust(), poll_s=0)) as gate:  # the shortest pause: 5 s
        path.write_bytes(signed(numbered(2), 2))
        end = time.monotonic() + 60
        while versions(gate) != [2] and time.monotonic() < end:
            time.sleep(0.1)
        assert versions(gate) == [2]
