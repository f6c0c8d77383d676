import type { Code } from "./code.js";
import type { Need } from "./documents.js";
import type { Principal } from "./principal.js";

/** The answer to one request. `allow` is `true` for a grant only. Of the others, only an {@link Answer} has the `code` `null`. */
export type Decision = Grant | Denial | Answer;

/** A change to one request: one field with this value in place of all with exactly this name (in any case), none of them, or another target. */
export type Change =
  | { readonly kind: "set_header"; readonly name: string; readonly value: string }
  | { readonly kind: "remove_header"; readonly name: string }
  /** In origin form, with its query. */
  | { readonly kind: "set_target"; readonly target: string };

/**
 * An allowed request. First remove `removeHeaders` (compare names in lower case, with `_` replaced by `-`), then set `setHeaders`, then apply `changes`.
 * Frozen. Printed, or as JSON, it contains only the issuer and the token type of each principal.
 */
export interface Grant {
  readonly allow: true;
  /** The caller; `null` if the rule is public, or if it is optional and the request has no token. */
  readonly principal: Principal | null;
  /** The principals that the rule asks for beside the user, such as a workload, by their names in the policy. It has no prototype. */
  readonly principals: { readonly [name: string]: Principal };
  readonly removeHeaders: readonly string[];
  readonly setHeaders: readonly (readonly [name: string, value: string])[];
  /** For this request only, such as the `cookie` header without the cookie that held the token. */
  readonly changes: readonly Change[];
}

/** A denied request. It contains no token, no key and no claim's value. */
export interface Denial {
  readonly allow: false;
  readonly code: Code;
  readonly status: 400 | 401 | 403 | 503;
  /** One sentence. */
  readonly message: string;
  /** `WWW-Authenticate`. */
  readonly challenge: string | null;
  /** The name of the claim that caused the denial, if one did. */
  readonly claim: string | null;
  /** The name in the policy of the principal whose token caused the denial; `null` for the user. Only a grant has a `principal`. */
  readonly principalName: string | null;
  /** `Retry-After`, in seconds. */
  readonly retryAfterS: number | null;
  /** `DPoP-Nonce` (RFC 9449 §8). With it, the response also has `Cache-Control: no-store`. */
  readonly nonce: string | null;
}

/** A response of the gate itself, such as the metadata of a protected resource (RFC 9728). Send it as it is; no handler sees the request. */
export interface Answer {
  readonly allow: false;
  readonly code: null;
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** The gate or its host failed, which never admits a request. */
export const internalError: Denial = unavailable("internal_error", "the gate failed", 1);

const keysUnavailable = unavailable("keys_unavailable", "the keys of the issuer are unavailable", 5);
/** In their order, after the keys. */
const othersUnavailable: readonly (readonly [kind: string, denial: Denial])[] = [
  ["revocations", unavailable("revocations_unavailable", "the revocations of the issuer are unavailable", 5)],
  ["api_keys", unavailable("api_keys_unavailable", "the API keys of the issuer are unavailable", 5)],
  ["introspection", unavailable("introspection_unavailable", "the token cannot be looked up", 5)],
];

/** It is not known whether a proof of possession was used before. */
export const proofsUnavailable: Denial = unavailable("proofs_unavailable", "the use of the proof cannot be recorded", 5);

/** What the decision needs did not arrive in time. Of several, the keys come first. */
export function stillWaiting(needs: readonly Need[]): Denial {
  const missing = new Set<string>(needs.map((need) => ("kind" in need ? need.kind : "introspection")));
  if (missing.has("discovery") || missing.has("jwks")) return keysUnavailable;
  return othersUnavailable.find(([kind]) => missing.has(kind))?.[1] ?? internalError;
}

function unavailable(code: Code, message: string, retryAfterS: number): Denial {
  return Object.freeze({ allow: false, code, status: 503, message, challenge: null, claim: null, principalName: null, retryAfterS, nonce: null });
}
