import { type Connection, frame, keep } from "./connection.js";

/** A request of any HTTP stack. */
export interface Head {
  readonly method: string;
  /** The `:authority` of HTTP/2 and 3, or the authority of a target in absolute form. Empty for others: the gate reads their `host`. */
  readonly authority: string;
  /** As it was sent, with the query. Of a target in absolute form, only the part after the authority. */
  readonly target: string;
  /** The fields in order, repeated names repeated. Each character of a value is one byte. */
  readonly headers: Iterable<readonly [name: string, value: string]>;
  /** What the server knows about the connection, for tokens that are bound to their sender. */
  readonly connection?: Connection | undefined;
}

/** A request as the module reads it: its texts, and the bytes that belong after the fourth. */
export interface Asked {
  readonly strings: readonly string[];
  readonly bytes: Uint8Array;
}

/** More than any server accepts. */
const MOST_CHARACTERS = 1 << 20;

/** For a value that is no request: the gate refuses it as ambiguous. */
const NONE: Asked = { strings: ["", "", "", "", "", ""], bytes: new Uint8Array() };

/** Method, authority, target and connection, then the name and the value of each header that the gate reads. Never throws. */
export function asked(request: Request | Head, reads: ReadonlySet<string>): Asked {
  try {
    const head = "url" in request ? headOf(request) : request;
    if (!head) return NONE;
    const { texts, bytes } = frame(head.connection);
    const strings = [head.method, head.authority, head.target, ...texts];
    addHeaders(strings, head.headers, reads);
    let characters = 0;
    for (const string of strings) characters += string.length;
    return characters <= MOST_CHARACTERS && strings.every((string) => typeof string === "string") ? { strings, bytes } : NONE;
  } catch {
    return NONE;
  }
}

/** The request as it is now, for a second reading: some headers can be iterated only once, and handlers may change them. Never throws. */
export function copied(request: Request | Head): Request | Head {
  try {
    const head = "url" in request ? headOf(request) : request;
    return head ? { ...head, headers: [...head.headers] } : request;
  } catch {
    return request;
  }
}

/** The scheme is that of the URL, as the authority is. `undefined` if the URL has no authority. */
export function headOf({ method, url, headers }: Request, connection: Connection = schemeOf(url)): Head | undefined {
  const scheme = url.indexOf("//");
  const authority = scheme + 2;
  const target = url.indexOf("/", authority);
  if (scheme < 0 || target < 0) return undefined;
  const fragment = url.indexOf("#", target);
  return { method, authority: url.slice(authority, target), target: fragment < 0 ? url.slice(target) : url.slice(target, fragment), headers, connection };
}

const HTTPS: Connection = keep({ scheme: "https" });
const HTTP: Connection = keep({ scheme: "http" });

function schemeOf(url: string): Connection {
  return url.startsWith("https:") ? HTTPS : HTTP;
}

function addHeaders(read: string[], headers: Head["headers"], reads: ReadonlySet<string>): void {
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (reads.has(lower) || (lower.includes("_") && reads.has(folded(lower)))) read.push(lower, value);
  }
}

/** Two names have the same result if CGI, WSGI and PHP read them as the same variable. */
export function folded(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}
