"""Pure ASGI middleware, for any ASGI server and framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias, cast

from . import _process
from ._decision import Allow, Answer, Decision, Deny, Grant, ambiguous
from ._gate import Gate
from ._http import (
    Removed,
    added,
    is_preflight,
    new_query,
    of_preflight,
    one_host,
    readiness,
    response,
    tls,
    tokens,
)
from ._request import UNREADABLE, Request
from ._target import Ambiguous, target

__all__ = ["GateMiddleware", "ReadyApp", "check", "grant_of", "observed_of", "request_of"]

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_GRANT = "countersign.grant"
_OBSERVED = "countersign.observed"
_SENT = "countersign.sent"


class Sent:
    """Headers and query as they were sent: for what still asks about the token.

    Handlers do not see it: it shows nothing, and the grant may have taken it away.
    """

    __slots__ = ("_headers", "_query")

    def __init__(self, scope: Scope) -> None:
        self._headers: list[tuple[bytes, bytes]] = scope["headers"]
        self._query = _query(scope)

    @classmethod
    def of(cls, scope: Scope) -> Sent:
        """Return what was sent, also behind the gate."""
        sent = scope.get(_SENT)
        return sent if isinstance(sent, cls) else cls(scope)

    def tokens(self, reads: frozenset[str]) -> list[str]:
        """Return what looks like a token."""
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in self._headers
        ]
        return tokens(headers, self._query.decode("latin-1"), reads)


class GateMiddleware:
    """Lets requests and WebSockets pass that the gate allows, and answers all others.

    Put it in front of everything that rewrites paths. A granted request has the headers
    of the policy's `forward`, none that a client made up under their names, and the
    grant (`grant_of`; in Starlette also `request.state.grant`).

    Put a CORS middleware in front of it. If it has to stand behind, let preflights pass
    with `bypass_cors_preflight`: unchecked, and without anything that says who calls.

    With `observe` it protects nothing, for a migration beside other checks: each request
    passes exactly as it came and waits for nothing, without a grant. Events tell what would
    have been decided, and so does `observed_of`.
    """

    def __init__(
        self,
        app: App,
        gate: Gate,
        *,
        bypass_cors_preflight: bool = False,
        observe: bool = False,
    ) -> None:
        self._app = app
        self._gate = gate
        self._bypass = bypass_cors_preflight
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Decide, then call the app or answer."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if self._observe:
            return await self._app(self._observed(scope), receive, send)
        if scope["type"] not in ("http", "websocket"):
            raise ValueError(f"a scope of the type {scope['type']} is not admitted")
        if self._bypass and _is_preflight(scope):
            return await self._app(_preflight(scope), receive, send)
        decision = await check(self._gate, scope)
        if isinstance(decision, Allow):
            try:
                granted = apply(decision.grant, scope)
            except Ambiguous:
                return await refuse(ambiguous(), scope, receive, send)
            return await self._app(granted, receive, send)
        return await refuse(decision, scope, receive, send)

    def _observed(self, scope: Scope) -> Scope:
        try:
            if self._bypass and _is_preflight(scope):
                return scope
            return {**scope, _OBSERVED: self._gate.observe(_request(scope))}
        except Exception as error:  # noqa: BLE001 - the request passes, whatever it is
            _process.log.error("a request could not be observed: %s", type(error).__name__)
            return scope


class ReadyApp:
    """Answers readiness probes (`/readyz`): 200 if the gate is ready, and otherwise 503.

    It is an ASGI app, and an endpoint of Starlette and FastAPI: `app.add_route("/readyz",
    ReadyApp(gate))`. Behind the gate it needs a public rule.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] == "http":
            await _send("http.response", scope, send, *readiness(self._gate))


async def check(gate: Gate, scope: Scope) -> Decision:
    """Decide about a scope: a decision, whatever it holds."""
    return await gate.check(_request(scope))


def _request(scope: Scope) -> Request:
    try:
        return request_of(scope)
    except (Ambiguous, UnicodeError):
        return UNREADABLE


def request_of(scope: Scope) -> Request:
    """Return the request as it is routed."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    method = scope.get("method", "GET")
    if scope["type"] == "websocket" and not str(scope.get("http_version", "1.1")).startswith("1"):
        # An extended CONNECT (RFC 8441): its protocol stands in no header.
        method, headers = "CONNECT", [*headers, (b":protocol", b"websocket")]
    # Frameworks read methods without regard to case; HTTP, and rules, do not.
    if method != method.upper():
        raise Ambiguous
    secure, peer = connection(scope)
    return Request(method, _target(scope), headers, tls=secure, peer=peer)


def connection(scope: Mapping[str, Any]) -> tuple[bool | None, str | None]:
    """Return whether it is TLS, and the peer's address: what the server itself knows."""
    # The specification has defaults, but they are no knowledge.
    client = scope.get("client")
    return tls(scope.get("scheme")), client[0] if client else None


def grant_of(where: Any) -> Grant | None:
    """Return the grant of a scope, or of a Starlette `Request` or `WebSocket`."""
    grant: Grant | None = _scope(where).get(_GRANT)
    return grant


def observed_of(where: Any) -> Decision | None:
    """Return what a gate that only observes has decided about a scope; it grants nothing.

    `None` where the decision had to wait for documents.
    """
    decision: Decision | None = _scope(where).get(_OBSERVED)
    return decision


def _scope(where: Any) -> Scope:
    return cast("Scope", where) if isinstance(where, Mapping) else where.scope


def apply(grant: Grant, scope: Scope) -> Scope:
    """Return the scope that a handler may see."""
    granted = {**scope, _SENT: Sent(scope)}
    removed = Removed.of(grant)
    kept = [
        (name, one_host(value) if name.lower() == b"host" else value)
        for name, value in scope["headers"]
        if not removed.has(name.decode("latin-1"))
    ]
    granted["headers"] = kept + [(name.encode(), value) for name, value in added(grant)]
    query = new_query(grant, _target(scope))
    if query is not None:
        granted["query_string"] = query
    if "subprotocols" in scope:
        # It is another view of a header.
        offered = [value for name, value in kept if name.lower() == b"sec-websocket-protocol"]
        offered += [value for name, value in added(grant) if name == "sec-websocket-protocol"]
        parts = b",".join(offered).decode("latin-1").split(",")
        granted["subprotocols"] = [part.strip() for part in parts if part.strip()]
    return with_grant(grant, granted)


def with_grant(grant: Grant, scope: Scope) -> Scope:
    """Put the grant into a scope."""
    scope[_GRANT] = grant
    scope["state"] = {**(scope.get("state") or {}), "grant": grant}
    return scope


async def refuse(decision: Deny | Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the response to a request, or to the handshake of a WebSocket."""
    kind = "http.response"
    if scope["type"] == "websocket":
        await receive()  # the handshake
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            # The server answers 403.
            return await send({"type": "websocket.close", "code": 1008})
        kind = "websocket.http.response"
    return await _send(kind, scope, send, *response(decision))


async def _send(
    kind: str, scope: Scope, send: Send, status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": f"{kind}.start", "status": status, "headers": fields})
    body = b"" if scope.get("method") == "HEAD" else body
    await send({"type": f"{kind}.body", "body": body})


def _target(scope: Scope) -> bytes:
    prefix: str = scope.get("root_path") or ""
    path: str = scope["path"]
    # By the specification the path begins with the prefix; by some servers it does not.
    if prefix and (path == prefix or path.startswith(prefix + "/")):
        path = path[len(prefix) :]
    sent: bytes | None = scope.get("raw_path") or None
    return target(prefix.encode(), path.encode(), sent, _query(scope))


def _query(scope: Scope) -> bytes:
    # Bytes by the specification; Django takes a text too.
    query: bytes | str = scope.get("query_string") or b""
    return query.encode() if isinstance(query, str) else query


def _is_preflight(scope: Scope) -> bool:
    names = (name.decode("latin-1").lower() for name, _ in scope["headers"])
    return scope["type"] == "http" and is_preflight(scope["method"], names)


def _preflight(scope: Scope) -> Scope:
    headers = scope["headers"]
    kept = [field for field in headers if of_preflight(field[0].decode("latin-1").lower())]
    return with_grant(Grant(), {**scope, "headers": kept})
