"""The options of a gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a gate runs; what it decides is in the policy alone."""

    wait_s: float = 6.0
    """How long a check may wait for documents, in all."""
    max_waiting: int = 1024
    """How many checks may wait for the documents of one issuer; one more is denied with 503."""
    instances: int | None = None
    """Instances of the module; by default one a processor. Each remembers tokens of its own."""
    refresh: Literal["background", "inline"] = "background"
    """`inline` for a process that is frozen between requests."""
    signatures: Literal["module", "native"] = "module"
    """Who verifies signatures: the module, or AWS-LC."""
    now: Callable[[], float] | None = None
    """A clock, in seconds since 1970; by default the system's. For tests."""
    secrets: Mapping[str, str | bytes] = field(
        default_factory=dict[str, "str | bytes"], repr=False, hash=False
    )
    """What the policy names by `secret_from`; a `str` is its UTF-8. They stay for reloads."""

    on_decision: tuple[Callable[[str], None], ...] = field(default=(), repr=False)
    """Get each decision as JSON; `Gate` makes them of hooks for `DecisionEvent`."""
    on_document: tuple[Callable[[str], None], ...] = field(default=(), repr=False)
    """Get each document as JSON; `Gate` makes them of hooks for `DocumentEvent`."""
    subject_key: bytes | None = field(default=None, repr=False)
    """A secret of 16 bytes or more: with it, events have a `subject_ref`."""
    ready_s: float = 0.0
    """How long opening the gate may wait until it is ready; then it is open all the same."""

    def __post_init__(self) -> None:
        """Copy the secrets as bytes."""
        secrets = {
            name: secret.encode() if isinstance(secret, str) else bytes(memoryview(secret))
            for name, secret in self.secrets.items()
        }
        object.__setattr__(self, "secrets", secrets)
