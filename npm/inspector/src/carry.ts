// Puts the token where the policy looks for it.

import type { Head, Step } from "countersign";
import type { Credential, Opened } from "./policy.js";

type Places = Pick<Opened, "credentials" | "rules">;

/** The places of the rule that the gate found, or else of the policy. */
export function credentialsOf({ credentials, rules }: Places, steps: readonly Step[]): readonly Credential[] {
  const rule = rules?.[Number(ruleOf(steps)?.slice("/rules/".length))];
  return rule?.credentials ?? credentials ?? [];
}

/** The JSON Pointer of the rule that the gate found. */
export function ruleOf(steps: readonly Step[]): string | undefined {
  return /\/rules\/\d+/.exec(steps.find(({ check, verdict }) => check === "rule" && verdict === "pass")?.detail ?? "")?.[0];
}

/** The request with the token in the first place. */
export function carry(head: Head, token: string, credentials: readonly Credential[]): Head {
  if (token === "") return head;
  const { header, scheme, cookie, query, websocket_protocol: protocol } = credentials.find(({ principal }) => principal === undefined) ?? BEARER;
  const withHeader = (name: string, value: string): Head => ({ ...head, headers: [...head.headers, [name, value]] });
  if (cookie !== undefined) return withHeader("cookie", `${cookie}=${token}`);
  if (query !== undefined) return { ...head, target: `${head.target}${head.target.includes("?") ? "&" : "?"}${query}=${encodeURIComponent(token)}` };
  if (protocol) {
    const element = protocol.base64url ? encode(token).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "") : token;
    return withHeader("sec-websocket-protocol", protocol.prefix === undefined ? `${protocol.after}, ${element}` : protocol.prefix + element);
  }
  // The user name of Basic is free.
  if (scheme?.toLowerCase() === "basic") return withHeader(header ?? "authorization", `${scheme} ${encode(`token:${token}`)}`);
  return withHeader(header ?? "authorization", scheme === undefined ? token : `${scheme} ${token}`);
}

/** The place of a policy that names none. */
const BEARER: Credential = { header: "authorization", scheme: "Bearer" };

function encode(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
