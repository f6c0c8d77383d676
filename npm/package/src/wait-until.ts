import type { Context } from "./options.js";

/** Lets work continue after the request. */
export type WaitUntil = (work: Promise<unknown>) => void;

/** A `waitUntil` that never throws; `undefined` if the context has none. */
export function safeWaitUntil(context: Context): WaitUntil | undefined {
  if (typeof context?.waitUntil !== "function") return undefined;
  return (work) => {
    try {
      context.waitUntil?.(work);
    } catch {
      // The request has ended, or the context belongs to another one: the work goes on as long as the runtime lets it.
    }
  };
}
