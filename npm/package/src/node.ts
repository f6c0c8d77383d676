// Node.js itself: what its servers have in common, and upgrades.

import { answerBody, answerHeaders } from "./answer.js";
import type { Denial, Grant } from "./decision.js";
import { applyGrant } from "./apply.js";
import { type GateSource, opener } from "./opener.js";
import type { Head } from "./request.js";

export { applyGrant } from "./apply.js";

/** `http.IncomingMessage`, `http2.Http2ServerRequest` and what frameworks make of them. */
export interface Incoming {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: { [name: string]: string | string[] | undefined };
  readonly rawHeaders: string[];
}

/** The part of a socket that a denial is written to. */
export interface DeniedSocket {
  readonly destroyed: boolean;
  end(text: string): unknown;
  on(event: "error", listener: () => void): unknown;
}

const ABSOLUTE = /^https?:\/\/([^/?#]+)(\/[^#]*)$/;

/** The request as it was sent: `headers` has dropped what was sent twice. */
export function head({ method = "", url = "", headers, rawHeaders }: Incoming, target = url): Head {
  const [, authority, path] = ABSOLUTE.exec(target) ?? [];
  // In HTTP/1 in origin form there is none: the gate reads `host`.
  return { method, authority: authority ?? String(headers[":authority"] ?? ""), target: path ?? target, headers: pairs(rawHeaders) };
}

function pairs(raw: readonly string[]): Iterable<[string, string]> {
  return {
    *[Symbol.iterator]() {
      for (let index = 0; index + 1 < raw.length; index += 2) yield [raw[index]!, raw[index + 1]!];
    },
  };
}

/**
 * For `server.on("upgrade", …)`, which no middleware sees: `granted` is called for requests that may pass, with the headers of the grant; all others are
 * answered, and their sockets closed.
 */
export function upgrade<Request extends Incoming, Socket extends DeniedSocket, First>(
  gate: GateSource,
  granted: (request: Request, socket: Socket, first: First, grant: Grant) => void,
): (request: Request, socket: Socket, first: First) => Promise<void> {
  const check = opener(gate);
  return async (request, socket, first) => {
    // A client that goes away meanwhile is no fault of the process.
    socket.on("error", () => {});
    const decision = await check(head(request));
    if (socket.destroyed) return;
    if (!decision.allow) {
      socket.end(refusal(decision));
      return;
    }
    applyGrant(request, decision);
    queueMicrotask(() => granted(request, socket, first, decision));
  };
}

function refusal(denial: Denial): string {
  const body = answerBody(denial);
  const headers = [...answerHeaders(denial), ["content-length", String(new TextEncoder().encode(body).length)], ["connection", "close"]];
  return `HTTP/1.1 ${denial.status} Denied\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}
