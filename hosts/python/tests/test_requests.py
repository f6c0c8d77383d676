"""Whatever a request holds, there is a decision, and never an exception."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest

from countersign import Allow, Answer, Deny, Gate, Request, asgi, wsgi
from support import bearer, token

GOOD = token()


class Lies:
    """Headers that end in an error."""

    def __iter__(self) -> Iterator[tuple[str, str]]:
        yield "authorization", f"Bearer {GOOD}"
        raise RuntimeError("no more")


class Text(str):
    __slots__ = ()

    def encode(self, *_: object) -> bytes:  # type: ignore[override]
        raise ValueError


HEADERS = [
    [("authorization", f"Bearer {GOOD}\udcff")],
    [("authorization", f"Bearer {GOOD}\ud800")],
    [(b"authorization", b"Bearer \xff\xfe\x00")],
    [("authorization", "Bearer é"), ("x", "\r\n")],
    [("authorization",)],
    [("authorization", "a", "b")],
    ["authorization"],
    [("authorization", 1)],
    [(None, None)],
    [("authorization", Text("\ud800"))],
    {"authorization": GOOD},
    Lies(),
    None,
    7,
    [("cookie", "a=b")] * 5000,
    [("authorization", "Bearer " + "a" * 1_000_000)],
    [("", "")],
    [("AUTHORIZATION", f"Bearer {GOOD}"), ("authorization", f"Bearer {GOOD}x")],
]


@pytest.mark.parametrize("headers", HEADERS)
def test_headers_of_any_kind_are_decided(gate: Gate, headers):
    request = Request("GET", "/me", headers)
    decided(gate.check_sync(request))
    decided(asyncio.run(gate.check(request)))
    repr(request)


@pytest.mark.parametrize(
    "target",
    [
        "",
        "*",
        "/\ud800",
        "/\udcff",
        b"/\xff",
        "/é",
        "/%",
        "/a b",
        "http://a/me",
        "//me",
        "/me#",
        "/" + "a" * 20_000,
        None,
        3,
        ["/me"],
    ],
)
@pytest.mark.parametrize("method", ["GET", "get", "", "G T", b"\xff", None])
def test_targets_and_methods_of_any_kind_are_decided(gate: Gate, target, method):
    decision = gate.check_sync(Request(method, target, bearer()))
    assert isinstance(decision, Deny)


@pytest.mark.parametrize("request_", [None, 1, "GET /", object(), {"method": "GET"}])
def test_what_is_no_request_is_denied(gate: Gate, request_):
    for decision in (gate.check_sync(request_), asyncio.run(gate.check(request_))):
        assert isinstance(decision, Deny)
        assert decision.code == "internal_error"


@pytest.mark.parametrize(
    "bad",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "\ud800",
        "\udcff",
        b"\xff",
        b"\0" * 99,
        GOOD + ".",
        GOOD + "\n",
        "x" * 100_000,
        None,
        1,
        [GOOD],
    ],
)
def test_tokens_of_any_kind_are_decided(gate: Gate, bad):
    assert isinstance(gate.verify_sync(bad), Deny)
    assert isinstance(asyncio.run(gate.verify(bad)), Deny)


def test_bytes_that_python_keeps_as_surrogates_are_those_bytes(gate: Gate):
    as_bytes = Request("GET", b"/me\xff", bearer())
    as_text = Request("GET", b"/me\xff".decode("utf-8", "surrogateescape"), bearer())
    assert gate.check_sync(as_bytes) == gate.check_sync(as_text)


def test_random_scopes_and_environments_are_decided(gate: Gate):
    chance = random.Random(7)
    parts = [
        "/",
        "me",
        "%2f",
        "%2F",
        "..",
        ";",
        "\\",
        "%00",
        "é",
        "\ud800",
        "\udcff",
        "?",
        "#",
        "%",
        "//",
        " ",
        "\ufffd",
    ]

    def text() -> str:
        return "/" + "".join(chance.choices(parts, k=chance.randrange(6)))

    for _ in range(3000):
        path, sent, root = text(), text(), chance.choice(["", "/", "/a", "/me", "x", "/é"])
        raw = chance.choice(
            [None, b"", sent.encode("utf-8", "replace"), path.encode("utf-8", "replace")]
        )
        method = chance.choice(["GET", "get", "POST", "\udcff", ""])
        headers = [(b"authorization", f"Bearer {GOOD}".encode()), (b"x\xff", b"\xff")]
        scope = {
            "type": chance.choice(["http", "websocket"]),
            "method": method,
            "path": path,
            "raw_path": raw,
            "root_path": root,
            "query_string": b"\xff",
            "headers": headers,
        }
        decided(asyncio.run(asgi.check(gate, scope)))
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "SCRIPT_NAME": root,
            "QUERY_STRING": sent,
            "HTTP_AUTHORIZATION": f"Bearer {GOOD}",
            "HTTP_X": sent,
            "wsgi.input": None,
        }
        if raw is not None:
            environ["RAW_URI"] = sent
        decided(wsgi.check(gate, environ))


def decided(decision: object) -> None:
    assert isinstance(decision, Allow | Deny | Answer)
