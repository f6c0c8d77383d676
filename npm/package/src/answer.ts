import type { Answer, Denial, Grant } from "./decision.js";
import { folded } from "./request.js";

/**
 * The response to a request that does not pass: the answer of the gate as it is, or for a denial its status, `WWW-Authenticate`, `Retry-After`,
 * `DPoP-Nonce`, and a JSON body with `code` and `message`.
 */
export function answer(decision: Denial | Answer): Response {
  return new Response(answerBody(decision), { status: decision.status, headers: answerHeaders(decision) });
}

export function answerBody(decision: Denial | Answer): string {
  return decision.code === null ? decision.body : JSON.stringify({ code: decision.code, message: decision.message });
}

export function answerHeaders(decision: Denial | Answer): [string, string][] {
  if (decision.code === null) return decision.headers.map(([name, value]) => [name, value]);
  const { challenge, retryAfterS, nonce } = decision;
  const headers: [string, string][] = [
    ["content-type", "application/json"],
    ["cache-control", "no-store"],
  ];
  if (challenge !== null) headers.push(["www-authenticate", challenge]);
  if (retryAfterS !== null) headers.push(["retry-after", String(retryAfterS)]);
  if (nonce !== null) headers.push(["dpop-nonce", nonce]);
  return headers;
}

/** A request's headers with the changes of the grant, for the service behind the gate. */
export function withGrant(headers: Headers, grant: Grant): Headers {
  const granted = new Headers(headers);
  const removed = new Set(grant.removeHeaders.map(folded));
  for (const name of [...granted.keys()]) if (removed.has(folded(name))) granted.delete(name);
  for (const [name, value] of grant.setHeaders) granted.set(name, value);
  for (const change of grant.changes) {
    if (change.kind === "set_header") granted.set(change.name, change.value);
    if (change.kind === "remove_header") granted.delete(change.name);
  }
  return granted;
}

/** A request's URL with the target of the grant, if it has one, for the service behind the gate. */
export function withTarget(url: string, grant: Grant): string {
  const target = targetOf(grant);
  return target === undefined ? url : new URL(url).origin + target;
}

/** The target that the grant sets, in origin form. */
export function targetOf({ changes }: Grant): string | undefined {
  let target: string | undefined;
  for (const change of changes) if (change.kind === "set_target") target = change.target;
  return target;
}
