"""What of a gate belongs to one process: its native part, and what looks at its file."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from . import _process
from ._decision_log import DecisionLog
from ._native import Core, Log
from ._native import Requirement as Prepared
from ._options import Options
from ._policy import Source
from ._source import PolicySource, Signed
from ._watch import Watch

PREPARED = 256
"""How many requirements a gate keeps parsed."""


class GateClosed(RuntimeError):  # noqa: N818 - it is a state
    """The gate was closed, so that it has nothing to say but denials."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What the native part of a gate is opened with."""

    policy: tuple[str, bytes] | None
    signed: Signed | None
    shadow: tuple[str, bytes] | None
    log: Log | None
    options: Options


class Local:
    """Opens the native part, and opens it anew in each forked process."""

    def __init__(
        self,
        policy: Source | PolicySource,
        options: Options,
        shadow: Source | None,
        log: DecisionLog | None,
    ) -> None:
        self.policy = policy
        self.shadow = shadow
        self.is_closed = False
        self._options = options
        self._log = log
        self._watched: Path | None = None
        self._watch: Watch | None = None
        self._version = 0
        self._requirements: dict[bytes, Prepared] = {}
        self._lock = threading.Lock()
        self._core: Core | None = self._open()
        _process.watch_forks(self)

    def core(self) -> Core:
        """Return the native part of this process."""
        core = self._core
        if core is not None:
            return core
        with self._lock:
            if self.is_closed:
                raise GateClosed("the gate is closed")
            if self._core is None:
                self._core = self._open()
                self._look()
            return self._core

    def put(self, source: Source) -> None:
        """Put a policy in force."""
        if isinstance(self.policy, PolicySource):
            raise ValueError("the gate takes signed policies, and looks for them itself")
        self.core().reload(source.name, source.text)
        self.policy = source

    def put_shadow(self, shadow: Source | None) -> None:
        """Put a candidate beside it, or none."""
        self.core().reload_shadow(None if shadow is None else (shadow.name, shadow.text))
        self.shadow = shadow

    def prepared(self, requirement: bytes) -> Prepared | None:
        """Return a requirement, parsed; `None` if the gate is closed."""
        prepared = self._requirements.get(requirement)
        if prepared is None:
            try:
                prepared = self.core().prepare(requirement)
            except GateClosed:
                return None
            if len(self._requirements) >= PREPARED:
                self._requirements.clear()
            self._requirements[requirement] = prepared
        return prepared

    def watch(self, path: Path) -> None:
        """Put the policy of a file in force whenever it changes."""
        self._watched = path
        self._look()

    def close(self) -> None:
        """Free the memory."""
        with self._lock:
            self.is_closed = True
            self._core = None
            if self._watch is not None:
                self._watch.stop()

    def prepare(self) -> None:
        """Keep the version of a signed policy: a new process puts no older one in force."""
        core = self._core
        if core is not None and isinstance(self.policy, PolicySource):
            self._version = core.signed_version() or 0

    def forget(self) -> None:
        """Forget what belongs to the process that was forked: it is made anew when needed."""
        self._lock = threading.Lock()
        self._core = None
        self._requirements = {}
        self._watch = None

    def _open(self) -> Core:
        policy, shadow = self.policy, self.shadow
        return Core.open(
            Opening(
                (policy.name, policy.text) if isinstance(policy, Source) else None,
                Signed.of(policy, self._version) if isinstance(policy, PolicySource) else None,
                None if shadow is None else (shadow.name, shadow.text),
                None if self._log is None else self._log.here.native(),
                self._options,
            )
        )

    def _look(self) -> None:
        if self._watched is not None and isinstance(self.policy, Source):
            self._watch = Watch(self._watched, self.policy.text, self._changed)

    def _changed(self, text: bytes) -> None:
        if isinstance(self.policy, Source):
            self.put(Source(self.policy.name, text))
