import { type AdapterOptions, type GateSource, opening } from "./opener.js";
import type { Context } from "./options.js";
import { preflightGrant } from "./preflight.js";
import { copied, type Head } from "./request.js";

/**
 * What an adapter with the option `observe` calls in place of a check: it decides about the request as it is now, behind the caller's back, and never throws.
 * The gate's hooks are told.
 */
export function observer(source: GateSource, { bypassCorsPreflight = false }: AdapterOptions = {}): (read: () => Request | Head, context?: Context) => void {
  const open = opening(source, "nothing is observed");
  return (read, context) => {
    try {
      const request = copied(read());
      if (bypassCorsPreflight && preflightGrant(request)) return;
      const observed = open().then((gate) => gate.observe(request, context));
      const work = observed.then(() => {}, () => {});
      context?.waitUntil?.(work);
    } catch {
      // What cannot be read, or kept after the request, is not observed.
    }
  };
}
