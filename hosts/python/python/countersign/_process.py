"""What a process that logs, forks and ends needs of this package."""

from __future__ import annotations

import atexit
import logging
import os
import weakref
from typing import Protocol

from ._native import after_fork, before_fork, end, log_to

log = logging.getLogger("countersign")
"""It gets no token and no claim."""


class Forked(Protocol):
    """Something that a new process must make anew."""

    def prepare(self) -> None:
        """Keep what a new process must know."""
        ...

    def forget(self) -> None:
        """Forget what belongs to the other process."""
        ...


class Ended(Protocol):
    """Something that has to do a last thing before Python ends."""

    def end(self) -> None:
        """Do it."""
        ...


_all: weakref.WeakSet[Forked] = weakref.WeakSet()
_ended: weakref.WeakSet[Ended] = weakref.WeakSet()


def watch_forks(one: Forked) -> None:
    """Let it forget in each forked process, until it is gone."""
    _all.add(one)


def at_end(one: Ended) -> None:
    """Let it do its last thing when Python ends, unless it is gone before."""
    _ended.add(one)


def _before() -> None:
    for one in list(_all):
        one.prepare()
    before_fork()


def _end() -> None:
    for one in list(_ended):
        one.end()
    end()


def _after_in_child() -> None:
    after_fork()
    for one in list(_all):
        one.forget()


log_to(log)
atexit.register(_end)
if hasattr(os, "register_at_fork"):
    # Called in the reverse order: before `logging` locks itself for the fork.
    os.register_at_fork(
        before=_before,
        after_in_parent=after_fork,
        after_in_child=_after_in_child,
    )
