"""Policies in the forms in which people have them, and their problems."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ._native import lint as _lint
from ._native import policy_digest as _policy_digest

Policy: TypeAlias = Mapping[str, Any] | str | bytes | Path
"""A mapping; the text of JSON, YAML or TOML; or the path of a file."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a policy."""

    pointer: str
    """JSON Pointer (RFC 6901) of the value; empty for the whole."""
    code: str
    """A stable code such as `field_unknown`."""
    message: str
    """What is wrong and how to correct it."""
    severity: Literal["error", "warning"] = "error"
    file: str = ""
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        numbers = [str(number) for number in (self.line, self.column) if number is not None]
        place = ":".join(filter(None, [self.file, *numbers]))
        warning = "warning" if self.severity == "warning" else ""
        parts = [place, warning, self.pointer, f"{self.message} ({self.code})"]
        return ": ".join(filter(None, parts))


class PolicyError(ValueError):
    """A policy, or a requirement, is refused. It has every problem of it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [f"  {problem}" for problem in self.problems]
        super().__init__("\n".join(["the policy is refused:", *lines]))

    @classmethod
    def of(cls, problems: Iterable[tuple[Any, ...]]) -> PolicyError:
        """Make one of what the native part says."""
        return cls(Problem(*problem) for problem in problems)

    def __reduce__(self) -> tuple[type[PolicyError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a policy, and its name: the extension says its format."""

    name: str
    text: bytes

    @classmethod
    def of(cls, policy: Policy) -> Source:
        """Read a policy in any of its forms."""
        if isinstance(policy, Path):
            return cls(str(policy), policy.read_bytes())
        if isinstance(policy, Mapping):
            return cls("policy.json", as_json(policy))
        return cls("", policy if isinstance(policy, bytes) else policy.encode())


def as_json(value: Mapping[str, Any]) -> bytes:
    """Return JSON; what JSON cannot say is an error, also NaN."""
    try:
        return json.dumps(dict(value), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise PolicyError([Problem("", "json_invalid", str(error))]) from error


def lint(policy: Policy) -> tuple[Problem, ...]:
    """Return every problem of a policy, also the warnings, which `Gate` does not say."""
    source = Source.of(policy)
    return PolicyError.of(_lint(source.name, source.text)).problems


def policy_digest(policy: Policy) -> str:
    """Return the SHA-256 of a policy in its canonical form: 64 hexadecimal digits.

    Two hosts that say the same have the same policy in force.
    """
    source = Source.of(policy)
    return _policy_digest(source.name, source.text)
