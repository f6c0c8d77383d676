// Fetching what the gate asks for, within its bounds.

/** A document of the policy, at one address. */
export interface Document {
  readonly source: number;
  /** The issuer's name in the policy. */
  readonly issuer: string;
  readonly kind: "discovery" | "jwks" | "revocations";
  readonly uri: string;
}

/** A document that the gate asks for. */
export interface Fetch extends Document {
  readonly timeout_ms: number;
  readonly max_bytes: number;
}

/** A document that somebody has fetched, and when. */
export interface Known {
  readonly issuer: string;
  readonly kind: Document["kind"];
  readonly uri: string;
  readonly answer: Answer;
  readonly atMs: number;
}

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly cacheControl: string;
  readonly body: Uint8Array;
}

/** The runtime's `fetch`, or one like it. */
export type Fetcher = (uri: string, init: RequestInit) => Promise<Response>;

/** What came; `undefined` where nothing did: refused, timed out, too large. A redirect is an answer that is not 200. */
export async function fetchDocument(
  { uri, timeout_ms, max_bytes }: Pick<Fetch, "uri" | "timeout_ms" | "max_bytes">,
  fetcher: Fetcher,
  init: RequestInit,
): Promise<Answer | undefined> {
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const timeout = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), timeout_ms);
    });
    const headers = { accept: "application/json" };
    const answered = fetcher(uri, { ...init, headers, redirect: "manual", signal: abort.signal });
    // A fetch that fails after it was given up has nobody to tell.
    const answer = answered.then((response) => read(response, max_bytes)).catch(() => undefined);
    return await Promise.race([answer, timeout]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

async function read(response: Response, maxBytes: number): Promise<Answer | undefined> {
  const { status, headers } = response;
  const cacheControl = headers.get("cache-control") ?? "";
  if (status !== 200) return { status, cacheControl, body: new Uint8Array() };
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    length += part.value.length;
    if (length > maxBytes) {
      await reader?.cancel();
      return undefined;
    }
    chunks.push(part.value);
  }
  const body = new Uint8Array(length);
  let place = 0;
  for (const chunk of chunks) {
    body.set(chunk, place);
    place += chunk.length;
  }
  return { status, cacheControl, body };
}
