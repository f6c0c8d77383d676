"""For Django: `countersign.django.GateMiddleware` in `MIDDLEWARE`, first.

Settings: `COUNTERSIGN_POLICY` is a policy as `Gate` takes it, `COUNTERSIGN_OPTIONS` are
its options, with `watch` too. Or `COUNTERSIGN_GATE` is a gate. The grant is
`request.grant`.

With `COUNTERSIGN_OBSERVE` it protects nothing, for a migration beside other checks: each
request passes exactly as it came and waits for nothing. Events tell what would have been
decided, and so does `request.observed`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, TypeAlias

from asgiref.sync import markcoroutinefunction
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from . import _environ, _process
from ._decision import Allow, Answer, Decision, Deny, Grant, ambiguous
from ._gate import Gate
from ._http import is_preflight, new_query, readiness, response
from ._policy import PolicyError
from ._request import UNREADABLE, Request
from ._target import Ambiguous, target

__all__ = ["GateMiddleware", "gate", "ready_view"]

Next: TypeAlias = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]

_VIEWS = ("headers", "COOKIES", "GET")
"""What Django has computed of a request, if an earlier middleware asked for it."""


@cache
def gate() -> Gate:
    """Return the gate of the settings, opened once."""
    ready: Gate | None = getattr(settings, "COUNTERSIGN_GATE", None)
    if ready is not None:
        return ready
    policy: Any = getattr(settings, "COUNTERSIGN_POLICY", None)
    options: dict[str, Any] = dict(getattr(settings, "COUNTERSIGN_OPTIONS", {}))
    if policy is None:
        raise ImproperlyConfigured("COUNTERSIGN_POLICY is missing")
    try:
        if isinstance(policy, Path):
            return Gate.from_file(policy, **options)
        return Gate(policy, **options)
    except PolicyError as error:
        raise ImproperlyConfigured(f"COUNTERSIGN_POLICY: {error}") from error


class GateMiddleware:
    """Lets requests pass that the gate allows, and answers all others. Sync and async."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Next) -> None:
        self._next: Any = get_response
        self._gate = gate()
        self._bypass: bool = getattr(settings, "COUNTERSIGN_BYPASS_CORS_PREFLIGHT", False)
        self._observe: bool = getattr(settings, "COUNTERSIGN_OBSERVE", False)
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Decide, then go on or answer."""
        if self._observe:
            self._observed(request)
            return self._next(request)
        if self._is_async:
            return self._call_async(request)
        asked = self._request(request)
        decision = Allow(Grant()) if asked is None else self._gate.check_sync(asked)
        refused = self._refused(request, decision)
        return self._next(request) if refused is None else refused

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        asked = self._request(request)
        decision = Allow(Grant()) if asked is None else await self._gate.check(asked)
        refused = self._refused(request, decision)
        if refused is not None:
            return refused
        passed: HttpResponseBase = await self._next(request)
        return passed

    def _request(self, request: HttpRequest) -> Request | None:
        """Return what is asked about; `None` if it is a preflight that passes."""
        if self._bypass and _is_preflight(request):
            _environ.keep_preflight(request.META)
            return None
        return _asked(request)

    def _observed(self, request: HttpRequest) -> None:
        try:
            if not (self._bypass and _is_preflight(request)):
                request.__dict__["observed"] = self._gate.observe(_asked(request))
        except Exception as error:  # noqa: BLE001 - the request passes, whatever it is
            _process.log.error("a request could not be observed: %s", type(error).__name__)

    def _refused(self, request: HttpRequest, decision: Decision) -> HttpResponse | None:
        if not isinstance(decision, Allow):
            return _response(decision)
        try:
            query = new_query(decision.grant, _target(request))
        except Ambiguous:
            return _response(ambiguous())
        _apply(decision.grant, request, query)
        return None


def ready_view(request: HttpRequest) -> HttpResponse:
    """Answer readiness probes: `path("readyz", ready_view)`. It needs a public rule."""
    status, headers, body = readiness(gate())
    return HttpResponse(body, status=status, headers=dict(headers))


def _asked(request: HttpRequest) -> Request:
    try:
        method = _method(request)
        secure, peer = _connection(request)
        fields = list(_fields(request))
        return Request(method, _target(request), fields, tls=secure, peer=peer)
    except (Ambiguous, UnicodeError):
        return UNREADABLE


def _is_preflight(request: HttpRequest) -> bool:
    names = (name for name, _ in _environ.headers(request.META))
    return is_preflight(str(request.method), names)


def _method(request: HttpRequest) -> str:
    scope = getattr(request, "scope", None)
    sent = scope["method"] if scope is not None else request.META["REQUEST_METHOD"]
    # Django reads methods without regard to case; HTTP, and rules, do not.
    if sent != request.method:
        raise Ambiguous
    return str(request.method)


def _target(request: HttpRequest) -> bytes:
    scope = getattr(request, "scope", None)
    prefix: str = request.META.get("SCRIPT_NAME") or ""
    sent = _environ.sent(request.META) if scope is None else scope.get("raw_path")
    query: str = request.META.get("QUERY_STRING") or ""
    # Django resolves `path_info`, whatever else a request says.
    path = request.path_info.encode()
    return target(prefix.encode(), path, sent or None, query.encode("latin-1"))


def _fields(request: HttpRequest) -> list[tuple[str | bytes, str | bytes]]:
    scope = getattr(request, "scope", None)
    # Django joins fields of one name; the gate has to see that there were several.
    return scope["headers"] if scope is not None else list(_environ.headers(request.META))


def _connection(request: HttpRequest) -> tuple[bool | None, str | None]:
    scope = getattr(request, "scope", None)
    if scope is None:
        return _environ.connection(request.META)
    from .asgi import connection

    return connection(scope)


def _apply(grant: Grant, request: HttpRequest, query: bytes | None) -> None:
    _environ.apply(grant, request.META, query)
    scope = getattr(request, "scope", None)
    if scope is not None:
        from .asgi import apply

        seen: Any = request
        seen.scope = apply(grant, scope)
    for view in _VIEWS:
        request.__dict__.pop(view, None)
    request.__dict__["grant"] = grant


def _response(decision: Deny | Answer) -> HttpResponse:
    status, headers, body = response(decision)
    return HttpResponse(body, status=status, headers=dict(headers))
