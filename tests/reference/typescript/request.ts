// Targets and rules (path.*, rule.*). Bytes are texts of the letters U+0000 to U+00FF.

import type { Spec } from "./claims.ts";
import { Denied } from "./denied.ts";
import { many } from "./token.ts";

export function ambiguous(): never {
  throw new Denied("request_ambiguous");
}

export function latin(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

export function utf8(text: string): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes(text));
}

/** Percent-decoding, but not of the letters to keep. */
export function decoded(text: string, keep = /[^]^/): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (whole, digits) => {
    const letter = String.fromCharCode(Number.parseInt(digits, 16));
    return keep.test(letter) ? whole : letter;
  });
}

/** path.*: the raw segments of a target. */
export function segmentsOf(target: string): string[] {
  if (!target.startsWith("/") || target.length > 16384) ambiguous();
  const path = target.split("?")[0] as string;
  if (/[\0-\x20\x7f-\xff#\\;]|%(?![0-9A-Fa-f]{2})|%(5c|3b|[01][0-9a-f]|7f)/i.test(path)) ambiguous();
  const segments = path.slice(1).split("/");
  if (segments.length > 256 || segments.slice(0, -1).includes("")) ambiguous();
  for (const segment of segments) {
    const plain = decoded(segment);
    if (plain.split("/").some((part) => part === "." || part === "..")) ambiguous();
    if (/%[0-9A-Fa-f]{2}/.test(plain)) ambiguous();
  }
  try {
    utf8(decoded(path));
  } catch {
    ambiguous();
  }
  return segments;
}

export interface Match {
  rule: Spec;
  index: number;
  pattern: string;
  captures: Record<string, string>;
}

/** The rule, or a refusal because a backend could find another one. */
export function ruleFor(policy: Spec, method: string, host: string | undefined, raw: string[]): Match | undefined {
  const hasSlash = raw.at(-1) === "" && raw.length > 1;
  const bare = raw.at(-1) === "" ? raw.slice(0, -1) : raw;
  const plain = bare.map((one) => utf8(decoded(one)));
  const isExact = policy.path_case === "exact";
  const match = (segments: string[], fold = false) => firstMatch(policy.rules ?? [], method, host, segments, fold);
  const found = match(plain);
  const isSame = (other: Match | undefined) => other?.index === found?.index && other?.pattern === found?.pattern;
  const isSameOrNone = (other: Match | undefined) => other === undefined || isSame(other);
  if (plain.some((one) => one.includes("/"))) {
    if (found?.rule.encoded_slash !== "keep") ambiguous();
    const split = plain.flatMap((one) => one.split("/"));
    if (split.length > 256) ambiguous();
    for (const reading of [split, split.filter((one) => one !== "")]) {
      if (!isSameOrNone(match(reading)) || (!isExact && !isSameOrNone(match(reading, true)))) ambiguous();
    }
  }
  if (hasSlash && !isSameOrNone(match([...plain, ""]))) ambiguous();
  if (!isExact && !isSame(match(plain, true))) ambiguous();
  if (!isExact && hasSlash && !isSameOrNone(match([...plain, ""], true))) ambiguous();
  const asSent = bare.map((one) => decoded(one, /[A-Za-z0-9\-._~!$&'()*+,;=:@]/));
  const differs = asSent.some((one, index) => one !== decoded(bare[index] as string));
  if (differs && !isSame(match(asSent.map(lossy)))) ambiguous();
  return found;
}

function lossy(text: string): string {
  return new TextDecoder().decode(bytes(text));
}

function firstMatch(rules: Spec[], method: string, host: string | undefined, segments: string[], fold: boolean): Match | undefined {
  for (const [index, rule] of rules.entries()) {
    const { methods } = rule;
    if (methods !== undefined && !methods.includes(method) && !(method === "HEAD" && methods.includes("GET"))) continue;
    const ofHost = hostMatch(rule.hosts, host);
    if (ofHost === undefined) continue;
    for (const pattern of many<string>(rule.path)) {
      const captures = pathMatch(pattern, segments, fold);
      if (captures !== undefined) return { rule, index, pattern, captures: { ...ofHost, ...captures } };
    }
  }
  return undefined;
}

function pathMatch(pattern: string, segments: string[], fold: boolean): Record<string, string> | undefined {
  let wanted = pattern.slice(1).split("/");
  const hasRest = wanted.at(-1) === "**";
  if (hasRest || wanted.at(-1) === "") wanted = wanted.slice(0, -1);
  if (segments.length < wanted.length || (segments.length > wanted.length && !hasRest)) return undefined;
  const captures: Record<string, string> = {};
  for (const [index, one] of wanted.entries()) {
    const segment = segments[index] as string;
    if (one.startsWith("{")) {
      if (segment === "") return undefined;
      captures[one.slice(1, -1)] = segment;
      continue;
    }
    const literal = utf8(decoded(latin(new TextEncoder().encode(one))));
    if (literal !== segment && !(fold && folded(literal) === folded(segment))) return undefined;
  }
  return captures;
}

/** rule.other-case. */
function folded(text: string): string {
  return text.replace(/[A-Z]/g, (one) => one.toLowerCase()).replace(/[ıİ]/g, "i").replaceAll("ſ", "s").replaceAll("\u212a", "k");
}

/** rule.hosts, rule.host-wildcard, rule.host-name. */
function hostMatch(hosts: string[] | undefined, host: string | undefined): Record<string, string> | undefined {
  if (hosts === undefined) return {};
  if (host === undefined) return undefined;
  const [label, ...parent] = host.split(".") as [string, ...string[]];
  for (const spec of hosts) {
    const wanted = spec.toLowerCase().replace(/\.$/, "");
    if (wanted === host) return {};
    const [first, ...others] = wanted.split(".") as [string, ...string[]];
    const isWild = (first === "*" || first.startsWith("{")) && others.length > 0;
    if (isWild && parent.join(".") === others.join(".") && label !== "") {
      return first === "*" ? {} : { [first.slice(1, -1)]: label };
    }
  }
  return undefined;
}

/** host.form. */
export function hostOf(authority: string): string | undefined {
  if (authority === "") return undefined;
  const parts = /^(\[[0-9A-Fa-f:.]+\]|[^@/,:\0-\x20\x7f\\?#[\]]*)(?::([0-9]*))?$/.exec(authority);
  if (parts === null || authority.length > 512) ambiguous();
  return (parts[1] as string).toLowerCase().replace(/\.$/, "");
}

export interface Raw {
  method: string;
  authority: string;
  target: string;
  headers: [string, string][];
}

/** A request whose method and authority can be read. */
export class Request {
  readonly method: string;
  readonly target: string;
  readonly headers: [string, string][];
  readonly authority: string;
  readonly host: string | undefined;
  constructor({ method, authority, target, headers }: Raw) {
    this.method = method;
    this.target = target;
    this.headers = headers.map(([name, value]) => [name.toLowerCase(), value]);
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/.test(method)) ambiguous();
    const hosts = this.fields("host");
    const [host] = hosts;
    if (hosts.length > 1) ambiguous();
    if (host !== undefined && authority !== "" && host.toLowerCase() !== authority.toLowerCase()) ambiguous();
    this.authority = authority === "" ? (host ?? "") : authority;
    this.host = hostOf(this.authority);
  }
  fields(name: string): string[] {
    return this.headers.filter(([one]) => one === name).map(([, value]) => value);
  }
  spelled(name: string): string[] {
    return this.headers.filter(([one]) => one.replaceAll("_", "-") === name).map(([, value]) => value);
  }
  get cookies(): [string, string][] {
    const parts = this.fields("cookie").flatMap((value) => value.split(";"));
    return parts.filter((part) => part.includes("=")).map((part) => pair(part.trim()));
  }
  get parameters(): { whole: string; name: string; value: string }[] {
    const at = this.target.indexOf("?");
    if (at < 0 || at === this.target.length - 1) return [];
    return this.target.slice(at + 1).split("&").map((whole) => {
      const [name, value] = pair(whole);
      return { whole, name, value };
    });
  }
}

function pair(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at).trim(), text.slice(at + 1)];
}
