import { monotonicMs } from "./clock.js";
import { type Decision, internalError } from "./decision.js";
import type { Context, Gate } from "./gate.js";
import { type BypassOptions, ofPreflight } from "./preflight.js";
import type { Head } from "./request.js";

/** A gate, the promise of one, or what opens one: that is called for the first request, and again when it failed. */
export type GateSource = Gate | Promise<Gate> | (() => Gate | Promise<Gate>);

/** Between two tries to open a gate. */
const AGAIN_MS = 5_000;

/** What an adapter asks. A gate that does not open admits nobody, and says why once for each fault. */
export function opener(source: GateSource, { bypassCorsPreflight = false }: BypassOptions = {}, onOpen: (gate: Gate) => void = () => {}): (request: Request | Head, context?: Context) => Promise<Decision> {
  let opened: Promise<Gate> | undefined;
  let failed = false;
  let triedMs = -Infinity;
  let said = "";

  const open = (): Promise<Gate> => {
    if (opened === undefined || (failed && typeof source === "function" && monotonicMs() - triedMs >= AGAIN_MS)) {
      failed = false;
      triedMs = monotonicMs();
      opened = (async () => (typeof source === "function" ? source() : source))();
      opened.then(onOpen).catch((fault: unknown) => {
        failed = true;
        const text = String(fault);
        if (text !== said) console.error(`countersign: the gate did not open, so every request is denied: ${text}`);
        said = text;
      });
    }
    return opened;
  };
  // Said when the process starts, not when the first request comes.
  if (typeof source !== "function") void open().catch(() => {});

  return async (request, context) => {
    try {
      const gate = await open();
      return (bypassCorsPreflight ? ofPreflight(request) : undefined) ?? (await gate.check(request, context));
    } catch {
      return internalError;
    }
  };
}
