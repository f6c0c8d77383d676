// Reading claims, and conditions on them (How a claim is read; condition.*).

import { type Json, Num, strictJson } from "./json.ts";

/** A source of a policy: a pointer, or an object with `claim`. */
export type Source = string | { claim: string; as?: "keys" | "json"; at?: Source; separator?: string };
export type Spec = Record<string, any>;

/** A claim that its source cannot read. */
export const UNREADABLE = Symbol("unreadable");
export type Found = Json | undefined | typeof UNREADABLE;

/** condition.pointer: RFC 6901; without a slash, one member. */
export function segments(pointer: string): string[] {
  if (pointer === "") return [];
  if (!pointer.startsWith("/")) return [pointer];
  return pointer.slice(1).split("/").map((one) => one.replaceAll("~1", "/").replaceAll("~0", "~"));
}

export function pointed(claims: Json, pointer: string): Json | undefined {
  let value: Json | undefined = claims;
  for (const name of segments(pointer)) {
    if (value instanceof Map) value = value.get(name);
    else if (Array.isArray(value) && /^(0|[1-9][0-9]*)$/.test(name)) value = value[Number(name)];
    else return undefined;
  }
  return value;
}

export function pointerOf(source: Source): string {
  return typeof source === "string" ? source : source.claim;
}

/** source.*. */
export function read(claims: Json, source: Source, limits: [number, number] = [16, 256]): Found {
  return typeof source === "string" ? pointed(claims, source) : shaped(pointed(claims, source.claim), source, limits);
}

export function shaped(value: Json | undefined, source: Spec, limits: [number, number] = [16, 256]): Found {
  if (source.as === "json") {
    let inner = value;
    if (typeof value === "string") {
      try {
        inner = strictJson(value, ...limits);
      } catch {
        return UNREADABLE;
      }
    }
    return source.at === undefined || inner === undefined ? inner : read(inner, source.at, limits);
  }
  const isPlain = value === undefined || value === null || isTexts(value);
  if (source.as === "keys") {
    if (value instanceof Map) return [...value].filter(([, one]) => one !== false && one !== null).map(([name]) => name);
    return isPlain ? value : UNREADABLE;
  }
  if (source.separator !== undefined) {
    if (typeof value === "string") return value.split(source.separator).map(unspaced).filter((one) => one !== "");
    return isPlain ? value : UNREADABLE;
  }
  return value;
}

function unspaced(text: string): string {
  return text.replace(/^ +| +$/g, "");
}

export function isTexts(value: Found): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

/** condition.there. */
export function isThere(value: Found): value is Exclude<Json, null> {
  return value !== undefined && value !== null && value !== UNREADABLE;
}

/** True, false, or undefined for unknown (condition.unknown). */
export type Truth = boolean | undefined;
/** A value of the request that a condition compares; undefined is unknown. */
export type Values = (operand: Spec) => string | undefined;

const SOURCE_WORDS = ["as", "at", "separator"];
const WORDS = ["equals", "one_of", "contains", "starts_with", "ends_with", "some", "every", "present", "not", "all_of", "any_of"];

export function holds(claims: Json, pointer: string, condition: unknown, values?: Values): Truth {
  const value = pointed(claims, pointer);
  const reads = isSpec(condition) && SOURCE_WORDS.some((word) => word in condition);
  return truth(reads ? shaped(value, condition) : value, condition, values);
}

export function isSpec(value: unknown): value is Spec {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function truth(value: Found, condition: unknown, values?: Values): Truth {
  if (!isSpec(condition)) return equal(value, condition, values);
  const word = WORDS.find((one) => one in condition) as string;
  const operand = condition[word];
  if (word === "present") return value === UNREADABLE ? undefined : isThere(value) === operand;
  if (word === "not") {
    const inner = truth(value, operand, values);
    return inner === undefined ? undefined : !inner;
  }
  if (word === "all_of") return every(operand.map((one: unknown) => truth(value, one, values)));
  if (word === "any_of") return some(operand.map((one: unknown) => truth(value, one, values)));
  if (!isThere(value)) return undefined;
  if (word === "equals") return equal(value, operand, values);
  if (word === "one_of") return some(operand.map((one: unknown) => equal(value, one, values)));
  if (word === "starts_with") return typeof value === "string" ? value.startsWith(operand) : undefined;
  if (word === "ends_with") return typeof value === "string" ? value.endsWith(operand) : undefined;
  if (!Array.isArray(value)) return undefined;
  if (word === "contains") {
    const wanted = resolved(operand, values);
    return wanted === undefined ? undefined : value.some((one) => equal(one, wanted) === true);
  }
  const inner = value.map((one) => itemTruth(one, operand, values));
  if (word === "some") return some(inner);
  return inner.length === 0 ? undefined : every(inner);
}

function itemTruth(item: Json, condition: unknown, values?: Values): Truth {
  const isByPointers = isSpec(condition) && ![...WORDS, ...SOURCE_WORDS].some((word) => word in condition);
  if (!isByPointers) return truth(item, condition, values);
  if (!(item instanceof Map)) return undefined;
  return every(Object.entries(condition).map(([pointer, one]) => holds(item, pointer, one, values)));
}

/** condition.all-of. */
function every(inner: Truth[]): Truth {
  return inner.includes(false) ? false : inner.includes(undefined) ? undefined : true;
}

/** condition.any-of. */
function some(inner: Truth[]): Truth {
  return inner.includes(true) ? true : inner.includes(undefined) ? undefined : false;
}

/** condition.equals, condition.numbers. */
function equal(value: Found, wanted: unknown, values?: Values): Truth {
  const operand = resolved(wanted, values);
  if (!isThere(value) || operand === undefined || operand === null) return undefined;
  if (value instanceof Num) {
    if (typeof operand !== "number" || !Number.isSafeInteger(Math.trunc(value.value))) return undefined;
    return value.value === operand;
  }
  const same = (one: Json, other: unknown) => (one === null && other === null) || equal(one, other) === true;
  if (Array.isArray(value)) {
    if (!Array.isArray(operand)) return undefined;
    return value.length === operand.length && value.every((one, index) => same(one, operand[index]));
  }
  if (value instanceof Map) {
    if (!isSpec(operand)) return undefined;
    const names = Object.keys(operand);
    return names.length === value.size && names.every((name) => value.has(name) && same(value.get(name) as Json, operand[name]));
  }
  return typeof value === typeof operand ? value === operand : undefined;
}

function resolved(operand: unknown, values?: Values): unknown {
  const isOfRequest = isSpec(operand) && Object.keys(operand).length === 1 && ("capture" in operand || "header" in operand);
  return values !== undefined && isOfRequest ? values(operand) : operand;
}
