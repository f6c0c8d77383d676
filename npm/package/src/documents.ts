// Fetches the documents that the gate needs, and sends its requests, within its bounds.

import type { FetchFault } from "./events.js";

/** A document that the policy names, at one address. */
export interface Document {
  readonly source: number;
  /** The issuer's name in the policy. */
  readonly issuer: string;
  readonly kind: "discovery" | "jwks" | "revocations" | "api_keys";
  readonly uri: string;
  /** Of its fetch, if they are known. They can contain a secret: never log them. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

/** A document that the gate needs, with the bounds of its fetch. */
export interface Fetch extends Document {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly timeout_ms: number;
  readonly max_bytes: number;
}

/** A request that the gate needs a response to, with the bounds of it. It can contain a token and a secret: never log it. */
export interface Outgoing {
  readonly ticket: number;
  /** The issuer's name in the policy. */
  readonly issuer: string;
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly timeout_ms: number;
  readonly max_bytes: number;
}

/** What a decision waits for. */
export type Need = Fetch | Outgoing;

/** A fetched document, and the time of its fetch. */
export interface Known extends Omit<Document, "source"> {
  readonly answer: Answer;
  readonly atMs: number;
}

/** A server's response. */
export interface Answer {
  readonly status: number;
  readonly cacheControl: string;
  readonly body: Uint8Array;
  readonly etag?: string | null;
}

/** Why there is no response. */
export interface Failed {
  readonly failed: FetchFault;
}

/** The response; `undefined` if there is none. */
export function answerOf(fetched: Answer | Failed): Answer | undefined {
  return "failed" in fetched ? undefined : fetched;
}

/** A function like `fetch`. */
export type Fetcher = (uri: string, init: RequestInit) => Promise<Response>;

type Bounds = Pick<Fetch, "uri" | "timeout_ms" | "max_bytes">;

/** The response, or why there is none. A redirect is a response with a status other than 200. */
export function fetchDocument({ headers = [], ...bounds }: Bounds & Partial<Pick<Fetch, "headers">>, fetcher: Fetcher, init: RequestInit): Promise<Answer | Failed> {
  const sent = { ...init, headers: [["accept", "application/json"], ...pairs(headers)] as [string, string][] };
  return fetchWithin(bounds, fetcher, headers.length === 0 ? sent : { ...sent, ...UNCACHED });
}

/** What a secret gave is for one process only: Cloudflare must not cache it. */
const UNCACHED = { cf: undefined };

function pairs(headers: Fetch["headers"]): [string, string][] {
  return headers.map(([name, value]) => [name, value]);
}

/** The same for a request of the gate. */
export function sendRequest(request: Outgoing, fetcher: Fetcher, init: RequestInit): Promise<Answer | Failed> {
  const { method, headers, body } = request;
  // `GET` may have no body, not even an empty one.
  return fetchWithin(request, fetcher, { ...init, ...UNCACHED, method, headers: pairs(headers), body: body === "" ? null : body });
}

/** The response to a request within these bounds, or why there is none. Never throws. */
export async function fetchWithin({ uri, timeout_ms, max_bytes }: Bounds, fetcher: Fetcher, init: RequestInit): Promise<Answer | Failed> {
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const timeout = new Promise<Failed>((resolve) => {
      timer = setTimeout(() => resolve({ failed: "timeout" }), timeout_ms);
    });
    const answered = fetcher(uri, { ...init, redirect: "manual", signal: abort.signal });
    // After the timeout, nothing else would handle an error of the fetch.
    const answer = answered.then((response) => read(response, max_bytes)).catch(failureOf);
    return await Promise.race([answer, timeout]);
  } catch (fault) {
    return failureOf(fault);
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

/** Node.js and Bun say why in a code, of the error or of its cause. Other runtimes have only words, which are not stable. */
function failureOf(fault: unknown): Failed {
  const { code, cause } = (fault ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  const said = String(cause?.code ?? code ?? "");
  if (/^(ENOTFOUND|EAI_)/.test(said)) return { failed: "dns" };
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_|EPROTO/.test(said)) return { failed: "tls" };
  return { failed: said.includes("TIMEOUT") || said === "ETIMEDOUT" ? "timeout" : "connection" };
}

async function read(response: Response, maxBytes: number): Promise<Answer | Failed> {
  const { status, headers } = response;
  const cacheControl = headers.get("cache-control") ?? "";
  const etag = headers.get("etag");
  if (status !== 200) return { status, cacheControl, etag, body: new Uint8Array() };
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    length += part.value.length;
    if (length > maxBytes) {
      await reader?.cancel();
      return { failed: "too_large" };
    }
    chunks.push(part.value);
  }
  const body = new Uint8Array(length);
  let place = 0;
  for (const chunk of chunks) {
    body.set(chunk, place);
    place += chunk.length;
  }
  return { status, cacheControl, etag, body };
}
