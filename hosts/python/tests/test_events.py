"""Events, candidates, readiness."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import pytest

from countersign import (
    SHA256,
    Allow,
    DecisionEvent,
    Deny,
    DocumentEvent,
    Gate,
    PolicyError,
    Request,
)
from support import bearer, fetching, policy, serving

HEALTHZ = Request("GET", "/healthz")


def test_an_event_tells_what_was_decided_and_nothing_of_the_token():
    seen: list[DecisionEvent] = []
    with Gate(policy(), on_decision=seen.append, subject_key=b"k" * 16) as gate:
        assert isinstance(gate.check_sync(HEALTHZ), Allow)
        assert isinstance(gate.check_sync(Request("GET", "/me")), Deny)
        digest = gate.policy_digest
    public, denied = seen
    assert (public.decision, public.code, public.mode) == ("allow", None, "enforced")
    assert (denied.decision, denied.code, denied.status) == ("deny", "token_missing", 401)
    assert public.rule is not None
    assert public.rule.path == "/healthz"
    assert {event.policy_digest for event in seen} == {digest}
    assert {event.module_digest for event in seen} == {SHA256}


def test_a_verified_token_has_an_issuer_and_a_reference_to_its_subject():
    seen: list[DecisionEvent] = []
    documents: list[DocumentEvent] = []
    with serving() as server:
        options = {"on_decision": seen.append, "on_document": documents.append}
        # Each remembers tokens of its own.
        options["instances"] = 1
        with Gate(fetching(server.uri), subject_key=b"k" * 16, **options) as gate:
            me = Request("GET", "/me", bearer())
            assert isinstance(gate.check_sync(me), Allow)
            assert isinstance(gate.check_sync(me), Allow)
            assert gate.ready()
    first, second = seen
    assert (first.remembered, second.remembered) == (False, True)
    assert first.issuer == "platform"
    assert first.subject_ref == second.subject_ref
    assert len(first.subject_ref or "") == 32
    text = json.dumps([asdict(event) for event in seen])
    held = me.headers["authorization"].removeprefix("Bearer ").split(".")
    assert not any(part in text for part in [*held, '"ada"'])
    assert [(one.kind, one.outcome, one.mode) for one in documents] == [
        ("jwks", "accepted", "enforced")
    ]


def test_a_hook_that_raises_changes_nothing(monkeypatch):
    raised = []
    monkeypatch.setattr(sys, "unraisablehook", lambda one: raised.append(one.exc_value))

    def hook(event: DecisionEvent) -> None:
        raise RuntimeError(event.decision)

    with Gate(policy(), on_decision=hook) as gate:
        assert isinstance(gate.check_sync(HEALTHZ), Allow)
    assert [str(error) for error in raised] == ["allow"]


def test_a_candidate_changes_no_decision_and_is_compared():
    seen: list[DecisionEvent] = []
    candidate = policy()
    candidate["rules"] = []
    with Gate(policy(), shadow=candidate, on_decision=seen.append) as gate:
        assert isinstance(gate.check_sync(HEALTHZ), Allow)
    assert [(event.mode, event.decision, event.comparison) for event in seen] == [
        ("enforced", "allow", None),
        ("shadow", "deny", "would_deny"),
    ]


def test_a_candidate_with_a_mistake_and_a_short_key_are_refused():
    with pytest.raises(PolicyError):
        Gate(policy(), shadow={"contract": "2"})
    with pytest.raises(PolicyError):
        Gate(policy(), subject_key=b"short")


def test_a_gate_is_not_ready_without_its_documents():
    form = policy()
    form["issuers"][0]["keys"] = {"jwks_uri": "http://127.0.0.1:9/jwks", "insecure_http": True}
    with Gate(form, ready_s=0.2) as gate:
        assert not gate.ready()
