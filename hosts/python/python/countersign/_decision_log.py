"""The decision log: JSON lines of events, which keep no decision waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from . import _process
from ._events import DecisionEvent, decision_event
from ._native import Log

AT_END_S = 5.0
"""How long the end of the process may wait for the last lines."""


class DecisionLog:
    """Writes decisions as JSON lines: `time`, and the members of the event.

    `to` is a file, to whose end it writes; something to call with each line; or `None` for
    the standard output. All denials are logged, and one of `allow_every` other requests (0
    for none); of a candidate's decisions all that do not agree. Between the decisions and
    the writer, which is a thread without the GIL, is a ring of `ring` events: if it is full,
    new ones are dropped and counted. No decision waits.

    `add` returns further members of an event, such as a request id. It runs in the context
    (`contextvars`) of the check, so it finds what a middleware has set there.

    One log is for all gates and all forked processes: each process writes lines of its own.
    """

    def __init__(
        self,
        to: str | Path | Callable[[str], object] | None = None,
        *,
        allow_every: int = 100,
        ring: int = 1024,
        add: Callable[[DecisionEvent], Mapping[str, str]] | None = None,
    ) -> None:
        self.here = Here(
            str(to) if isinstance(to, Path) else to,
            ring,
            allow_every,
            None if add is None else _added(add),
        )

    @property
    def dropped(self) -> int:
        """How many events were dropped: the ring was full, or a line could not be written."""
        return self.here.native().dropped()

    def flush(self, within_s: float = AT_END_S) -> bool:
        """Wait until everything before this is written. The end of Python does it too."""
        return self.here.native().flush(within_s)

    def __repr__(self) -> str:
        return f"<DecisionLog, {self.dropped} dropped>"


class Here:
    """What of a log belongs to one process."""

    def __init__(
        self,
        to: str | Callable[[str], object] | None,
        ring: int,
        allow_every: int,
        add: Callable[[str], list[tuple[str, str]]] | None,
    ) -> None:
        self._open: Callable[[], Log] = lambda: Log.open(to, ring, allow_every, add)
        self._lock = threading.Lock()
        self._native: Log | None = self._open()
        _process.watch_forks(self)
        _process.at_end(self)

    def native(self) -> Log:
        """Return the log of this process."""
        with self._lock:
            if self._native is None:
                self._native = self._open()
            return self._native

    def prepare(self) -> None:
        """Keep nothing."""

    def forget(self) -> None:
        """Forget the thread of the process that was forked."""
        self._lock = threading.Lock()
        self._native = None

    def end(self) -> None:
        """Write the last lines."""
        if self._native is not None:
            self._native.flush(AT_END_S)


def _added(
    add: Callable[[DecisionEvent], Mapping[str, str]],
) -> Callable[[str], list[tuple[str, str]]]:
    def call(text: str) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in add(decision_event(text)).items()]

    return call
