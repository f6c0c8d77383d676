"""A request of any HTTP stack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

Text: TypeAlias = str | bytes
Connection: TypeAlias = tuple[bool | None, bytes | None, str | None]
Parts: TypeAlias = tuple[Text, Text, Text, Iterable[tuple[Text, Text]], Connection]
Headers: TypeAlias = Mapping[str, str] | Mapping[str, bytes] | Iterable[tuple[Text, Text]]


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """A request, as a handler will see it. Nothing of it needs to be valid.

    A `str` is read as UTF-8. Printed, it shows no header and no query.
    """

    method: Text
    target: Text
    """In origin form, with its query: `/orgs/acme?page=2`."""
    headers: Headers = ()
    """Pairs, repeated names repeated; or a mapping."""
    authority: Text = b""
    """`:authority`, or that of a target in absolute form; without one the field `host` counts."""
    tls: bool | None = None
    """Whether the client used TLS; `None` if that is unknown.

    This and what follows comes from the connection itself, never from a header: headers
    that a proxy sets are named in the policy.
    """
    certificate: bytes | None = None
    """The SHA-256 of the certificate, in DER, with which the client has authenticated in TLS."""
    peer: str | None = None
    """The address of the peer: the client's or a proxy's. What is no address is unknown."""

    def __repr__(self) -> str:
        mark = b"?" if isinstance(self.target, bytes) else "?"
        path = self.target.partition(mark)[0]  # type: ignore[arg-type]
        return f"Request({self.method!r}, {path!r})"


UNREADABLE = Request(b"GET", b"/%00")
"""Stands for a request that can be read in two ways, or in none.

The gate denies it before any rule (`request_ambiguous`), and tells its hooks.
"""


def parts(request: Request) -> Parts:
    """Return a request as the native part takes it."""
    connection = (request.tls, request.certificate, request.peer)
    return request.method, request.authority, request.target, fields(request.headers), connection


def fields(headers: Headers) -> Iterable[tuple[Text, Text]]:
    """Return the headers as pairs."""
    if isinstance(headers, Mapping):
        named = cast("Mapping[str, Text]", headers)
        return named.items()
    return headers
