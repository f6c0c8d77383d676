"""The package that is installed: its file, its types, its public items."""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import json
from pathlib import Path

import countersign
from countersign import _native

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent
INSTALLED = Path(countersign.__file__).parent


def committed() -> str:
    return (ROOT / "module/countersign.wasm.sha256").read_text().split()[0]


def test_the_digest_is_that_of_the_committed_file():
    assert committed() == countersign.SHA256


def test_the_sealed_file_itself_is_inside():
    sealed = (ROOT / "dist/countersign.wasm").read_bytes()
    assert hashlib.sha256(sealed).hexdigest() == committed()
    assert sealed in Path(_native.__file__ or "").read_bytes()


def test_it_is_typed_and_needs_nothing():
    assert (INSTALLED / "py.typed").is_file()
    needs = importlib.metadata.requires("countersign-gate") or []
    assert [one for one in needs if "extra ==" not in one] == []


def test_the_schema_of_policies_is_there():
    assert json.loads(countersign.POLICY_SCHEMA)["$schema"]
    assert countersign.INTERFACE.startswith("countersign:gate@")


def test_the_public_items_are_the_listed_ones():
    """After an intended change: `python tests/api.py --renew`."""
    import api

    assert "\n".join(api.items()) + "\n" == (HERE.parent / "api.txt").read_text()


def test_every_public_item_is_described():
    for name in countersign.__all__:
        item = getattr(countersign, name)
        if inspect.isclass(item):
            assert item.__doc__, name
