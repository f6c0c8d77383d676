"""The reference behind the harness protocol: see `tests/conformance/README.md`."""

from __future__ import annotations

import base64
import json
import sys

import reference


def raw(value):
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode("utf-8", "surrogatepass")


def text(value):
    try:
        return value if isinstance(value, str) else value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def said(decision):
    """A decision with its bytes as text."""
    grant = decision.get("allow")
    if grant is not None:
        changes = [next(iter(one.items())) for one in grant["changes"]]
        grant["changes"] = [
            {what: [value[0], text(value[1])] if what == "set_header" else text(value)} for what, value in changes
        ]
    return decision


def main():
    gates = {}

    def open_(gate, policy, secrets=None):
        gates[gate] = reference.Gate(policy)
        return {"opened": {}}

    def request(gate, at, request):
        headers = [(raw(name), raw(value)) for name, value in request.get("headers", [])]
        parts = {name: raw(request.get(name, "")) for name in ("method", "authority", "target")}
        return said(reference.check(gates[gate], {**parts, "headers": headers}, at))

    def token(gate, at, token, requirement=None, proven=False):
        if requirement is not None:
            requirement = reference.strict_json(requirement)
        return said(reference.check_token(gates[gate], raw(token), requirement, at))

    def close(gate):
        del gates[gate]
        return {"closed": {}}

    commands = {"open": open_, "request": request, "token": token, "close": close}
    for line in sys.stdin:
        ((command, arguments),) = json.loads(line).items()
        try:
            reply = commands[command](**arguments)
        except Exception as error:  # noqa: BLE001: the runner wants to know
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
