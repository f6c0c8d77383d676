import type { Grant } from "countersign";
import type { Answered, Judgement } from "../judge.js";
import { absolute, relative } from "../moment.js";
import { element, part } from "./dom.js";

/** What goes out: to the client of a denied request, to the service behind the gate of a granted one. */
export function showAnswer({ decision, answered, missing }: Judgement, nowMs: number): HTMLElement[] {
  if (missing) return [];
  if (decision.allow) return [...principal(decision, nowMs), ...handedOn(decision)];
  return answered ? [toClient(answered)] : [];
}

function toClient({ status, headers, body }: Answered): HTMLElement {
  const lines = headers.map(([name, value]) => `${name}: ${value}\n`);
  const first = element("strong", "", `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`);
  return part("What the client gets", element("pre", "http", first, `\n${lines.join("")}\n${body}`));
}

/** RFC 9110 §15. */
const REASONS: { readonly [status: number]: string } = { 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 503: "Service Unavailable" };

function principal({ principal }: Grant, nowMs: number): HTMLElement[] {
  if (principal === null) return [];
  const { issuer, iss, subject, tokenType, tenant, roles, scopes, expiresAtMs } = principal;
  const expires = expiresAtMs === null ? "" : `${relative(expiresAtMs, nowMs)}, ${absolute(expiresAtMs)}`;
  const rows = { issuer: `${issuer}, ${iss}`, subject, type: tokenType, tenant, roles: roles.join(", "), scopes: scopes.join(", "), expires };
  return [part("Who is calling, in the policy’s terms", table(Object.entries(rows)))];
}

function handedOn({ removeHeaders, setHeaders, changes }: Grant): HTMLElement[] {
  const rows: [string, string][] = [
    ["removes", removeHeaders.join(", ")],
    ...setHeaders.map(([name, value]): [string, string] => ["sets", `${name}: ${value}`]),
    ...changes.map(({ name, value }): [string, string] => (value === null ? ["removes", name] : ["sets", `${name}: ${value}`])),
  ];
  const shown = rows.filter(([, value]) => value !== "");
  return shown.length === 0 ? [] : [part("What changes on the way to the service", table(shown))];
}

function table(rows: readonly [string, string | null][]): HTMLElement {
  const shown = rows.flatMap(([name, value]) => (value ? [element("div", "", element("dt", "", name), element("dd", "", element("span", "value", value)))] : []));
  return element("dl", "members plain", ...shown);
}
