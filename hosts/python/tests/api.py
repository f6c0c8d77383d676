"""The public items of the package, one a line: `python api.py`, `--renew` writes `api.txt`."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

MODULES = [
    "",
    ".asgi",
    ".starlette",
    ".fastapi",
    ".wsgi",
    ".flask",
    ".django",
    ".mcp",
    ".fastmcp",
    ".opentelemetry",
]


def items() -> Iterator[str]:
    for suffix in MODULES:
        module = importlib.import_module("countersign" + suffix)
        for name in sorted(module.__all__):
            yield from described(f"countersign{suffix}.{name}", getattr(module, name))


def described(name: str, item: object) -> Iterator[str]:
    if inspect.isclass(item) and item.__module__.startswith("countersign"):
        bases = [base.__name__ for base in item.__bases__ if base is not object]
        yield f"class {name}({', '.join(bases)})"
        if dataclasses.is_dataclass(item):
            for field in dataclasses.fields(item):
                yield f"{name}.{field.name}: {field.type}"
        for member, value in sorted(vars(item).items()):
            if member.startswith("_"):
                continue
            if isinstance(value, property):
                yield f"{name}.{member}: {value.fget.__annotations__.get('return') if value.fget else ''}"
            elif inspect.isroutine(value):
                yield f"{name}.{member}{signature(getattr(item, member))}"
    elif inspect.isroutine(item):
        yield f"{name}{signature(item)}"
    else:
        yield name


def signature(item: object) -> str:
    kind = " (async)" if inspect.iscoroutinefunction(item) else ""
    return f"{inspect.signature(item)}{kind}"  # type: ignore[arg-type]


if __name__ == "__main__":
    text = "\n".join(items()) + "\n"
    if "--renew" in sys.argv:
        (Path(__file__).parent.parent / "api.txt").write_text(text)
    else:
        sys.stdout.write(text)
