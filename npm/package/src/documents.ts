// Fetches the documents that the gate needs, within its bounds.

/** A document that the policy names, at one address. */
export interface Document {
  readonly source: number;
  /** The issuer's name in the policy. */
  readonly issuer: string;
  readonly kind: "discovery" | "jwks" | "revocations";
  readonly uri: string;
}

/** A document that the gate needs, with the bounds of its fetch. */
export interface Fetch extends Document {
  readonly timeout_ms: number;
  readonly max_bytes: number;
}

/** A fetched document, and the time of its fetch. */
export interface Known {
  readonly issuer: string;
  readonly kind: Document["kind"];
  readonly uri: string;
  readonly answer: Answer;
  readonly atMs: number;
}

/** A server's response. */
export interface Answer {
  readonly status: number;
  readonly cacheControl: string;
  readonly body: Uint8Array;
}

/** A function like `fetch`. */
export type Fetcher = (uri: string, init: RequestInit) => Promise<Response>;

/** The response, or `undefined` if the fetch failed, timed out or was too large. A redirect is a response with a status other than 200. */
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
    // After the timeout, nothing else would handle an error of the fetch.
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
