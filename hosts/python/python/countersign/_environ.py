"""What WSGI and Django have in common: a request as an environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, TypeAlias

from ._decision import Grant
from ._http import Removed, added, of_preflight, one_host, tls
from ._request import Request
from ._target import Ambiguous, target

Environ: TypeAlias = MutableMapping[str, Any]

_SENT = ("RAW_URI", "REQUEST_URI")
"""Where servers say the target as it was sent."""


def request_of(environ: Mapping[str, Any]) -> Request:
    """Return the request as it is routed: without a prefix, by a decoded path."""
    method: str = environ["REQUEST_METHOD"]
    # Frameworks read methods without regard to case; HTTP, and rules, do not.
    if method != method.upper():
        raise Ambiguous
    secure, peer = connection(environ)
    return Request(method, target_of(environ), list(headers(environ)), tls=secure, peer=peer)


def connection(environ: Mapping[str, Any]) -> tuple[bool | None, str | None]:
    """Return whether it is TLS, and the peer's address: what the server itself knows."""
    return tls(environ.get("wsgi.url_scheme")), environ.get("REMOTE_ADDR")


def target_of(environ: Mapping[str, Any]) -> bytes:
    """Return the target that is judged."""
    return target(
        _bytes(environ, "SCRIPT_NAME"),
        _bytes(environ, "PATH_INFO"),
        sent(environ),
        _bytes(environ, "QUERY_STRING"),
    )


def sent(environ: Mapping[str, Any]) -> bytes | None:
    """Return the target as it was sent, if the server says it."""
    for name in _SENT:
        if environ.get(name):
            return _bytes(environ, name)
    return None


def headers(environ: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Return the headers under the names that frameworks give them."""
    for key, value in environ.items():
        name = header_of(key)
        if name is not None and isinstance(value, str):
            yield name, value.encode("latin-1")


def header_of(key: str) -> str | None:
    """Return the header of a variable."""
    if key.startswith("HTTP_"):
        return key[5:].replace("_", "-").lower()
    return key.replace("_", "-").lower() if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else None


def apply(grant: Grant, environ: Environ, query: bytes | None) -> None:
    """Change an environment to what a handler may see."""
    removed = Removed.of(grant)
    for key in list(environ):
        name = header_of(key)
        if name is not None and removed.has(name):
            del environ[key]
    for name, value in added(grant):
        environ[_key(name)] = value.decode("latin-1")
    host = environ.get("HTTP_HOST")
    if isinstance(host, str):
        environ["HTTP_HOST"] = one_host(host.encode("latin-1")).decode("latin-1")
    if query is not None:
        environ["QUERY_STRING"] = text = query.decode("latin-1")
        for key in _SENT:
            if environ.get(key):
                path = environ[key].partition("?")[0]
                environ[key] = f"{path}?{text}" if text else path


def keep_preflight(environ: Environ) -> None:
    """Leave nothing that says who calls."""
    for key in list(environ):
        name = header_of(key)
        if name is not None and not of_preflight(name):
            del environ[key]


def _key(name: str) -> str:
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def _bytes(environ: Mapping[str, Any], key: str) -> bytes:
    # WSGI keeps bytes as characters of the same numbers (PEP 3333).
    return str(environ.get(key, "")).encode("latin-1")
