"""One gate for all tests that need no other."""

from __future__ import annotations

import pytest

from countersign import Gate
from support import policy


@pytest.fixture(scope="session")
def gate():
    with Gate(policy(), instances=2) as gate:
        yield gate
