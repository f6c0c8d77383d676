/** A request of any HTTP stack. */
export interface Head {
  readonly method: string;
  /** The `:authority` of HTTP/2 and 3, or the authority of a target in absolute form. Empty for others: the gate reads their `host`. */
  readonly authority: string;
  /** As it was sent, with the query. Of a target in absolute form, only the part after the authority. */
  readonly target: string;
  /** The fields in order, repeated names repeated. Each character of a value is one byte. */
  readonly headers: Iterable<readonly [name: string, value: string]>;
}

/** More than any server accepts. */
const MOST_CHARACTERS = 1 << 20;

/** For a value that is no request: the gate refuses it as ambiguous. */
const NONE: readonly string[] = ["", "", ""];

/** Method, authority and target, then the name and the value of each header that the gate reads. Never throws. */
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
  return ofHead({ method, authority: url.slice(authority, target), target: fragment < 0 ? url.slice(target) : url.slice(target, fragment), headers }, reads);
}

function ofHead({ method, authority, target, headers }: Head, reads: ReadonlySet<string>): string[] {
  const read = [method, authority, target];
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (reads.has(lower) || (lower.includes("_") && reads.has(folded(lower)))) read.push(lower, value);
  }
  return read;
}

/** Two names have the same result if CGI, WSGI and PHP read them as the same variable. */
export function folded(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}
