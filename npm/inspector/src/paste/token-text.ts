// Finds the token in a pasted text: a header, a command, a cookie, the response of a token endpoint. What it finds is not changed, only unwrapped.

/** A token and its place in the text. */
export interface Found {
  readonly token: string;
  /** The name before it, such as `access_token` or `Authorization`; empty if there is none. */
  readonly place: string;
}

export interface TokenText {
  /** The token that the page shows; empty if the field is. */
  readonly token: string;
  /** How it was read, in a sentence; empty if the text is only the token. */
  readonly how: string;
  /** Other tokens of the text. */
  readonly others: readonly Found[];
}

/** A signed token has three parts, an encrypted one five. The first part, a JSON object in base64url, begins with `ey`. */
const TOKEN = /(?<![\w.-])ey[\w-]+(?:\.[\w-]*){2,4}=*(?![\w-])/g;
const ONLY_TOKEN = /^ey[\w-]+(?:\.[\w-]*){2,4}=*$/;
/** What is before a token: a name, and perhaps the scheme of the credential. */
const NAME = /([\w.-]+)["']?\s*[:=]\s*["']?(?:(?:bearer|dpop|jwt|token)\s+)?["']?$/i;
const SCHEME = /^(?:authorization\s*[:=]\s*)?["']?(?:bearer|dpop|jwt)\s+/i;

export function readToken(pasted: string): TokenText {
  const text = pasted.trim();
  if (ONLY_TOKEN.test(text)) return plain(text);
  const listed = inJson(text);
  if (listed.length > 0) return chosen(listed);
  const bare = unquoted(unquoted(text.replace(/^[ \t]*>+ ?/gm, "")).replace(SCHEME, ""));
  if (ONLY_TOKEN.test(bare)) return { token: bare, how: SCHEME.test(unquoted(text)) ? "" : "read without its quotes", others: [] };
  const found = inText(text);
  // Parts of a wrapped token are no tokens of their own.
  const joined = bare.replace(/["'`]?\s*[+\\]?\s+["'`]?/g, "");
  if (found.length < 2 && ONLY_TOKEN.test(joined)) return { token: joined, how: "read without its line breaks and spaces: a gate refuses a token that has them", others: [] };
  return found.length > 0 ? chosen(found) : plain(bare);
}

function plain(token: string): TokenText {
  return { token, how: "", others: [] };
}

function chosen([first, ...others]: readonly Found[]): TokenText {
  if (!first) return plain("");
  return { token: first.token, how: first.place === "" ? "read from the text around it" : `read from \`${first.place}\``, others };
}

/** The text without the quotes around it. */
function unquoted(text: string): string {
  return /^(["'`])([^]*)\1[,;]?$/.exec(text.trim())?.[2]?.trim() ?? text.trim();
}

/** The names under which token endpoints and libraries give tokens. The first one is for services, whatever it looks like. */
const MEMBERS = ["access_token", "accessToken", "id_token", "idToken", "token", "jwt"];

/** The tokens in a JSON document. */
function inJson(text: string): Found[] {
  if (!/^[[{]/.test(text)) return [];
  try {
    return inValue(JSON.parse(text), "", 0).sort((a, b) => rank(a) - rank(b));
  } catch {
    return [];
  }
}

function rank({ place }: Found): number {
  const at = MEMBERS.indexOf(place);
  return at < 0 ? MEMBERS.length : at;
}

function inValue(value: unknown, place: string, depth: number): Found[] {
  if (typeof value === "string") {
    const isNamed = rank({ place, token: value }) < 2 && value !== "";
    return isNamed || ONLY_TOKEN.test(value) ? [{ token: value, place }] : [];
  }
  if (typeof value !== "object" || value === null || depth > DEEPEST) return [];
  return Object.entries(value).flatMap(([name, inner]) => inValue(inner, Array.isArray(value) ? place : name, depth + 1));
}

const DEEPEST = 5;

/** The tokens in any other text, each once. */
function inText(text: string): Found[] {
  const found = new Map<string, Found>();
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const before = text.slice(Math.max(0, index - 100), index);
    if (!found.has(token)) found.set(token, { token, place: NAME.exec(before)?.[1] ?? "" });
  }
  return [...found.values()];
}
