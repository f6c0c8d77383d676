"""What every adapter does with headers and responses."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import parse_qsl

from ._decision import Answer, Deny, Grant, RemoveHeader, SetHeader, SetTarget
from ._gate import Gate
from ._local import GateClosed
from ._target import Ambiguous, split

CANDIDATES = 16
"""How many texts are tried for one request. One of them is the token that was verified."""


class Response(NamedTuple):
    """The response to a request that does not pass."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def response(decision: Deny | Answer) -> Response:
    """Return an answer of the gate as it is; a denial with its challenge."""
    if isinstance(decision, Answer):
        headers = [*decision.headers]
        body = decision.body
    else:
        body = json.dumps({"code": decision.code, "message": decision.message}).encode()
        headers = [("content-type", "application/json"), ("cache-control", "no-store")]
        if decision.challenge is not None:
            headers.append(("www-authenticate", decision.challenge))
        if decision.nonce is not None:
            headers.append(("dpop-nonce", decision.nonce))
        if decision.retry_after_s is not None:
            headers.append(("retry-after", str(decision.retry_after_s)))
    headers.append(("content-length", str(len(body))))
    return Response(decision.status, headers, body)


def readiness(gate: Gate) -> Response:
    """Return the response to a readiness probe."""
    try:
        is_ready = gate.ready()
    except GateClosed:
        is_ready = False
    body = b"ready\n" if is_ready else b"not ready\n"
    headers = [("content-type", "text/plain"), ("cache-control", "no-store")]
    headers.append(("content-length", str(len(body))))
    return Response(200 if is_ready else 503, headers, body)


def plain(name: str) -> str:
    """Return a name as it is compared: CGI, WSGI and PHP read `x_auth` and `X-Auth` as one."""
    return name.lower().replace("_", "-")


def same_name(name: str) -> str:
    """Return a name as HTTP compares it."""
    return name.lower()


def new_query(grant: Grant, target: bytes) -> bytes | None:
    """Return the new query, if the grant changes the target; its path stays what it is.

    Frameworks have taken the path from what was sent before: another one cannot be set.
    """
    query = None
    for change in grant.changes:
        if isinstance(change, SetTarget):
            path, query = split(change.target)
            if path != split(target)[0]:
                raise Ambiguous
    return query


class Removed(NamedTuple):
    """The names that a grant removes."""

    plain: frozenset[str]
    """Compared as `plain` returns them."""
    exact: frozenset[str]
    """Compared in lower case."""

    @classmethod
    def of(cls, grant: Grant) -> Removed:
        """Everything that is set is removed first."""
        exact = {name for name, _ in grant.set_headers}
        exact.update(
            same_name(change.name)
            for change in grant.changes
            if isinstance(change, SetHeader | RemoveHeader)
        )
        return cls(frozenset(grant.remove_headers), frozenset(exact))

    def has(self, name: str) -> bool:
        """Whether this field goes."""
        return plain(name) in self.plain or same_name(name) in self.exact


def added(grant: Grant) -> Iterable[tuple[str, bytes]]:
    """Return the headers that a grant sets, in their last state."""
    headers = {name: value.encode("ascii") for name, value in grant.set_headers}
    for change in grant.changes:
        if isinstance(change, SetHeader):
            headers[same_name(change.name)] = change.value
        elif isinstance(change, RemoveHeader):
            headers.pop(same_name(change.name), None)
    return headers.items()


def one_host(value: bytes) -> bytes:
    """Return a host as every router reads it alike: in lower case, no last dot, no empty port."""
    host, port = value.lower().removesuffix(b":"), b""
    if not host.endswith(b"]"):
        host, colon, digits = host.rpartition(b":") if b":" in host else (host, b"", b"")
        port = colon + digits
    return host.removesuffix(b".") + port


def is_preflight(method: str, names: Iterable[str]) -> bool:
    """Whether it is a CORS preflight (Fetch §3.2.2)."""
    return method == "OPTIONS" and {"origin", "access-control-request-method"} <= set(names)


def of_preflight(name: str) -> bool:
    """Whether a preflight keeps it: any other header could say who the caller is."""
    return name in ("host", "origin") or name.startswith("access-control-request-")


def tls(scheme: object) -> bool | None:
    """Whether a server's own scheme is one of TLS."""
    return {"https": True, "wss": True, "http": False, "ws": False}.get(str(scheme))


def tokens(headers: Iterable[tuple[str, str]], query: str, reads: frozenset[str]) -> list[str]:
    """Return the texts that can be tokens, in the headers that the gate reads and the query.

    Only the module knows where a policy reads the credential. In every case it is the
    end of a list element of a header, the password of `Basic`, or the value of a cookie
    or parameter. What has the form of a JWT comes first, then what stands in headers of
    their own: API keys and opaque tokens can be any text.
    """
    elements: list[str] = []
    cookies: list[str] = []
    for name, value in headers:
        if name.lower() == "cookie" and "cookie" in reads:
            cookies += [one.partition("=")[2] for one in value.split(";")]
        elif plain(name) in reads:
            elements += [_credential(one.strip()) for one in value.split(",")]
    elements += cookies + [value for _, value in parse_qsl(query)]
    texts = dict.fromkeys(element.strip().strip('"') for element in elements)
    found = [text for text in texts if _TOKEN.fullmatch(text)]
    found.sort(key=lambda text: text.count(".") != 2)
    return found[:CANDIDATES]


def _credential(element: str) -> str:
    scheme, _, rest = element.partition(" ")
    if scheme.lower() != "basic":
        return element.rpartition(" ")[2]
    try:
        return b64decode(rest).decode("latin-1").partition(":")[2]
    except ValueError:
        return ""


_TOKEN = re.compile(r"[!-~]+")
