// Applies a grant to a request of Node.js, in every view that a handler can read.

import type { Grant } from "./decision.js";
import { targetOf } from "./answer.js";
import type { Incoming } from "./incoming.js";
import { folded } from "./request.js";

interface Views extends Incoming {
  readonly headersDistinct?: { [name: string]: string[] | undefined };
}

/** Removes the grant's headers, then sets them, then applies its `changes`. A target that the grant sets is `request.url` (and `originalUrl`). */
export function applyGrant(request: Incoming, grant: Grant): void {
  const { removeHeaders, setHeaders, changes } = grant;
  // Node.js builds them from `rawHeaders` at the first access, which must come before `rawHeaders` changes.
  const views = [request.headers, (request as Views).headersDistinct ?? {}];
  const removed = new Set([...removeHeaders, ...setHeaders.map(([name]) => name)].map(folded));
  remove(request.rawHeaders, views, (name) => removed.has(folded(name)));
  hideTrailers(request, removed);
  for (const [name, value] of setHeaders) set(request, name, value);
  for (const change of changes) {
    if (change.kind === "set_target") continue;
    const name = change.name.toLowerCase();
    remove(request.rawHeaders, views, (other) => other.toLowerCase() === name);
    if (change.kind === "set_header") set(request, name, change.value);
  }
  const target = targetOf(grant);
  if (target !== undefined) retarget(request, target);
}

/** The parts of a request, in Node.js, Express and Fastify, that say its target. */
interface Targeted {
  url?: string | undefined;
  originalUrl?: string | undefined;
  /** The path at which an Express router is mounted. `url` begins after it. */
  readonly baseUrl?: string;
  query?: unknown;
}

function retarget(request: Targeted, target: string): void {
  const { url = "", baseUrl = "" } = request;
  if (!target.startsWith(baseUrl)) throw new Error("the target is not below the router");
  const rest = target.slice(baseUrl.length);
  // A target in absolute form stays one: Express counts on it.
  const origin = /^https?:\/\/[^/?#]*/.exec(url)?.[0] ?? "";
  request.url = origin + (rest.startsWith("/") ? rest : `/${rest}`);
  if (request.originalUrl !== undefined) request.originalUrl = origin + target;
  // Express 4 has parsed the query already; Express 5 parses it at each access.
  if (Object.hasOwn(request, "query")) dropFromQuery(request.query, url, target);
}

/** Removes from a parsed query what the new target does not have: no parser is run again, for applications bring their own. */
export function dropFromQuery(query: unknown, before: string, after: string): void {
  const read = (target: string) => new URLSearchParams(target.includes("?") ? target.slice(target.indexOf("?")) : "");
  const left = read(after);
  for (const name of read(before).keys()) if (!left.has(name)) delete (query as Record<string, unknown> | undefined)?.[name];
}

function remove(raw: string[], views: readonly object[], isRemoved: (name: string) => boolean): void {
  for (let index = raw.length - 2; index >= 0; index -= 2) if (isRemoved(raw[index]!)) raw.splice(index, 2);
  for (const view of views) for (const name of Object.keys(view)) if (isRemoved(name)) delete (view as Record<string, unknown>)[name];
}

function set(request: Views, name: string, value: string): void {
  request.rawHeaders.push(name, value);
  request.headers[name] = value;
  if (request.headersDistinct) request.headersDistinct[name] = [value];
}

/** Trailers arrive after the body, when the gate has already decided: hides those with a removed name. */
function hideTrailers(request: object, removed: ReadonlySet<string>): void {
  if (removed.size === 0) return;
  const isRemoved = (name: string) => removed.has(folded(name));
  const define = (view: string, access: { get(): unknown; set?(value: never): void }) => Object.defineProperty(request, view, { configurable: true, enumerable: true, ...access });
  // Node.js sets `rawTrailers` when they arrive, and builds the other views from it.
  let whole = false;
  let written = (request as { rawTrailers?: string[] }).rawTrailers ?? [];
  const raw = inherited(request, "rawTrailers");
  const all = () => (raw ? (raw.call(request) as string[]) : written);
  define("rawTrailers", {
    get: () => (whole ? all() : all().filter((_, index, names) => !isRemoved(names[index - (index % 2)]!))),
    set: (trailers: string[]) => void (written = trailers),
  });
  for (const view of ["trailers", "trailersDistinct"]) {
    const get = inherited(request, view);
    if (get === undefined) continue;
    define(view, {
      get: () => {
        whole = true;
        const trailers = get.call(request) as object;
        whole = false;
        remove([], [trailers], isRemoved);
        return trailers;
      },
    });
  }
}

function inherited(request: object, name: string): (() => unknown) | undefined {
  for (let kind: object | null = Object.getPrototypeOf(request); kind; kind = Object.getPrototypeOf(kind)) {
    const get = Object.getOwnPropertyDescriptor(kind, name)?.get;
    if (get) return get;
  }
  return undefined;
}
