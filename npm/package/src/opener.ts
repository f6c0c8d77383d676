import { monotonicMs } from "./clock.js";
import { type Decision, internalError } from "./decision.js";
import type { Gate } from "./gate.js";
import type { Context } from "./options.js";
import { type BypassOptions, preflightGrant } from "./preflight.js";
import type { Head } from "./request.js";

/** A gate, the promise of a gate, or a function that opens one. The function is called for the first request, and again if it failed. */
export type GateSource = Gate | Promise<Gate> | (() => Gate | Promise<Gate>);

/** The pause between two tries to open a gate. */
const RETRY_MS = 5_000;

export interface AdapterOptions extends BypassOptions {
  /**
   * **With `true`, it protects nothing**: every request passes on exactly as it came, whatever the decision is. The gate's hook `onDecision` is told the
   * decision, with the mode `observed`, and no request waits for it. For a migration, beside the checks that you have today.
   */
  readonly observe?: boolean | undefined;
}

/** The check that an adapter calls. If the gate does not open, every request is denied, and each different error is logged once. */
export function opener(source: GateSource, { bypassCorsPreflight = false }: AdapterOptions = {}, onOpen: (gate: Gate) => void = () => {}): (request: Request | Head, context?: Context) => Promise<Decision> {
  const open = opening(source, "every request is denied", onOpen);
  return async (request, context) => {
    try {
      const gate = await open();
      return (bypassCorsPreflight ? preflightGrant(request) : undefined) ?? (await gate.check(request, context));
    } catch {
      return internalError;
    }
  };
}

/** Opens the gate, and logs each different error once, with what follows from it. */
export function opening(source: GateSource, consequence: string, onOpen: (gate: Gate) => void = () => {}): () => Promise<Gate> {
  let opened: Promise<Gate> | undefined;
  let failed = false;
  let triedMs = -Infinity;
  let logged = "";

  const open = (): Promise<Gate> => {
    if (opened === undefined || (failed && typeof source === "function" && monotonicMs() - triedMs >= RETRY_MS)) {
      failed = false;
      triedMs = monotonicMs();
      opened = (async () => (typeof source === "function" ? source() : source))();
      opened.then(onOpen).catch((fault: unknown) => {
        failed = true;
        const text = String(fault);
        if (text !== logged) console.error(`countersign: the gate did not open, so ${consequence}: ${text}`);
        logged = text;
      });
    }
    return opened;
  };
  // Report an error when the process starts, not at the first request.
  if (typeof source !== "function") void open().catch(() => {});
  return open;
}
