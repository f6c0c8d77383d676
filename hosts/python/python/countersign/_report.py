"""Reports for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

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
    needed: bool
    """Whether readiness waits for it."""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """What a gate has had from its `PolicySource`."""

    version: int
    """The version of the policy in force."""
    expires_ms: int
    """Milliseconds since 1970 from which on it could not be put in force again. It stays."""
    kid: str
    """The key that has signed it."""
    last_success_ms: int
    """When a look has last found a good policy, new or not, in milliseconds since 1970."""
    last_error: str | None
    """Why the last look has found none; `None` if it has."""


@dataclass(frozen=True, slots=True)
class ShadowCount:
    """How often there was a comparison."""

    comparison: Literal["agree", "would_allow", "would_deny", "differs", "not_compared"]
    rule: str | None
    """The rule of the policy in force: its name, or `/rules/<index>`; `None` if none matched."""
    code: str | None
    """The code of the candidate's denial."""
    count: int


@dataclass(frozen=True, slots=True)
class ShadowStatus:
    """The state of a candidate."""

    policy_digest: str
    ready: bool
    documents: tuple[DocumentStatus, ...]
    counts: tuple[ShadowCount, ...]
    """At most 1,000 different ones."""
    other: int
    """How many comparisons beyond these."""


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a gate, for status pages and metrics."""

    policy_digest: str
    """SHA-256 of the policy in force, in its canonical form: 64 hexadecimal digits."""
    ready: bool
    """`Gate.ready`."""
    documents: tuple[DocumentStatus, ...]
    """Every document of the policy."""
    source: SourceStatus | None
    """Where the policy in force came from, with a `PolicySource`."""
    shadow: ShadowStatus | None
    """The candidate, if there is one."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """What verifies signatures."""

    name: str
    version: str
    fips: bool


def status(said: tuple[Any, ...]) -> Status:
    """Return the state that the native part says as tuples."""
    digest, ready, documents, source, shadow = said
    return Status(
        digest,
        ready,
        _documents(documents),
        None if source is None else SourceStatus(*source),
        None if shadow is None else _shadow(*shadow),
    )


def _documents(said: tuple[Any, ...]) -> tuple[DocumentStatus, ...]:
    return tuple(DocumentStatus(*one) for one in said)


def _shadow(
    digest: str, ready: bool, documents: tuple[Any, ...], counts: tuple[Any, ...], other: int
) -> ShadowStatus:
    compared = tuple(ShadowCount(*one) for one in counts)
    return ShadowStatus(digest, ready, _documents(documents), compared, other)


def inspect(token: str | bytes) -> Inspection:
    """Decode a token and verify nothing. It contains claims: do not log it."""
    try:
        return Inspection(*_inspect(token))
    except (TypeError, UnicodeError):
        return Inspection(None, None, None, "token_malformed", None)
