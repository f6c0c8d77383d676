"""Metrics and span events, as an SDK reads them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from countersign import DecisionLog, Gate, Request
from countersign.opentelemetry import Telemetry
from support import bearer, fetching, policy, serving


class Read:
    """An SDK with a reader in memory."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.telemetry = Telemetry(
            MeterProvider(metric_readers=[self.reader]).get_meter("countersign")
        )

    def points(self) -> dict[str, list[tuple[dict[str, Any], Any]]]:
        """Return attributes and values by the names of the metrics, without `countersign.`."""
        data = self.reader.get_metrics_data()
        assert data is not None
        metrics = data.resource_metrics[0].scope_metrics[0].metrics
        return {
            metric.name.removeprefix("countersign."): [
                (
                    {
                        name.removeprefix("countersign."): value
                        for name, value in (point.attributes or {}).items()
                    },
                    getattr(point, "value", None) or getattr(point, "count", 0),
                )
                for point in metric.data.data_points
            ]
            for metric in metrics
        }


def in_order(points: list[tuple[dict[str, Any], Any]]) -> list[str]:
    """Return the points as texts that can be compared: their order says nothing."""
    return sorted(json.dumps(point, sort_keys=True) for point in points)


@pytest.fixture
def read():
    return Read()


def test_decisions_documents_and_comparisons_are_counted(read: Read):
    candidate = policy()
    candidate["rules"] = [{"path": "/healthz", "public": True, "name": "health"}]
    hooks: dict[str, Any] = {
        "on_decision": read.telemetry.on_decision,
        "on_document": read.telemetry.on_document,
        # Each remembers tokens of its own.
        "instances": 1,
    }
    with serving() as server, Gate(fetching(server.uri), shadow=candidate, **hooks) as gate:
        me = Request("GET", "/me", bearer())
        for request in (me, me, Request("GET", "/me"), Request("GET", "/healthz")):
            gate.check_sync(request)
    points = read.points()
    me_rule = {"rule": "/rules/4", "mode": "enforced"}
    seen = {"issuer": "platform", **me_rule, "decision": "allow"}
    missing = {**me_rule, "decision": "deny", "code": "token_missing"}
    health = {"rule": "/rules/0", "mode": "enforced", "decision": "allow"}
    assert in_order(points["decisions"]) == in_order(
        [
            ({**seen, "remembered": False}, 1),
            ({**seen, "remembered": True}, 1),
            (missing, 1),
            (health, 1),
        ]
    )
    assert points["decision.wait"] == [({"mode": "enforced"}, 4)]
    documents = [({"issuer": "platform", "outcome": "accepted", "document.kind": "jwks"}, 1)]
    assert points["documents"] == documents
    compared = {one["comparison"]: value for one, value in points["shadow.comparisons"]}
    assert compared == {"would_deny": 2, "differs": 1, "agree": 1}


def test_the_metrics_have_the_names_and_units_of_the_documentation(read: Read):
    log = DecisionLog(lambda _: None)
    read.telemetry.watch(log)
    with Gate(policy(), on_decision=read.telemetry.on_decision, log=log) as gate:
        gate.check_sync(Request("GET", "/me"))
    data = read.reader.get_metrics_data()
    assert data is not None
    metrics = data.resource_metrics[0].scope_metrics[0].metrics
    assert {metric.name: metric.unit or "" for metric in metrics} == {
        "countersign.decisions": "",
        "countersign.decision.wait": "s",
        "countersign.log.dropped": "",
    }


def test_a_decision_is_an_event_of_the_span_of_its_request(read: Read):
    """Also where it waits for keys, and is made in another thread."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")

    async def ask(gate: Gate, name: str) -> None:
        with tracer.start_as_current_span(name):
            await gate.check(Request("GET", "/me", bearer()))

    async def both(gate: Gate) -> None:
        await asyncio.gather(ask(gate, "one"), ask(gate, "two"))

    with serving() as server:
        server.delay_s = 0.2
        with Gate(fetching(server.uri), on_decision=read.telemetry.on_decision) as gate:
            asyncio.run(both(gate))
    spans = exporter.get_finished_spans()
    assert sorted(span.name for span in spans) == ["one", "two"]
    for span in spans:
        (event,) = span.events
        assert event.name == "countersign.decision"
        assert (event.attributes or {})["countersign.decision"] == "allow"


def test_no_attribute_is_something_that_a_caller_chooses(read: Read):
    with Gate(policy(), on_decision=read.telemetry.on_decision) as gate:
        claims = {"sub": "mallory", "tenant_id": "evil", "iss": "https://evil.example"}
        for headers in (bearer(**claims), {"authorization": "Bearer mallory"}):
            for path in ("/orgs/evil/x?mallory", "/mallory"):
                gate.check_sync(Request("GET", path, headers))
    assert not any(word in str(read.points()) for word in ("mallory", "evil"))
