"""Signed policies that a gate takes from a file or an address."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ._policy import PolicyError, as_json

Trust = Mapping[str, Any] | str | bytes | Path


@dataclass(frozen=True, slots=True)
class PolicySource:
    """Where signed policies come from: `Gate(PolicySource("https://…", trust=Path("trust.json")))`.

    The gate looks again from time to time, and puts a newer policy in force. Whatever is
    wrong with it, the old one stays, and `gate.status().source` says why. A policy is
    never put in force after one of a higher version; over a restart that holds only with
    a `state_file`, or by `min_version` of the trust.
    """

    place: str | Path
    """An `https` address, or the path of a file that another process replaces."""
    trust: Trust = field(kw_only=True, repr=False)
    """One or two keys, `policy`, `audience`, and optionally `min_version`: a mapping, JSON, a path."""
    poll_s: float = field(default=60.0, kw_only=True)
    """The pause between two looks; at least 5."""
    state_file: str | Path | None = field(default=None, kw_only=True)
    """Keeps the highest version over a restart. The processes of one service may share it."""
    insecure_http: bool = field(default=False, kw_only=True)
    """Allows `http` to this machine itself."""
    on_error: Callable[[PolicyError], object] | None = field(default=None, kw_only=True, repr=False)
    """Is called with why a look has found no good policy, in a thread of the gate."""

    def __repr__(self) -> str:
        # The query of an address can contain a key.
        return f"PolicySource({str(self.place).partition('?')[0]!r})"


@dataclass(frozen=True, slots=True)
class Signed:
    """A source as the native part takes it."""

    url: str | None
    path: str | None
    trust: bytes
    poll_s: float
    state_file: str | None
    insecure_http: bool
    on_error: Callable[[PolicyError], object] | None

    @classmethod
    def of(cls, source: PolicySource, min_version: int) -> Signed:
        """Read the trust. This process has had that version, or the one that has forked it."""
        place = str(source.place)
        is_url = isinstance(source.place, str) and "://" in place
        return cls(
            place if is_url else None,
            None if is_url else place,
            _raised(_text(source.trust), min_version),
            source.poll_s,
            None if source.state_file is None else str(source.state_file),
            source.insecure_http,
            source.on_error,
        )


def _text(trust: Trust) -> bytes:
    if isinstance(trust, Path):
        return trust.read_bytes()
    if isinstance(trust, Mapping):
        return as_json(trust)
    return trust if isinstance(trust, bytes) else trust.encode()


def _raised(trust: bytes, min_version: int) -> bytes:
    # What is no trust is refused by the module.
    try:
        members: Any = json.loads(trust)
        if members.get("min_version", 0) < min_version:
            return as_json({**members, "min_version": min_version})
    except (AttributeError, TypeError, ValueError):
        pass
    return trust
