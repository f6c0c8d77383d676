"""The decision log: JSON lines, to a file, to standard output, or to a callable."""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import os
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from countersign import Allow, DecisionEvent, DecisionLog, Deny, Gate, Request
from support import bearer, fetching, policy, serving
from test_processes import in_child

HEALTHZ = Request("GET", "/healthz")
DENIED = Request("GET", "/me?secret=1", {"authorization": "Bearer a.b.c"})


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_lines_are_events_with_their_time_and_contain_no_token(tmp_path: Path):
    path = tmp_path / "decisions.jsonl"
    path.write_text('{"older": true}\n')
    log = DecisionLog(path, allow_every=1)
    events: list[DecisionEvent] = []
    with Gate(policy(), log=log, on_decision=events.append, subject_key=b"k" * 16) as gate:
        me = Request("GET", "/me", bearer())
        assert isinstance(gate.check_sync(me), Allow)
        assert isinstance(gate.check_sync(DENIED), Deny)
        assert log.flush()
    older, allowed, denied = lines(path.read_text())
    assert older == {"older": True}
    assert datetime.fromisoformat(allowed["time"].replace("Z", "+00:00")).tzinfo is not None
    assert (allowed["decision"], allowed["rule"]["path"]) == ("allow", "/me")
    assert allowed["subject_ref"] == events[0].subject_ref
    assert denied["code"] == events[1].code == "token_malformed"
    text = path.read_text()
    assert not any(
        part in text for part in ["secret", "ada", "a.b.c", *me.headers["authorization"].split(".")]
    )
    assert log.dropped == 0


def test_all_denials_are_logged_and_one_of_so_many_others():
    seen: list[str] = []
    log = DecisionLog(seen.append, allow_every=10)
    with Gate(policy(), log=log) as gate:
        for _ in range(20):
            gate.check_sync(HEALTHZ)
            gate.check_sync(DENIED)
        assert log.flush()
    decisions = [one["decision"] for one in lines("\n".join(seen))]
    assert (decisions.count("deny"), decisions.count("allow")) == (20, 2)


def test_a_full_ring_drops_events_and_delays_no_decision():
    writing, go_on = threading.Event(), threading.Event()

    def slow(_: str) -> None:
        writing.set()
        go_on.wait(60)

    log = DecisionLog(slow, ring=4)
    with Gate(policy(), log=log) as gate:
        gate.check_sync(DENIED)
        assert writing.wait(60)
        for _ in range(20):
            assert isinstance(gate.check_sync(DENIED), Deny)
        assert log.dropped == 16
        assert not log.flush(0.01)
        go_on.set()
        assert log.flush()


def test_a_writer_that_raises_loses_its_line_only(monkeypatch: pytest.MonkeyPatch):
    raised: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda one: raised.append(one.exc_value))
    seen: list[str] = []

    def write(line: str) -> None:
        seen.append(line)
        if len(seen) == 1:
            raise OSError("the disk is full")

    log = DecisionLog(write)
    with Gate(policy(), log=log) as gate:
        gate.check_sync(DENIED)
        gate.check_sync(DENIED)
        assert log.flush()
    assert (len(seen), [str(one) for one in raised]) == (2, ["the disk is full"])


def test_a_file_that_cannot_be_opened_is_an_error_at_once(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        DecisionLog(tmp_path / "no" / "decisions.jsonl")


def test_a_logger_takes_lines(caplog: pytest.LogCaptureFixture):
    log = DecisionLog(logging.getLogger("decisions").info)
    with caplog.at_level("INFO", "decisions"), Gate(policy(), log=log) as gate:
        gate.check_sync(DENIED)
        assert log.flush()
    assert [json.loads(one.getMessage())["code"] for one in caplog.records] == ["token_malformed"]


REQUEST_ID: contextvars.ContextVar[str] = contextvars.ContextVar("request_id")


def added(event: DecisionEvent) -> dict[str, str]:
    return {"request_id": REQUEST_ID.get("none"), "told": event.decision}


def test_members_are_added_in_the_context_of_the_check():
    """Also where the decision waits, and is made in another thread."""
    seen: list[str] = []
    log = DecisionLog(seen.append, add=added, allow_every=1)

    async def ask(gate: Gate, number: int) -> None:
        REQUEST_ID.set(str(number))
        assert isinstance(await gate.check(Request("GET", "/me", bearer(sub=str(number)))), Allow)

    async def both(gate: Gate) -> None:
        await asyncio.gather(ask(gate, 1), ask(gate, 2))

    with serving() as server:
        server.delay_s = 0.2
        with Gate(fetching(server.uri), log=log) as gate:
            asyncio.run(both(gate))
            asyncio.run(ask(gate, 3))
            assert isinstance(gate.check_sync(HEALTHZ), Allow)
            assert log.flush()
    found = lines("\n".join(seen))
    assert sorted(one["request_id"] for one in found) == ["1", "2", "3", "none"]
    assert {one["told"] for one in found} == {"allow"}
    assert any(one["waited_ms"] > 0 for one in found)


def test_what_cannot_be_added_is_left_out(monkeypatch: pytest.MonkeyPatch):
    raised: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda one: raised.append(one.exc_value))
    seen: list[str] = []
    log = DecisionLog(seen.append, add=lambda event: {}[event.decision])
    with Gate(policy(), log=log) as gate:
        assert isinstance(gate.check_sync(DENIED), Deny)
        assert log.flush()
    assert len(seen) == len(raised) == 1


def test_several_hooks_are_told_and_one_that_raises_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
):
    raised: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda one: raised.append(one.exc_value))
    seen: list[DecisionEvent] = []

    def broken(_: DecisionEvent) -> None:
        raise RuntimeError("no")

    with Gate(policy(), on_decision=[seen.append, broken, seen.append]) as gate:
        gate.check_sync(HEALTHZ)
    assert (len(seen), len(raised)) == (2, 1)


def test_a_hook_finds_the_variables_of_its_request():
    seen: list[str] = []

    def hook(_: DecisionEvent) -> None:
        seen.append(REQUEST_ID.get("none"))
        REQUEST_ID.set("changed by the hook")

    async def ask(gate: Gate) -> str:
        REQUEST_ID.set("7")
        await gate.check(HEALTHZ)
        return REQUEST_ID.get()

    with Gate(policy(), on_decision=hook) as gate:
        assert asyncio.run(ask(gate)) == "7"
        gate.check_sync(HEALTHZ)
    assert seen == ["7", "none"]


def test_forked_processes_write_to_the_same_file(tmp_path: Path):
    path = tmp_path / "decisions.jsonl"
    log = DecisionLog(path)
    with Gate(policy(), log=log) as gate:
        gate.check_sync(DENIED)

        def writes() -> bool:
            gate.check_sync(DENIED)
            return log.flush(20) and log.dropped == 0

        assert in_child(writes) == 0
        assert in_child(writes) == 0
        assert log.flush()
    assert [one["code"] for one in lines(path.read_text())] == ["token_malformed"] * 3


@pytest.mark.parametrize("forks", [False, True])
def test_standard_output_has_every_line_when_python_ends(forks: bool):
    text = (
        "import countersign, os\n"
        "log = countersign.DecisionLog()\n"
        f"gate = countersign.Gate({policy()!r}, log=log)\n"
        "for _ in range(50): gate.check_sync(countersign.Request('GET', '/me'))\n"
    )
    if forks:
        text += "if os.fork(): os.wait()\nelse:\n    gate.check_sync(countersign.Request('GET', '/me'))\n"
    ran = subprocess.run(
        [sys.executable, "-c", text],
        check=True,
        timeout=120,
        capture_output=True,
        text=True,
        env={**os.environ},
    )
    codes = [one["code"] for one in lines(ran.stdout)]
    assert codes == ["token_missing"] * (51 if forks else 50)
