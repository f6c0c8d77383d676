"""Decisions: `Allow`, `Deny`, or `Answer`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

_EMPTY: Mapping[str, Principal] = {}


@dataclass(frozen=True)
class Principal:
    """The caller, from a verified token. Printed, it shows names of the policy and no claim."""

    issuer: str
    """The issuer's `name` in the policy."""
    iss: str = field(default="", repr=False)
    """The token's `iss`."""
    subject: str | None = field(default=None, repr=False)
    token_type: str | None = None
    """The name of the token type that matched, where the issuer has types."""
    tenant: str | None = field(default=None, repr=False)
    """The tenant of the request: the only one of the token, or the one that the rule names."""
    tenants: tuple[str, ...] = field(default=(), repr=False)
    roles: tuple[str, ...] = field(default=(), repr=False)
    scopes: tuple[str, ...] = field(default=(), repr=False)
    expires_at_ms: int | None = field(default=None, repr=False)
    """`exp` in milliseconds since 1970, without leeway."""
    claims_text: str = field(default="{}", repr=False)
    """The claims as the issuer signed them: a JSON object."""

    @property
    def claims(self) -> dict[str, Any]:
        """All claims, read anew from their text each time."""
        claims: dict[str, Any] = json.loads(self.claims_text)
        return claims


@dataclass(frozen=True, slots=True)
class SetHeader:
    """Replace all fields of exactly this name, in any case, by one with this value."""

    name: str
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RemoveHeader:
    """Remove all fields of exactly this name, in any case."""

    name: str


@dataclass(frozen=True, slots=True)
class SetTarget:
    """Replace the target by this one, in origin form, with its query."""

    target: bytes = field(repr=False)


Change: TypeAlias = SetHeader | RemoveHeader | SetTarget


@dataclass(frozen=True, slots=True)
class Grant:
    """What a handler may know of a request that may pass, and what to change on it."""

    principal: Principal | None = None
    """Who is calling; `None` where the rule is public, or optional and no token came."""
    principals: Mapping[str, Principal] = field(default_factory=dict[str, Principal])
    """The principals that the rule asks for beside the user, by their names in the policy."""
    remove_headers: tuple[str, ...] = ()
    """Remove first: every field whose name, in lower case and with `_` read as `-`, is one."""
    set_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Set then: names in lower case, values in visible ASCII."""
    changes: tuple[Change, ...] = ()
    """Make after that, in order, for this one request."""


@dataclass(frozen=True, slots=True)
class Allow:
    """The request may pass."""

    grant: Grant


@dataclass(frozen=True, slots=True)
class Deny:
    """The request may not pass. It never has a token, a key or a claim's value."""

    code: str
    """A stable code such as `token_expired`; the contract lists all codes."""
    status: int
    message: str = ""
    challenge: str | None = None
    """`WWW-Authenticate`, where the code has one."""
    claim: str | None = None
    """The claim that is the reason, if there is one."""
    principal: str | None = None
    """The principal whose token is the reason, by its name; `None` for the user."""
    retry_after_s: int | None = None
    """`Retry-After`, with 503."""
    nonce: str | None = None
    """`DPoP-Nonce`: what the next proof has to contain."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of the gate itself, such as the metadata of a protected resource (RFC 9728)."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


Decision: TypeAlias = Allow | Deny | Answer


def ambiguous() -> Deny:
    """Return the denial where the routed target differs from the one that the gate can check."""
    return Deny("request_ambiguous", 400, "the request target can be read in more than one way")


def internal_error() -> Deny:
    """Return the denial where the gate or this host failed."""
    return Deny("internal_error", 503, "the gate failed", retry_after_s=1)


def decision(outcome: tuple[Any, ...]) -> Decision:
    """Return the decision that the native part says as a tuple."""
    kind = outcome[0]
    if kind == "allow":
        _, principal, others, removed, headers, changes = outcome
        return Allow(
            Grant(
                None if principal is None else Principal(*principal),
                {name: Principal(*other) for name, other in others.items()} if others else _EMPTY,
                removed,
                headers,
                tuple(_CHANGES[change[0]](*change[1:]) for change in changes),
            )
        )
    return Deny(*outcome[1:]) if kind == "deny" else Answer(*outcome[1:])


_CHANGES: Mapping[str, type[Change]] = {
    "set_header": SetHeader,
    "remove_header": RemoveHeader,
    "set_target": SetTarget,
}
