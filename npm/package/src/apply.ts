// Applies a grant to a request of Node.js, in every view that a handler can read.

import type { Grant } from "./decision.js";
import type { Incoming } from "./incoming.js";
import { folded } from "./request.js";

interface Views extends Incoming {
  readonly headersDistinct?: { [name: string]: string[] | undefined };
}

/** Removes the grant's headers, then sets them, then applies its `changes`. */
export function applyGrant(request: Incoming, { removeHeaders, setHeaders, changes }: Grant): void {
  // Node.js builds them from `rawHeaders` at the first access, which must come before `rawHeaders` changes.
  const views = [request.headers, (request as Views).headersDistinct ?? {}];
  const removed = new Set([...removeHeaders, ...setHeaders.map(([name]) => name)].map(folded));
  remove(request.rawHeaders, views, (name) => removed.has(folded(name)));
  hideTrailers(request, removed);
  for (const [name, value] of setHeaders) set(request, name, value);
  for (const { name, value } of changes) {
    remove(request.rawHeaders, views, (other) => other.toLowerCase() === name);
    if (value !== null) set(request, name, value);
  }
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
