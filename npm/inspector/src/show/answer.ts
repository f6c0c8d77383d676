import type { Grant, Principal } from "countersign";
import type { ClientResponse, Outcome } from "../evaluate.js";
import { absolute, relative } from "../moment.js";
import { copyButton, element, headed, part } from "./dom.js";

/** The output: the response to a denied request, or the principal and changes of an allowed one. */
export function showAnswer({ decision, response, missing }: Outcome, nowMs: number): HTMLElement[] {
  if (missing) return [];
  if (decision.allow) {
    const others = Object.entries(decision.principals).map(([name, other]) => principal(`Principal \`${name}\``, other, nowMs));
    const user = decision.principal === null ? [] : [principal("Caller, as mapped by the policy", decision.principal, nowMs)];
    return [...user, ...others, ...headerChanges(decision)];
  }
  return response ? [toClient(response)] : [];
}

function toClient({ status, headers, body }: ClientResponse): HTMLElement {
  const lines = headers.map(([name, value]) => `${name}: ${value}\n`);
  const first = element("strong", "", `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`);
  const copy = copyButton("the response", `HTTP/1.1 ${status} ${REASONS[status] ?? ""}\n${lines.join("")}\n${body}`);
  return headed("Response to the client", [copy], element("pre", "http", first, `\n${lines.join("")}\n${body}`));
}

/** RFC 9110 §15. */
const REASONS: { readonly [status: number]: string } = { 200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 503: "Service Unavailable" };

function principal(title: string, { issuer, iss, subject, tokenType, tenant, tenants, roles, scopes, expiresAtMs }: Principal, nowMs: number): HTMLElement {
  const expires = expiresAtMs === null ? "" : `${relative(expiresAtMs, nowMs)}, ${absolute(expiresAtMs)}`;
  const rows = { issuer: `${issuer}, ${iss}`, subject, type: tokenType, tenant, tenants: tenants.length > 1 ? tenants.join(", ") : "", roles: roles.join(", "), scopes: scopes.join(", "), expires };
  return part(title, table(Object.entries(rows)));
}

function headerChanges({ removeHeaders, setHeaders, changes }: Grant): HTMLElement[] {
  const rows: [string, string][] = [
    ["removes", removeHeaders.join(", ")],
    ...setHeaders.map(([name, value]): [string, string] => ["sets", `${name}: ${value}`]),
    ...changes.map((change): [string, string] => {
      if (change.kind === "set_target") return ["target", change.target];
      return change.kind === "remove_header" ? ["removes", change.name] : ["sets", `${change.name}: ${change.value}`];
    }),
  ];
  const shown = rows.filter(([, value]) => value !== "");
  return shown.length === 0 ? [] : [part("Changes for the service", table(shown))];
}

function table(rows: readonly [string, string | null][]): HTMLElement {
  const shown = rows.flatMap(([name, value]) => (value ? [element("div", "", element("dt", "", name), element("dd", "", element("span", "value", value)))] : []));
  return element("dl", "members plain", ...shown);
}
