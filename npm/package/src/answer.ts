import type { Denial, Grant } from "./decision.js";
import { folded } from "./request.js";

/** The answer to a denied request: its status, `WWW-Authenticate`, `Retry-After`, and code and sentence as JSON. */
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

/** A request's headers as the service behind the gate shall see them. */
export function withGrant(headers: Headers, grant: Grant): Headers {
  const granted = new Headers(headers);
  const removed = new Set(grant.removeHeaders.map(folded));
  for (const name of [...granted.keys()]) if (removed.has(folded(name))) granted.delete(name);
  const cookies = granted.get("cookie");
  if (cookies !== null && grant.removeCookies.length > 0) {
    const kept = withoutCookies(cookies, grant.removeCookies);
    if (kept === "") granted.delete("cookie");
    else granted.set("cookie", kept);
  }
  for (const [name, value] of grant.setHeaders) granted.set(name, value);
  return granted;
}

/** Takes cookies out of `cookie` (RFC 6265 §4.2.1), whatever the others hold. */
export function withoutCookies(header: string, names: readonly string[]): string {
  const pairs = header.split(";").map((pair) => pair.trim());
  return pairs.filter((pair) => pair !== "" && !names.includes(pair.split("=", 1)[0]!.trim())).join("; ");
}
