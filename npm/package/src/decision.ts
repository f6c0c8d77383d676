import type { Code } from "./code.js";
import type { Principal } from "./principal.js";

/** May it pass? `allow` says it, and which of the two this is. */
export type Decision = Grant | Denial;

/** What changes on one request: the header's new value, or `null` where it goes. */
export interface Change {
  readonly name: string;
  readonly value: string | null;
}

/**
 * Remove these headers from the request first, whatever their case and with `_` read as `-`; then set those; then make the `changes`.
 * Frozen. As JSON, or printed, it says of a token only whose it is and of what type.
 */
export interface Grant {
  readonly allow: true;
  /** Who is calling; `null` where the rule is public, or optional and no token came. */
  readonly principal: Principal | null;
  readonly removeHeaders: readonly string[];
  readonly setHeaders: readonly (readonly [name: string, value: string])[];
  /** Of this request alone: a cookie that held the token is taken out. */
  readonly changes: readonly Change[];
}

/** Holds no token, no key and no claim's value. */
export interface Denial {
  readonly allow: false;
  readonly code: Code;
  readonly status: 400 | 401 | 403 | 503;
  /** One sentence. */
  readonly message: string;
  /** `WWW-Authenticate`. */
  readonly challenge: string | null;
  /** The claim concerned. */
  readonly claim: string | null;
  /** `Retry-After`, in seconds. */
  readonly retryAfterS: number | null;
}

/** The gate itself failed, or its host: never a reason to admit. */
export const internalError: Denial = unavailable("internal_error", "the gate failed", 1);

const keysUnavailable = unavailable("keys_unavailable", "the keys of the issuer are unavailable", 5);
const revocationsUnavailable = unavailable(
  "revocations_unavailable",
  "the revocations of the issuer are unavailable",
  5,
);

/** The documents that the decision takes did not come in time. */
export function stillWaiting(fetches: readonly { readonly kind: string }[]): Denial {
  return fetches.every(({ kind }) => kind === "revocations") ? revocationsUnavailable : keysUnavailable;
}

function unavailable(code: Code, message: string, retryAfterS: number): Denial {
  return Object.freeze({ allow: false, code, status: 503, message, challenge: null, claim: null, retryAfterS });
}
