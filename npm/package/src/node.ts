// For servers of Node.js without an adapter of their own, and for upgrades.

import { answerBody, answerHeaders } from "./answer.js";
import type { Answer, Denial, Grant } from "./decision.js";
import { applyGrant } from "./apply.js";
import type { Incoming } from "./incoming.js";
import { type GateSource, opener } from "./opener.js";
import type { Head } from "./request.js";

export { applyGrant } from "./apply.js";
export type { Incoming } from "./incoming.js";

/** The part of a socket that a denial is written to. */
export interface DeniedSocket {
  readonly destroyed: boolean;
  end(text: string): unknown;
  on(event: "error", listener: () => void): unknown;
}

const ABSOLUTE = /^https?:\/\/([^/?#]+)(\/[^#]*)$/;

/** The request as it was sent. It reads `rawHeaders`, because `headers` drops some repeated fields. */
export function head({ method = "", url = "", headers, rawHeaders }: Incoming, target = url): Head {
  const [, authority, path] = ABSOLUTE.exec(target) ?? [];
  // HTTP/1 in origin form has no authority: the gate reads `host`.
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
 * A listener for `server.on("upgrade", …)`, because middleware does not run for upgrades. It calls `granted` for allowed requests, with the headers of the
 * grant. It answers all others and closes their sockets.
 */
export function upgrade<Request extends Incoming, Socket extends DeniedSocket, First>(
  gate: GateSource,
  granted: (request: Request, socket: Socket, first: First, grant: Grant) => void,
): (request: Request, socket: Socket, first: First) => Promise<void> {
  const check = opener(gate);
  return async (request, socket, first) => {
    // Without a listener, a client that disconnects meanwhile would end the process with an unhandled error.
    socket.on("error", () => {});
    const decision = await check(head(request));
    if (socket.destroyed) return;
    if (!decision.allow) {
      socket.end(refusal(decision, request.method === "HEAD"));
      return;
    }
    applyGrant(request, decision);
    queueMicrotask(() => granted(request, socket, first, decision));
  };
}

function refusal(decision: Denial | Answer, isHead: boolean): string {
  const body = answerBody(decision);
  const headers = [...answerHeaders(decision), ["content-length", String(new TextEncoder().encode(body).length)], ["connection", "close"]];
  const phrase = decision.code === null ? "Answered" : "Denied";
  return `HTTP/1.1 ${decision.status} ${phrase}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${isHead ? "" : body}`;
}
