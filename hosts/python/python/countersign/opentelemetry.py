"""Events as OpenTelemetry's metrics, and as events of the current span.

It needs the API alone (`pip install "countersign-gate[opentelemetry]"`): the application
chooses SDK and exporter.
"""

from __future__ import annotations

from collections.abc import Iterable

from opentelemetry.metrics import CallbackOptions, Meter, Observation, get_meter
from opentelemetry.trace import get_current_span

from ._decision_log import DecisionLog
from ._events import DecisionEvent, DocumentEvent

__all__ = ["Telemetry"]

_Attributes = dict[str, str | bool]


class Telemetry:
    """Counts what a gate decides.

    `telemetry = Telemetry()`, then `Gate(policy, on_decision=telemetry.on_decision,
    on_document=telemetry.on_document)`.

    The instruments are those of `docs/events.md`: `countersign.decisions`,
    `countersign.decision.wait` (seconds), `countersign.shadow.comparisons`,
    `countersign.documents`, and, with `watch`, `countersign.log.dropped`. Each decision is
    also an event `countersign.decision` of the span in which it was asked for.
    """

    def __init__(self, meter: Meter | None = None) -> None:
        self._meter = get_meter("countersign") if meter is None else meter
        self._decisions = self._meter.create_counter("countersign.decisions")
        self._wait = self._meter.create_histogram("countersign.decision.wait", unit="s")
        self._comparisons = self._meter.create_counter("countersign.shadow.comparisons")
        self._documents = self._meter.create_counter("countersign.documents")

    def on_decision(self, event: DecisionEvent) -> None:
        """Record a decision."""
        rule = None if event.rule is None else event.rule.label
        if event.comparison is not None:
            compared = _present(comparison=event.comparison, code=event.code, rule=rule)
            self._comparisons.add(1, compared)
            return
        attributes = _present(
            decision=event.decision,
            mode=event.mode,
            code=event.code,
            rule=rule,
            issuer=event.issuer,
            remembered=event.remembered,
        )
        self._decisions.add(1, attributes)
        self._wait.record(event.waited_ms / 1000, _present(mode=event.mode))
        get_current_span().add_event("countersign.decision", attributes)

    def on_document(self, event: DocumentEvent) -> None:
        """Record a document."""
        attributes = _present(issuer=event.issuer, outcome=event.outcome, reason=event.reason)
        attributes["countersign.document.kind"] = event.kind
        self._documents.add(1, attributes)

    def watch(self, log: DecisionLog) -> None:
        """Observe how many events a log has dropped."""

        def dropped(_: CallbackOptions) -> Iterable[Observation]:
            return [Observation(log.dropped)]

        self._meter.create_observable_counter("countersign.log.dropped", [dropped])


def _present(**members: str | bool | None) -> _Attributes:
    return {f"countersign.{name}": value for name, value in members.items() if value is not None}
