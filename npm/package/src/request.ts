/** A request of any HTTP stack. */
export interface Head {
  readonly method: string;
  /** `Host` or `:authority`; empty where there is none. */
  readonly authority: string;
  /** Origin form, query included, as it was sent. */
  readonly target: string;
  /** A repeated name is repeated. One character of a value is one byte. */
  readonly headers: Iterable<readonly [name: string, value: string]>;
}

/** More than any server takes. */
const MOST_CHARACTERS = 1 << 20;

/** What is not even a request: the gate refuses it as ambiguous. */
const NONE: readonly string[] = ["", "", ""];

/** Method, authority, target, then names and values by turns of the headers that the gate reads. Never throws. */
export function strings(request: Request | Head, reads: ReadonlySet<string>): readonly string[] {
  try {
    const read = "url" in request ? ofRequest(request, reads) : ofHead(request, reads);
    let characters = 0;
    for (const string of read) characters += string.length;
    return characters <= MOST_CHARACTERS && read.every((string) => typeof string === "string") ? read : NONE;
  } catch {
    return NONE;
  }
}

function ofRequest({ method, url, headers }: Request, reads: ReadonlySet<string>): readonly string[] {
  const scheme = url.indexOf("//");
  const authority = scheme + 2;
  const target = url.indexOf("/", authority);
  if (scheme < 0 || target < 0) return NONE;
  const fragment = url.indexOf("#", target);
  const read = [
    method,
    headers.get("host") ?? url.slice(authority, target),
    fragment < 0 ? url.slice(target) : url.slice(target, fragment),
  ];
  for (const name of reads) {
    const value = headers.get(name);
    if (value !== null) read.push(name, value);
  }
  return read;
}

function ofHead({ method, authority, target, headers }: Head, reads: ReadonlySet<string>): string[] {
  const read = [method, authority, target];
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (reads.has(lower)) read.push(lower, value);
  }
  return read;
}
