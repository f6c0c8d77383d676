"""Reloads a gate when its file changes."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from pathlib import Path

from ._process import log

EVERY_S = 1.0
"""How often the file is looked at. A new file in its place, as Kubernetes does it, is seen too."""


class Watch:
    """A thread that looks at a file until it is stopped, or its owner is gone."""

    def __init__(self, path: Path, seen: bytes, reload: Callable[[bytes], None]) -> None:
        self._path = path
        self._seen = seen
        self._reload = weakref.WeakMethod(reload)
        self._stopped = threading.Event()
        threading.Thread(target=self._run, name="countersign-watch", daemon=True).start()

    def stop(self) -> None:
        """Stop looking."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_S):
            reload = self._reload()
            if reload is None:
                return
            self._look(reload)
            del reload

    def _look(self, reload: Callable[[bytes], None]) -> None:
        try:
            text = self._path.read_bytes()
            if text == self._seen:
                return
            # A file with a mistake is said once, and not every second.
            self._seen = text
            reload(text)
        except Exception as error:  # noqa: BLE001 - the old policy stays, whatever it is
            log.error("%s is not used: %s", self._path, error)
        else:
            log.info("%s is in force", self._path)
