"""The gate: policies in every form, decisions, reports, reloads."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path

import pytest

from countersign import (
    Allow,
    Answer,
    Deny,
    Gate,
    GateClosed,
    PolicyError,
    Request,
    inspect,
    lint,
)
from support import bearer, fetching, policy, serving, token

HEALTHZ = Request("GET", "/healthz")
ME = Request("GET", "/me", bearer())

YAML = """
contract: "1"
issuers:
  - name: platform
    issuer: https://issuer.example.com
    audiences: [api]
    algorithms: [RS256]
    keys: { jwks_uri: "https://issuer.example.com/jwks" }
rules:
  - { path: /healthz, public: true }
"""
TOML = """
contract = "1"
[[issuers]]
name = "platform"
issuer = "https://issuer.example.com"
audiences = ["api"]
algorithms = ["RS256"]
keys = { jwks_uri = "https://issuer.example.com/jwks" }
[[rules]]
path = "/healthz"
public = true
"""


@pytest.mark.parametrize(
    "form", [policy(), json.dumps(policy()), json.dumps(policy()).encode(), YAML, TOML]
)
def test_a_policy_is_a_mapping_or_a_text(form):
    with Gate(form) as gate:
        assert isinstance(gate.check_sync(HEALTHZ), Allow)


@pytest.mark.parametrize(
    ("name", "text"), [("a.yaml", YAML), ("a.toml", TOML), ("a.json", json.dumps(policy()))]
)
def test_a_policy_is_a_file(tmp_path: Path, name, text):
    path = tmp_path / name
    path.write_text(text)
    for gate in (Gate(path), Gate.from_file(str(path))):
        assert isinstance(gate.check_sync(HEALTHZ), Allow)
        gate.close()


def test_all_problems_of_a_policy_are_said_with_their_lines(tmp_path: Path):
    path = tmp_path / "policy.yaml"
    path.write_text('contract: "1"\nleeway: 3\nissuers: []\n')
    with pytest.raises(PolicyError) as raised:
        Gate(path)
    problems = raised.value.problems
    assert [(one.pointer, one.code, one.line) for one in problems] == [
        ("/leeway", "field_unknown", 2),
        ("/issuers", "value_invalid", 3),
    ]
    assert f"{path}:2:1: /leeway: " in str(raised.value)


@pytest.mark.parametrize(
    "form",
    [
        "{",
        "a: *x",
        '{"contract": "1", "contract": "1"}',
        {"contract": float("nan")},
        {"contract": object()},
    ],
)
def test_what_is_no_policy_is_a_policy_error(form):
    with pytest.raises(PolicyError):
        Gate(form)


def test_warnings_are_said_by_lint_alone():
    made = fetching("http://issuer.example.com/jwks")
    assert [one.severity for one in lint(made)] == ["warning"]
    Gate(made).close()
    assert lint("a: *x")[0].code == "yaml_invalid"


def test_a_wrong_option_is_said():
    with pytest.raises(ValueError, match="refresh"):
        Gate(policy(), refresh="never")
    with pytest.raises(ValueError, match="wait_s"):
        Gate(policy(), wait_s=-1)
    with pytest.raises(TypeError):
        Gate(policy(), waits=1)  # pyright: ignore


def test_a_request_is_decided(gate: Gate):
    decision = gate.check_sync(
        Request("GET", "/orgs/acme/x", bearer(tenant_id="acme", scope="a b"))
    )
    assert isinstance(decision, Allow)
    caller = decision.grant.principal
    assert caller is not None
    assert (caller.subject, caller.tenant, caller.scopes) == ("ada", "acme", ("a", "b"))
    assert caller.claims["aud"] == "api"
    assert decision.grant.set_headers == (("x-auth-subject", "ada"),)
    match gate.check_sync(Request("GET", "/orgs/globex/x", bearer(tenant_id="acme"))):
        case Deny(code, status):
            assert (code, status) == ("tenant_denied", 403)
        case other:
            pytest.fail(f"{other}")


def test_both_ways_to_check_agree(gate: Gate):
    for request in (HEALTHZ, ME, Request("GET", "/me"), Request("GET", "/other")):
        assert asyncio.run(gate.check(request)) == gate.check_sync(request)


def test_a_token_is_decided_without_a_request(gate: Gate):
    good = token(scope="read write")
    assert isinstance(gate.verify_sync(good), Allow)
    assert isinstance(asyncio.run(gate.verify(good, {"scopes": ["write"]})), Allow)
    denied = gate.verify_sync(good, {"scopes": ["admin"]})
    assert isinstance(denied, Deny)
    assert denied.code == "scope_insufficient"
    assert 'scope="admin"' in (denied.challenge or "")
    assert asyncio.run(gate.verify(good, '{"scopes": ["admin"]}')) == denied
    with pytest.raises(PolicyError):
        gate.verify_sync(good, {"scope": ["write"]})


def test_the_gate_answers_the_metadata_itself():
    resource = {
        "resource": "https://api.example.com/mcp",
        "authorization_servers": ["https://id.example.com"],
    }
    with Gate(policy(challenge={"resource_metadata": resource})) as gate:
        path = "/.well-known/oauth-protected-resource/mcp"
        answer = gate.check_sync(Request("GET", path, {"host": "api.example.com"}))
        assert isinstance(answer, Answer)
        assert json.loads(answer.body) == resource


def test_a_decision_is_explained(gate: Gate):
    steps = gate.explain_sync(Request("GET", "/me"))
    assert [(one.check, one.verdict) for one in steps][-1] == ("credential", "fail")
    assert asyncio.run(gate.explain(Request("GET", "/me"))) == steps


def test_a_token_is_inspected():
    seen = inspect(token())
    assert json.loads(seen.claims or "")["sub"] == "ada"
    assert inspect("\ud800").fault == "token_malformed"


def test_a_closed_gate_denies(gate: Gate):
    with Gate(policy()) as other:
        assert isinstance(other.check_sync(HEALTHZ), Allow)
    denied = other.check_sync(HEALTHZ)
    assert denied == asyncio.run(other.check(HEALTHZ)) == other.verify_sync("")
    assert isinstance(denied, Deny)
    assert denied.code == "internal_error"
    with pytest.raises(GateClosed):
        other.status()
    assert isinstance(gate.check_sync(HEALTHZ), Allow)

    async def within():
        async with Gate(policy()) as one:
            assert isinstance(await one.check(HEALTHZ), Allow)
        return await one.check(HEALTHZ)

    assert isinstance(asyncio.run(within()), Deny)


def test_documents_are_fetched_and_waited_for():
    with serving() as server:
        server.delay_s = 0.2
        with Gate(fetching(server.uri)) as gate:
            assert isinstance(gate.check_sync(ME), Allow)
        with Gate(fetching(server.uri)) as gate:

            async def many():
                return await asyncio.gather(*(gate.check(ME) for _ in range(50)))

            assert all(isinstance(one, Allow) for one in asyncio.run(many()))
            (status,) = asyncio.run(gate.warm()).documents
            assert status.usable
            assert gate.status().documents[0].kind == "jwks"
        assert server.asked == 2


def test_an_issuer_that_does_not_answer_ends_the_wait():
    with serving() as server:
        server.delay_s = 5
        with Gate(fetching(server.uri), wait_s=0.3) as gate:
            start = time.monotonic()
            for decision in (gate.check_sync(ME), asyncio.run(gate.check(ME))):
                assert isinstance(decision, Deny)
                assert (decision.code, decision.status) == ("keys_unavailable", 503)
            assert time.monotonic() - start < 3


def test_a_cancelled_check_waits_no_longer():
    with serving() as server:
        server.delay_s = 2
        with Gate(fetching(server.uri)) as gate:

            async def cancelled():
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(gate.check(ME), 0.1)
                return await gate.check(HEALTHZ)

            start = time.monotonic()
            assert isinstance(asyncio.run(cancelled()), Allow)
            assert time.monotonic() - start < 1


def test_a_policy_is_replaced():
    with Gate(policy()) as gate:
        other = policy(rules=[{"path": "/other", "public": True}])
        asyncio.run(gate.reload(other))
        assert isinstance(gate.check_sync(HEALTHZ), Deny)
        with pytest.raises(PolicyError):
            gate.reload_sync({"contract": "1"})
        assert isinstance(gate.check_sync(Request("GET", "/other")), Allow)
        with pytest.raises(ValueError, match="name a policy"):
            gate.reload_sync()


def test_a_changed_file_is_seen_and_a_wrong_one_is_not_used(tmp_path: Path, caplog):
    caplog.set_level(logging.INFO, "countersign")
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(policy()))
    other = Request("GET", "/other")
    with Gate.from_file(path, watch=True) as gate:
        assert isinstance(gate.check_sync(other), Deny)
        path.write_text('{"contract": "2"}')
        until(lambda: "is not used" in caplog.text)
        assert isinstance(gate.check_sync(HEALTHZ), Allow)
        changed = policy(rules=[{"path": "/other", "public": True}])
        (tmp_path / "new").write_text(json.dumps(changed))
        (tmp_path / "new").rename(path)
        until(lambda: isinstance(gate.check_sync(other), Allow))
        path.write_text(json.dumps(policy()))
        gate.reload_sync()
        assert isinstance(gate.check_sync(HEALTHZ), Allow)


def test_nothing_that_is_printed_or_logged_has_a_token_or_a_claim(gate: Gate, caplog):
    caplog.set_level(logging.DEBUG)
    secret = token(sub="secret-subject", tenant_id="secret-tenant", scope="secret-scope")
    request = Request("GET", f"/me?access={secret}", {"authorization": f"Bearer {secret}"})
    with serving() as server, Gate(fetching(server.uri)) as other:
        server.status = 500
        allowed = gate.check_sync(request)
        shown = [request, allowed, other.check_sync(request), gate, inspect(secret)]
        shown += [gate.explain_sync(request), gate.verify_sync(secret, {"scopes": ["x"]})]
        gate.check_sync(Request("GET", "/me", [(secret, object())]))  # type: ignore[list-item]
    assert isinstance(allowed, Allow)
    text = f"{shown} {caplog.text}"
    for part in (*secret.split("."), "secret-"):
        assert part not in text
    assert "a request could not be read: TypeError" in caplog.text
    assert "a document is not available" in caplog.text


def test_a_clock_can_be_given_and_one_that_fails_denies():
    with Gate(policy(), now=lambda: time.time() + 3600) as gate:
        late = gate.check_sync(ME)
        assert isinstance(late, Deny)
        assert late.code == "token_expired"

    def broken() -> float:
        raise OSError

    with Gate(policy(), now=broken) as gate:
        for decision in (gate.check_sync(ME), asyncio.run(gate.check(ME))):
            assert isinstance(decision, Deny)
            assert decision.code == "internal_error"


def test_signatures_can_be_verified_by_aws_lc():
    with Gate(policy(signatures="native"), signatures="native") as gate:
        assert isinstance(gate.check_sync(ME), Allow)
        assert gate.verifier.name == "AWS-LC"
    with pytest.raises(PolicyError):
        Gate(policy(signatures="native"))


def until(holds, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)
