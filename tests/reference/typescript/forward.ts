// What goes on: forwarded headers, and what changes on one request (forward.*, strip.*).

import { type Source, type Spec, isTexts, pointerOf, read, segments } from "./claims.ts";
import { type Found, gather, isNamed, protocols, readProtocols } from "./credentials.ts";
import { Num, rawAt } from "./json.ts";
import { base64url } from "./keys.ts";
import type { Request } from "./request.ts";
import type { Token } from "./token.ts";

export type Change = { set_header: [string, string] } | { remove_header: string } | { set_target: string };

/** The user's headers. */
export function forwarded(policy: Spec, token: Token | undefined): [string, string][] {
  if (token === undefined) return [];
  const mine = Object.entries<any>(policy.forward ?? {}).filter(([, what]) => what.principal === undefined);
  // That of the request comes last: no sentence says an order.
  if (token.tenants.length > 1) mine.sort(([, one], [, other]) => Number(one === "tenant") - Number(other === "tenant"));
  return valued(mine.map(([name, what]) => [name, valueOf(what, token)]));
}

/** forward.principal. */
export function ofOthers(policy: Spec, others: Map<string, Token>): Change[] {
  const theirs = Object.entries<any>(policy.forward ?? {}).filter(([, what]) => others.has(what.principal));
  const values = theirs.map(([name, what]): [string, string | undefined] => [name, valueOf(what, others.get(what.principal) as Token)]);
  return valued(values).map((header) => ({ set_header: header }));
}

function valued(headers: [string, string | undefined][]): [string, string][] {
  return headers.flatMap(([name, value]) => (value === undefined || value === "" ? [] : [[name.toLowerCase(), value] as [string, string]]));
}

function valueOf(spec: any, token: Token): string | undefined {
  const what = typeof spec === "object" && spec.claim === undefined ? spec.value : spec;
  if (what === "claims") return base64url(token.text);
  if (typeof what === "string") {
    const { exp, iss } = token;
    const expiry = exp === undefined ? undefined : String(Math.floor(exp / 1000));
    const value = { ...token, issuer: iss, expiry }[what as "subject"] as string | string[] | undefined;
    return Array.isArray(value) ? value.map(visible).join(" ") : value === undefined ? undefined : visible(value);
  }
  if (what.json === true) return rawOf(what, token);
  const value = read(token.claims, what);
  if (isTexts(value)) {
    const join: string = what.join ?? " ";
    const escaped = [...new TextEncoder().encode(join)].map(percent).join("");
    const parts = value.map(visible).map((one) => (join === " " ? one : one.replaceAll(join, escaped)));
    return parts.join(join);
  }
  if (value instanceof Num) return visible(value.text);
  return typeof value === "string" ? visible(value) : typeof value === "boolean" ? String(value) : undefined;
}

/** forward.json: the JSON as it was signed. */
function rawOf(source: { claim: string; as?: string; at?: Source }, token: Token): string | undefined {
  let raw = rawAt(new TextDecoder().decode(token.text), segments(source.claim));
  if (source.as === "json" && raw?.startsWith('"')) {
    raw = rawAt(JSON.parse(raw), source.at === undefined ? [] : segments(pointerOf(source.at)));
  }
  return raw === undefined || raw === "null" ? undefined : base64url(new TextEncoder().encode(raw));
}

/** forward.encoding. */
function visible(text: string): string {
  return [...new TextEncoder().encode(text)].map((byte) => (byte > 0x20 && byte < 0x7f && byte !== 0x25 ? String.fromCharCode(byte) : percent(byte))).join("");
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

/** What changes on one request: headers, cookies, subprotocols, the query. */
export class Changes {
  readonly #request: Request;
  readonly #headers = new Set<string>();
  readonly #cookies: ((name: string, value: string) => boolean)[] = [];
  readonly #parameters: string[] = [];
  readonly #protocols: Spec[] = [];
  constructor(request: Request) {
    this.#request = request;
  }

  /** credential.query-taken, credential.websocket-protocol-taken. */
  always({ query, websocket_protocol: protocol }: Spec): void {
    if (query !== undefined) this.#parameters.push(query);
    if (protocol !== undefined) this.#protocols.push(protocol);
  }

  cookie(goes: (name: string, value: string) => boolean): void {
    this.#cookies.push(goes);
  }

  /** Every spelling that is there. */
  #header(header: string): void {
    for (const [name] of this.#request.headers) if (name.replaceAll("_", "-") === header.toLowerCase()) this.#headers.add(name);
  }

  /** rule.ignore-empties. */
  takeOut(places: Spec[]): void {
    for (const place of places) {
      if (place.header !== undefined) this.#header(place.header);
      if (place.cookie !== undefined) this.cookie((name) => name === place.cookie);
    }
  }

  /** credential.first-taken: the same token in another place stays. */
  leaveOnly(places: Spec[], counted: Found): void {
    const isKept = (place: Spec) => counted.places.some(({ header }) => header?.toLowerCase() === place.header.toLowerCase());
    for (const place of places) {
      if (place.header !== undefined && !isKept(place) && gather(this.#request, [place], "first").length > 0) this.#header(place.header);
      if (place.cookie !== undefined) this.cookie((name, value) => name === place.cookie && value.replace(/^"(.*)"$/s, "$1") !== counted.data);
    }
  }

  all(): Change[] {
    const request = this.#request;
    const changes: Change[] = [...this.#headers].map((name) => ({ remove_header: name }));
    const goes = (name: string, value: string) => this.#cookies.some((one) => one(name, value));
    if (request.cookies.some(([name, value]) => goes(name, value))) {
      const parts = request.fields("cookie").flatMap((value) => value.split(";")).map((part) => part.trim());
      const kept = parts.filter((part) => part !== "" && !goes(...named(part)));
      changes.push(kept.length > 0 ? { set_header: ["cookie", kept.join("; ")] } : { remove_header: "cookie" });
    }
    const taken = this.#protocols.flatMap((spec) => readProtocols(request, spec)).map(({ element }) => element);
    if (taken.length > 0) {
      const kept = protocols(request).filter((element) => !taken.includes(element));
      const name = "sec-websocket-protocol";
      changes.push(kept.length > 0 ? { set_header: [name, kept.join(", ")] } : { remove_header: name });
    }
    const all = request.parameters;
    const kept = all.filter(({ name }) => !this.#parameters.some((wanted) => isNamed(name, wanted)));
    if (kept.length < all.length) {
      const path = request.target.split("?")[0] as string;
      changes.push({ set_target: kept.length > 0 ? `${path}?${kept.map(({ whole }) => whole).join("&")}` : path });
    }
    return changes;
  }
}

function named(part: string): [string, string] {
  const at = part.indexOf("=");
  return at < 0 ? [part, ""] : [part.slice(0, at).trim(), part.slice(at + 1)];
}
