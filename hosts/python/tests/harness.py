"""The wheel behind the harness protocol: see `tests/conformance/README.md`.

Requests, tokens and decisions go through the code that every user has; only the clock
and the documents come from the runner.
"""

from __future__ import annotations

import base64
import json
import sys
from dataclasses import asdict

from countersign import (
    Allow,
    Deny,
    MatchedRule,
    Options,
    PolicyError,
    Principal,
    RemoveHeader,
    Request,
    SetHeader,
    _native,
    policy_digest,
)
from countersign._decision import decision
from countersign._request import parts

FETCH = (
    "source",
    "issuer",
    "kind",
    "uri",
    "headers",
    "ticket",
    "body",
    "timeout_ms",
    "max_bytes",
)
PROBLEM = ("pointer", "code", "message", "severity")
FACTS = ("rule", "issuer", "token_type", "remembered", "subject_ref", "effects")


POLICIES: dict[int, bytes] = {}
"""The texts of the open gates."""


def main(native: bool) -> None:
    gates: dict[int, _native.Instance] = {}
    for line in sys.stdin.buffer:
        ((command, arguments),) = json.loads(line).items()
        try:
            reply = COMMANDS[command](gates, native, **arguments)
        except PolicyError as error:
            reply = {"problems": [problem(one) for one in error.problems]}
        except Exception as error:  # noqa: BLE001: the runner wants to know
            reply = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
        sys.stdout.buffer.flush()


def open_gate(gates, native, gate, policy, secrets=None):
    options = Options(secrets=secrets or {})
    gates[gate] = _native.Instance.open(encoded(policy), native, options.secrets)
    POLICIES[gate] = encoded(policy)
    return {"opened": {}}


def due(gates, _, gate, at):
    return {"fetches": [fetch(one) for one in gates[gate].due(at)]}


def next_due(gates, _, gate, at):
    return {"next_due": gates[gate].next_due(at)}


def supply(gates, _, gate, at, source, uri, response=None):
    return taken(*gates[gate].supply(source, uri, came(response), at))


def respond(gates, _, gate, at, ticket, response=None):
    return taken(*gates[gate].respond(ticket, came(response), at))


def came(response):
    if response is None:
        return None
    return response["status"], response.get("cache_control", ""), raw(response.get("body", ""))


def taken(kind, problems):
    said = [dict(zip(PROBLEM, one, strict=True)) for one in problems]
    return {kind: {"accepted": said, "refused": said[:1] and said[0], "outdated": {}}[kind]}


def request(gates, _, gate, at, request):
    asked = Request(
        raw(request["method"]),
        raw(request["target"]),
        [(raw(name), raw(value)) for name, value in request.get("headers", [])],
        raw(request.get("authority", "")),
        **connection(**request.get("connection", {})),
    )
    return decided(gates[gate].check(parts(asked), at))


def connection(scheme="", certificate="", peer=""):
    return {
        "tls": {"https": True, "http": False}.get(scheme),
        "certificate": bytes.fromhex(certificate) or None,
        "peer": peer or None,
    }


def token(gates, _, gate, at, token, requirement=None, proven=False):
    instance = gates[gate]
    number = 0 if requirement is None else instance.prepare(encoded(requirement))
    return decided(instance.verify(raw(token), number, proven, at))


def close(gates, _, gate):
    del gates[gate], POLICIES[gate]
    return {"closed": {}}


def last_event(gates, _, gate, subject_key=""):
    event = dict(zip(FACTS, gates[gate].last_event(subject_key.encode()), strict=True))
    if event["rule"] is not None:
        event["rule"] = asdict(MatchedRule(*event["rule"]))
    if event["effects"] is not None:
        event["effects"] = event["effects"].hex()
    return {"event": event}


def digest(_gates, _, gate):
    return {"digest": policy_digest(POLICIES[gate])}


def ready(gates, _, gate):
    return {"ready": gates[gate].ready()}


def open_signed(_gates, _, at, signed, trust):
    opened, refused = _native.open_signed(encoded(signed), encoded(trust), at)
    if opened is None:
        return {"refused": dict(zip(PROBLEM, refused, strict=True))}
    policy, version, expires_ms, kid = opened
    said = {"version": version, "expires_ms": expires_ms, "kid": kid}
    return {"signed": {"policy": text(policy), **said}}


COMMANDS = {
    "open": open_gate,
    "due": due,
    "next_due": next_due,
    "supply": supply,
    "respond": respond,
    "request": request,
    "token": token,
    "close": close,
    "last_event": last_event,
    "digest": digest,
    "ready": ready,
    "open_signed": open_signed,
}


def decided(outcome):
    if outcome[0] == "wait":
        return {"wait": [fetch(one) for one in outcome[1]]}
    made = decision(outcome)
    if isinstance(made, Deny):
        names = Deny.__dataclass_fields__
        return {"deny": {name: getattr(made, name) for name in names}}
    if isinstance(made, Allow):
        grant = made.grant
        return {
            "allow": {
                "principal": grant.principal and principal(grant.principal),
                "others": {name: principal(other) for name, other in grant.principals.items()},
                "set_headers": [list(one) for one in grant.set_headers],
                "remove_headers": list(grant.remove_headers),
                "changes": [change(one) for one in grant.changes],
            }
        }
    headers = [list(one) for one in made.headers]
    return {"answer": {"status": made.status, "headers": headers, "body": text(made.body)}}


def principal(one: Principal):
    members = {name: getattr(one, name) for name in Principal.__dataclass_fields__}
    members["claims"] = members.pop("claims_text")
    return members


def change(one):
    if isinstance(one, SetHeader):
        return {"set_header": [one.name, text(one.value)]}
    return (
        {"remove_header": one.name}
        if isinstance(one, RemoveHeader)
        else {"set_target": text(one.target)}
    )


def fetch(one):
    return dict(zip(FETCH, one, strict=True))


def problem(one):
    return {name: getattr(one, name) for name in PROBLEM}


def raw(value) -> bytes:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else encoded(value)


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def text(value: bytes):
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


if __name__ == "__main__":
    main("native" in sys.argv)
