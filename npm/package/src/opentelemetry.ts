// Events as metrics and span events of OpenTelemetry.

import { metrics, trace } from "@opentelemetry/api";
import type { DecisionLog } from "./decision-log.js";
import type { DecisionEvent, DocumentEvent } from "./events.js";
import { PACKAGE_VERSION } from "./wit.js";

export interface TelemetryOptions {
  /** The log whose dropped events are counted. */
  readonly log?: Pick<DecisionLog, "dropped"> | undefined;
}

/** The hooks of a gate. */
export interface Telemetry {
  readonly onDecision: (event: DecisionEvent) => void;
  readonly onDocument: (event: DocumentEvent) => void;
}

type Attributes = { [name: string]: string | boolean };

/** The buckets of `countersign.decision.wait`, in seconds. Those that OpenTelemetry has by default are for milliseconds: every wait would be in the first, up to five seconds. */
const WAIT_S = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Hooks that count with the global meter of `@opentelemetry/api`, and add an event `countersign.decision` to the current span. Call it after the application has
 * set its providers.
 *
 * | instrument | kind | attributes, all `countersign.…` |
 * |---|---|---|
 * | `countersign.decisions` | counter | `decision`, `code`, `rule`, `issuer`, `mode`, `remembered` |
 * | `countersign.decision.wait` | histogram, seconds | `mode` |
 * | `countersign.shadow.comparisons` | counter | `comparison`, `code`, `rule` |
 * | `countersign.documents` | counter | `document.kind`, `issuer`, `outcome`, `reason` |
 * | `countersign.log.dropped` | counter | |
 */
export function telemetry({ log }: TelemetryOptions = {}): Telemetry {
  const meter = metrics.getMeter("countersign", PACKAGE_VERSION);
  const decisions = meter.createCounter("countersign.decisions", { description: "Decisions" });
  const waits = meter.createHistogram("countersign.decision.wait", { unit: "s", description: "How long decisions waited for documents, requests and proofs", advice: { explicitBucketBoundaries: WAIT_S } });
  const comparisons = meter.createCounter("countersign.shadow.comparisons", { description: "Comparisons with a candidate" });
  const documents = meter.createCounter("countersign.documents", { description: "Fetches of documents" });
  if (log) meter.createObservableCounter("countersign.log.dropped", { description: "Events that were not logged" }).addCallback((result) => result.observe(log.dropped));

  return {
    onDecision(event) {
      const { decision, code, issuer, mode, remembered, comparison, waitedMs } = event;
      const rule = ruleOf(event);
      if (comparison !== undefined) return comparisons.add(1, attributes({ comparison, code, rule }));
      const described = attributes({ decision, code, rule, issuer, mode, remembered });
      decisions.add(1, described);
      waits.record(waitedMs / 1_000, attributes({ mode }));
      const span = trace.getActiveSpan();
      if (span?.isRecording()) span.addEvent("countersign.decision", described);
    },
    onDocument({ kind, issuer, outcome, reason }) {
      documents.add(1, attributes({ "document.kind": kind, issuer, outcome, reason }));
    },
  };
}

/** A name, or a place in the policy: few values, none of a request. */
function ruleOf({ rule }: DecisionEvent): string | undefined {
  return rule && (rule.name ?? `/rules/${rule.index}`);
}

function attributes(values: { [name: string]: string | boolean | undefined }): Attributes {
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[`countersign.${name}`, value]])));
}
