import type { Denial, Grant } from "./decision.js";
import { folded } from "./request.js";

/** The response to a denied request: its status, `WWW-Authenticate`, `Retry-After`, and a JSON body with `code` and `message`. */
export function answer(denial: Denial): Response {
  return new Response(answerBody(denial), { status: denial.status, headers: answerHeaders(denial) });
}

export function answerBody({ code, message }: Denial): string {
  return JSON.stringify({ code, message });
}

export function answerHeaders({ challenge, retryAfterS }: Denial): [string, string][] {
  const headers: [string, string][] = [
    ["content-type", "application/json"],
    ["cache-control", "no-store"],
  ];
  if (challenge !== null) headers.push(["www-authenticate", challenge]);
  if (retryAfterS !== null) headers.push(["retry-after", String(retryAfterS)]);
  return headers;
}

/** A request's headers with the changes of the grant, for the service behind the gate. */
export function withGrant(headers: Headers, grant: Grant): Headers {
  const granted = new Headers(headers);
  const removed = new Set(grant.removeHeaders.map(folded));
  for (const name of [...granted.keys()]) if (removed.has(folded(name))) granted.delete(name);
  for (const [name, value] of grant.setHeaders) granted.set(name, value);
  for (const { name, value } of grant.changes) value === null ? granted.delete(name) : granted.set(name, value);
  return granted;
}
