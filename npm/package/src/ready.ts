import { monotonicMs, pause, waitAtMost } from "./clock.js";
import type { Gate } from "./gate.js";
import type { Context } from "./options.js";

/**
 * The response for a readiness probe (`/readyz`): 200 if {@link Gate.ready}, else 503. Its body says which documents are missing, and no address. While the gate
 * is not ready, each call also fetches the documents that are due, in the background or with the context's `waitUntil`.
 */
export function readyResponse(gate: Gate, context?: Context): Response {
  const { status, body } = readiness(gate, context);
  return new Response(body, { status, headers: READY_HEADERS });
}

export const READY_HEADERS: [string, string][] = [
  ["content-type", "application/json"],
  ["cache-control", "no-store"],
];

export function readiness(gate: Gate, context?: Context): { status: 200 | 503; body: string } {
  const ready = gate.ready(context);
  const missing = ready ? [] : gate.status().documents.filter(({ needed, ageMs }) => needed && ageMs === null).map(({ issuer, kind }) => ({ issuer, kind }));
  return { status: ready ? 200 : 503, body: JSON.stringify(ready ? { ready } : { ready, missing }) };
}

/** The pause between two looks whether a gate is ready. */
const POLL_MS = 100;

/** Waits until the gate is ready, at most so many milliseconds. If it is not ready then, that is logged. */
export async function waitForReady(gate: Gate, ms: number): Promise<void> {
  for (const untilMs = monotonicMs() + ms; !gate.ready() && monotonicMs() < untilMs; await pause(POLL_MS)) {
    await waitAtMost(untilMs - monotonicMs(), gate.preload());
    if (gate.ready()) return;
  }
  if (!gate.ready()) console.warn("countersign: the gate is open and not ready");
}
