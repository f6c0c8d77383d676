// For servers of Node.js without an adapter of their own, and for upgrades.

import { answerBody, answerHeaders } from "./answer.js";
import type { Answer, Denial, Grant } from "./decision.js";
import type { Gate } from "./gate.js";
import { applyGrant } from "./apply.js";
import type { Incoming } from "./incoming.js";
import { observer } from "./observer.js";
import { type AdapterOptions, type GateSource, opener } from "./opener.js";
import { READY_HEADERS, readiness } from "./ready.js";
import type { Head } from "./request.js";
import { connectionOf } from "./socket.js";

export { applyGrant } from "./apply.js";
export type { Incoming } from "./incoming.js";

/** The part of a socket that a denial is written to. */
export interface DeniedSocket {
  readonly destroyed: boolean;
  end(text: string): unknown;
  on(event: "error", listener: () => void): unknown;
}

/** The part of a response of Node.js that the readiness is written to. */
export interface ReadyResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

const ABSOLUTE = /^https?:\/\/([^/?#]+)(\/[^#]*)$/;

/** The request as it was sent, and its connection. It reads `rawHeaders`, because `headers` drops some repeated fields. */
export function head(request: Incoming, target = request.url ?? ""): Head {
  const { method = "", headers, rawHeaders } = request;
  const [, authority, path] = ABSOLUTE.exec(target) ?? [];
  // HTTP/1 in origin form has no authority: the gate reads `host`.
  return { method, authority: authority ?? String(headers[":authority"] ?? ""), target: path ?? target, headers: pairs(rawHeaders), connection: connectionOf(request) };
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
): (request: Request, socket: Socket, first: First) => Promise<void>;
/** With `observe`, **it protects nothing**: every upgrade is granted as it came, and the gate's hooks are told the decision. */
export function upgrade<Request extends Incoming, Socket extends DeniedSocket, First>(
  gate: GateSource,
  granted: (request: Request, socket: Socket, first: First) => void,
  options: { readonly observe: true },
): (request: Request, socket: Socket, first: First) => Promise<void>;
export function upgrade<Request extends Incoming, Socket extends DeniedSocket, First>(
  gate: GateSource,
  granted: (request: Request, socket: Socket, first: First, grant: Grant) => void,
  { observe }: Pick<AdapterOptions, "observe"> = {},
): (request: Request, socket: Socket, first: First) => Promise<void> {
  if (observe) {
    const observed = observer(gate);
    return async (request, socket, first) => {
      observed(() => head(request));
      // The handler of an observed upgrade takes no grant.
      granted(request, socket, first, undefined as never);
    };
  }
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

/**
 * A handler for the readiness probe (`/readyz`) of Express, Connect and plain `http`: 200 if the gate is ready, else 503, also if it does not open. Put it in
 * front of the gate's middleware.
 */
export function readyHandler(gate: Gate | Promise<Gate>): (request: unknown, response: ReadyResponse) => Promise<void> {
  return async (_, response) => {
    const { status, body } = await Promise.resolve(gate).then((opened) => readiness(opened), () => ({ status: 503, body: JSON.stringify({ ready: false, missing: [] }) }));
    response.statusCode = status;
    for (const [name, value] of READY_HEADERS) response.setHeader(name, value);
    response.end(body);
  };
}

function refusal(decision: Denial | Answer, isHead: boolean): string {
  const body = answerBody(decision);
  const headers = [...answerHeaders(decision), ["content-length", String(new TextEncoder().encode(body).length)], ["connection", "close"]];
  const phrase = decision.code === null ? "Answered" : "Denied";
  return `HTTP/1.1 ${decision.status} ${phrase}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${isHead ? "" : body}`;
}
