// What the servers of Node.js have in common: requests with raw headers.

import { withoutCookies } from "./answer.js";
import type { Grant } from "./decision.js";
import type { Head } from "./request.js";

/** `http.IncomingMessage`, `http2.Http2ServerRequest` and what frameworks make of them. */
export interface Incoming {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: { [name: string]: string | string[] | undefined };
  readonly rawHeaders: string[];
}

/** The request as it was sent: `headers` has dropped what was sent twice. */
export function head({ method = "", url = "", headers, rawHeaders }: Incoming, target = url): Head {
  const authority = headers[":authority"] ?? headers["host"] ?? "";
  return { method, authority: String(authority), target, headers: pairs(rawHeaders) };
}

function pairs(raw: readonly string[]): Iterable<[string, string]> {
  return {
    *[Symbol.iterator]() {
      for (let index = 0; index + 1 < raw.length; index += 2) yield [raw[index]!, raw[index + 1]!];
    },
  };
}

/** Changes the request's headers to what the service behind the gate shall see. */
export function applyGrant(request: Incoming, { removeHeaders, removeCookies, setHeaders }: Grant): void {
  const set = new Map(setHeaders);
  for (const name of [...removeHeaders, ...set.keys()]) replace(request, name, set.get(name));
  const cookies = removeCookies.length > 0 ? request.headers["cookie"] : undefined;
  if (typeof cookies === "string") replace(request, "cookie", withoutCookies(cookies, removeCookies) || undefined);
}

function replace({ headers, rawHeaders }: Incoming, name: string, value: string | undefined): void {
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
    if (rawHeaders[index]!.toLowerCase() === name) rawHeaders.splice(index, 2);
  }
  delete headers[name];
  if (value === undefined) return;
  rawHeaders.push(name, value);
  headers[name] = value;
}
