// Strict JSON (header.json, claims.json, claims.surrogates, claims.numbers).

/** A number with the text of it. */
export class Num {
  readonly value: number;
  readonly text: string;
  constructor(text: string) {
    this.text = text;
    this.value = Number(text);
  }
}
export type Json = null | boolean | string | Num | Json[] | Map<string, Json>;

export class Fault extends Error {}

/** Reads one value; `member` is told of each member of the outermost object, as it is read. */
export class Reader {
  at = 0;
  readonly #text: string;
  readonly #depth: number;
  readonly #members: number;
  constructor(text: string, depth = 16, members = 256) {
    this.#text = text;
    this.#depth = depth;
    this.#members = members;
  }

  whole(member?: (name: string, value: Json) => void): Json {
    const value = this.value(this.#depth, member);
    this.#space();
    if (this.at < this.#text.length) throw new Fault("more behind it");
    return value;
  }

  value(depth: number, member?: (name: string, value: Json) => void): Json {
    this.#space();
    const first = this.#text[this.at];
    if (first === "{") return this.#object(depth, member);
    if (first === "[") return this.#array(depth);
    if (first === '"') return this.#string();
    for (const [word, value] of [["true", true], ["false", false], ["null", null]] as const) {
      if (this.#text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    const number = /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
    number.lastIndex = this.at;
    const text = number.exec(this.#text)?.[0];
    if (text === undefined || !Number.isFinite(Number(text))) throw new Fault("no value");
    this.at += text.length;
    return new Num(text);
  }

  #object(depth: number, member?: (name: string, value: Json) => void): Json {
    if (depth === 0) throw new Fault("too deep");
    const found = new Map<string, Json>();
    this.at++;
    this.#space();
    for (let more = this.#text[this.at] !== "}"; more; more = this.#more("}")) {
      this.#space();
      const name = this.#string();
      this.#space();
      this.#expect(":");
      if (found.has(name)) throw new Fault("a name twice");
      const value = this.value(depth - 1);
      found.set(name, value);
      member?.(name, value);
      if (found.size > this.#members) throw new Fault("too many members");
    }
    this.#expect("}");
    return found;
  }

  #array(depth: number): Json {
    if (depth === 0) throw new Fault("too deep");
    const found: Json[] = [];
    this.at++;
    this.#space();
    for (let more = this.#text[this.at] !== "]"; more; more = this.#more("]")) found.push(this.value(depth - 1));
    this.#expect("]");
    return found;
  }

  #string(): string {
    const text = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/y;
    text.lastIndex = this.at;
    const raw = text.exec(this.#text)?.[0];
    if (raw === undefined) throw new Fault("no text");
    this.at += raw.length;
    const value = JSON.parse(raw) as string;
    if (!value.isWellFormed()) throw new Fault("half a pair");
    return value;
  }

  #more(end: string): boolean {
    this.#space();
    if (this.#text[this.at] === end) return false;
    this.#expect(",");
    return true;
  }

  #expect(letter: string): void {
    if (this.#text[this.at] !== letter) throw new Fault(`no ${letter}`);
    this.at++;
  }

  #space(): void {
    while (" \t\n\r".includes(this.#text[this.at] ?? "x")) this.at++;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function strictJson(data: Uint8Array | string, depth = 16, members = 256): Json {
  try {
    return new Reader(typeof data === "string" ? data : utf8.decode(data), depth, members).whole();
  } catch {
    throw new Fault("no strict JSON");
  }
}

/** issuer.routing: a member that can be read before a fault. */
export function firstMember(data: Uint8Array, wanted: string, depth: number, members: number): { found: boolean; fault: boolean; value?: Json } {
  let found: { found: boolean; fault: boolean; value?: Json } = { found: false, fault: false };
  const told = (name: string, value: Json) => {
    if (name === wanted && !found.found) found = { found: true, fault: false, value };
  };
  // Bytes that are no UTF-8 are a fault where they stand.
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(data);
  let clean = text;
  try {
    utf8.decode(data);
  } catch {
    clean = text.slice(0, badFrom(data));
  }
  try {
    const value = new Reader(clean, depth, members).whole(told);
    if (!(value instanceof Map)) found.fault = true;
  } catch {
    found.fault = true;
  }
  return found;
}

function badFrom(data: Uint8Array): number {
  let low = 0;
  for (let end = 1; end <= data.length; end++) {
    try {
      low = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data.subarray(0, end), { stream: true }).length;
    } catch {
      return low;
    }
  }
  return low;
}

/** The text of the value at a pointer, as it was sent. */
export function rawAt(text: string, path: string[]): string | undefined {
  const reader = new Reader(text, 64, 1e9);
  const start = (): number => {
    while (" \t\n\r".includes(text[reader.at] ?? "x")) reader.at++;
    return reader.at;
  };
  const find = (at: number): string | undefined => {
    const from = start();
    if (at === path.length) {
      reader.value(64);
      return text.slice(from, reader.at);
    }
    const opening = text[from];
    if (opening !== "{" && opening !== "[") return undefined;
    reader.at++;
    for (let index = 0; !"}]".includes(text[start()] ?? "}"); index++) {
      const key = opening === "{" ? String(reader.value(1)) : String(index);
      if (opening === "{") reader.at = start() + 1;
      if (key === path[at]) return find(at + 1);
      reader.value(64);
      if (text[start()] === ",") reader.at++;
    }
    return undefined;
  };
  return find(0);
}
