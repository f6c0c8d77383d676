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

    def forget(self) -> None:
        """Forget what belongs to the other process."""
        ...


_all: weakref.WeakSet[Forked] = weakref.WeakSet()


def watch_forks(one: Forked) -> None:
    """Let it forget in each forked process, until it is gone."""
    _all.add(one)


def _after_in_child() -> None:
    after_fork()
    for one in list(_all):
        one.forget()


log_to(log)
atexit.register(end)
if hasattr(os, "register_at_fork"):
    # Called in the reverse order: before `logging` locks itself for the fork.
    os.register_at_fork(
        before=before_fork,
        after_in_parent=after_fork,
        after_in_child=_after_in_child,
    )
