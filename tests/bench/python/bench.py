"""The wheel against PyJWT, joserfc and Authlib: a workload on stdin, figures on stdout."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from peers import PEERS

from countersign import Allow, DecisionLog, Gate, Request

HERE = Path(__file__).parent


def main() -> None:
    work = json.load(sys.stdin)
    races = [fresh(case, work) for case in work["algorithms"]]
    rsa = next(case for case in work["algorithms"] if case["name"] == "RS256")
    races += [remembered(rsa, work), told(rsa, work), threads(rsa, work)]
    races += asgi(rsa, work) + starts(rsa, work)
    names = ("countersign-gate", "pyjwt", "joserfc", "authlib", "cryptography", "uvicorn")
    versions = {name: importlib.metadata.version(name) for name in names}
    versions["python"] = sys.version.split()[0]
    print(json.dumps({"races": races, "versions": versions}))


class Ours:
    """The whole check of a request, as a handler gets it."""

    def __init__(self, case: dict[str, Any], work: dict[str, Any], label: str = "", **options: Any) -> None:
        self.name = "Gate.check_sync" + label
        self._open = lambda: Gate(case["policy"], instances=1, **options)
        self._requests = [
            Request("GET", work["target"], [(b"authorization", b"Bearer " + token.encode())])
            for token in case["tokens"]
        ]

    def open(self) -> None:
        self._gate = self._open()

    def check(self, start: int, end: int) -> None:
        check = self._gate.check_sync
        for request in self._requests[start:end]:
            if not isinstance(check(request), Allow):
                raise SystemExit("a valid token was denied")


class Peer:
    """Another verifier: signature, issuer, audience and times of a token."""

    def __init__(self, name: str, case: dict[str, Any], work: dict[str, Any]) -> None:
        self.name = name
        self._make = lambda: PEERS[name](case["jwk"], case["name"], work["issuer"], work["audience"])
        self._tokens = case["tokens"]

    def open(self) -> None:
        self._verify = self._make()

    def check(self, start: int, end: int) -> None:
        for token in self._tokens[start:end]:
            self._verify(token)


def race(contestants: list[Any], plan: dict[str, int], *, remembers: bool) -> list[dict[str, Any]]:
    """Let them take turns, so that other load on the machine affects all of them."""
    turns: list[list[float]] = [[] for _ in contestants]
    count, length = plan["tokens"], plan["turn"]
    for number in range(plan["passes"]):
        if number == 0 or not remembers:
            for one in contestants:
                one.open()
                if remembers:
                    one.check(0, count)
        for turn, start in enumerate(range(0, count, length)):
            for place in range(len(contestants)):
                index = (place + turn + number) % len(contestants)
                began = time.perf_counter_ns()
                contestants[index].check(start, start + length)
                turns[index].append((time.perf_counter_ns() - began) / length)
    return [figure(one.name, "ns", turn) for one, turn in zip(contestants, turns, strict=True)]


def figure(name: str, unit: str, turns: list[float]) -> dict[str, Any]:
    return {"name": name, "unit": unit, "best": min(turns), "median": statistics.median(turns), "turns": len(turns)}


def result(work: str, ours: list[dict[str, Any]], peers: list[dict[str, Any]]) -> dict[str, Any]:
    return {"host": "python", "work": work, "ours": ours, "peers": peers}


def fresh(case: dict[str, Any], work: dict[str, Any]) -> dict[str, Any]:
    ours = [Ours(case, work), Ours(case, work, ", native", signatures="native")]
    figures = race([*ours, *(Peer(name, case, work) for name in PEERS)], work["fresh"], remembers=False)
    return result(f"{case['name']}, fresh", figures[:2], figures[2:])


def remembered(case: dict[str, Any], work: dict[str, Any]) -> dict[str, Any]:
    plan = {**work["remembered"], "passes": max(2, work["remembered"]["passes"] // 10)}
    figures = race([Ours(case, work), Peer("PyJWT", case, work)], plan, remembers=True)
    return result("RS256, remembered", figures[:1], figures[1:])


def told(case: dict[str, Any], work: dict[str, Any]) -> dict[str, Any]:
    """Remembered tokens, whose decisions are logged, or are told to a hook."""
    plan = {**work["remembered"], "passes": max(2, work["remembered"]["passes"] // 10)}
    with tempfile.TemporaryDirectory() as folder:
        log = DecisionLog(Path(folder) / "decisions.jsonl")
        contestants = [
            Ours(case, work, ", decision log", log=log),
            Ours(case, work, ", on_decision", on_decision=lambda _: None),
            Ours(case, work),
        ]
        figures = race(contestants, plan, remembers=True)
        log.flush()
    return result("RS256, remembered, events", figures[:2], figures[2:])


def threads(case: dict[str, Any], work: dict[str, Any]) -> dict[str, Any]:
    """New tokens on one thread and on two; the time is that of all divided by their number."""
    requests = [Request("GET", work["target"], {"authorization": f"Bearer {token}"}) for token in case["tokens"]]
    half = len(requests) // 2

    def timed(parts: list[list[Request]]) -> float:
        gate = Gate(case["policy"], instances=2)

        def check(part: list[Request]) -> None:
            for request in part:
                gate.check_sync(request)

        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(check, [[] for _ in parts]))
            began = time.perf_counter_ns()
            list(pool.map(check, parts))
            return (time.perf_counter_ns() - began) / len(requests)

    one, two = [], []
    for _ in range(5 if len(requests) > 100 else 1):
        one.append(timed([requests]))
        two.append(timed([requests[:half], requests[half:]]))
    return result("new tokens, two threads", [figure("two threads", "ns", two)], [figure("one thread", "ns", one)])


SERVICE = """
import json
from pathlib import Path
from countersign import Gate
from countersign.asgi import GateMiddleware

async def bare(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

gate = Gate(Path("policy.json"))
guarded = GateMiddleware(bare, gate)
"""


def asgi(case: dict[str, Any], work: dict[str, Any]) -> list[dict[str, Any]]:
    """Requests under uvicorn, one worker, with one token each and with the same token."""
    count = 4000 if len(case["tokens"]) > 100 else 40
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "policy.json").write_text(case["policy"])
        (folder / "service.py").write_text(SERVICE)
        with serving(folder, "bare") as bare, serving(folder, "guarded") as guarded:
            turns: dict[str, list[float]] = {"bare": [], "same": [], "new": []}
            for _ in range(5 if count > 100 else 1):
                turns["bare"].append(load(bare, work["target"], case["tokens"][:1], count))
                turns["same"].append(load(guarded, work["target"], case["tokens"][:1], count))
                turns["new"].append(load(guarded, work["target"], case["tokens"], count))
    without = figure("without", "ns", turns["bare"])
    return [
        result("a request under uvicorn, one token", [figure("middleware", "ns", turns["same"])], [without]),
        result("a request under uvicorn, new tokens", [figure("middleware", "ns", turns["new"])], [without]),
    ]


class serving:
    def __init__(self, folder: Path, app: str) -> None:
        self._arguments = ["-m", "uvicorn", f"service:{app}", "--log-level", "critical", "--port"]
        self._folder = folder

    def __enter__(self) -> int:
        import socket

        with socket.create_server(("127.0.0.1", 0)) as one:
            port: int = one.getsockname()[1]
        self._process = subprocess.Popen([sys.executable, *self._arguments, str(port)], cwd=self._folder)
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return port

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)


def load(port: int, target: str, tokens: list[str], count: int) -> float:
    """Return nanoseconds a request, over 8 connections."""
    requests = [
        f"GET {target} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n".encode() for token in tokens
    ]

    async def connection(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for index in range(first, count, 8):
            writer.write(requests[index % len(requests)])
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"a request was answered with {head!r}")
            await reader.readexactly(2)
        writer.close()

    async def all_of_them() -> None:
        await asyncio.gather(*(connection(first) for first in range(8)))

    began = time.perf_counter_ns()
    asyncio.run(all_of_them())
    return (time.perf_counter_ns() - began) / count


def starts(case: dict[str, Any], work: dict[str, Any]) -> list[dict[str, Any]]:
    """New processes: import, the first decision, and the memory afterwards."""
    key = json.dumps(case["jwk"])
    ours = (
        "import countersign, json, sys, time; a = time.perf_counter_ns() - t;"
        "p, target, token = json.load(sys.stdin);"
        "g = countersign.Gate(p); g.check_sync(countersign.Request('GET', target, {'authorization': 'Bearer ' + token}));"
    )
    peer = (
        "import jwt, json, sys, time; a = time.perf_counter_ns() - t; p, target, token = json.load(sys.stdin);"
        f"jwt.decode(token, jwt.PyJWK(json.loads({key!r}), algorithm='RS256').key, algorithms=['RS256'], audience={work['audience']!r});"
    )
    said = "b = time.perf_counter_ns() - t; m = [one for one in open('/proc/self/status') if one.startswith('VmHWM')]; print(a, b, int(m[0].split()[1]) * 1024)"
    asked = json.dumps([case["policy"], work["target"], case["tokens"][0]])
    found: list[list[list[float]]] = [[], []]
    for _ in range(10 if len(case["tokens"]) > 100 else 1):
        for index, text in enumerate((ours, peer)):
            script = "import time; t = time.perf_counter_ns();" + text + said
            output = subprocess.run([sys.executable, "-c", script], input=asked, check=True, capture_output=True, text=True)
            found[index].append([float(one) for one in output.stdout.split()])
    races = []
    for place, (name, unit) in enumerate([("import", "ns"), ("start to the first decision", "ns"), ("memory after it", "bytes")]):
        mine, theirs = ([one[place] for one in runs] for runs in found)
        races.append(result(name, [figure("countersign", unit, mine)], [figure("PyJWT", unit, theirs)]))
    return races


if __name__ == "__main__":
    main()
