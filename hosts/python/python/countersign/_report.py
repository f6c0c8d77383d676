"""Reports for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ._native import inspect as _inspect


@dataclass(frozen=True, slots=True)
class Step:
    """One check of a decision. Its detail may show claims; printed, it is left out."""

    check: str
    verdict: Literal["pass", "fail", "skip", "wait"]
    code: str | None
    detail: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Inspection:
    """A token, decoded and not verified: never a decision. Printed, it shows no content."""

    header: str | None = field(repr=False)
    """The header's JSON, where it could be decoded."""
    claims: str | None = field(repr=False)
    """The claims' JSON, where it could be decoded."""
    signature_bytes: int | None
    fault: str | None
    """The code of its first format error."""
    detail: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class DocumentStatus:
    """One document's state, for readiness probes and metrics."""

    issuer: str
    kind: Literal["discovery", "jwks", "revocations", "api_keys"]
    uri: str
    """Empty while discovery has not named it."""
    age_ms: int | None
    """Since it was last accepted; `None` if never."""
    failures: int
    """Failed attempts since then."""
    usable: bool


@dataclass(frozen=True, slots=True)
class Verifier:
    """What verifies signatures."""

    name: str
    version: str
    fips: bool


def inspect(token: str | bytes) -> Inspection:
    """Decode a token and verify nothing. It contains claims: do not log it."""
    try:
        return Inspection(*_inspect(token))
    except (TypeError, UnicodeError):
        return Inspection(None, None, None, "token_malformed", None)
