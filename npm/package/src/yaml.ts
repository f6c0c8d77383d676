// Policies in YAML: the strict subset of tests/yaml/README.md, which every host reads as the same JSON.

import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar, type YAMLMap, type YAMLSeq } from "yaml";
import { CountersignError } from "./error.js";

/** The limit for nested collections. */
const DEEPEST = 64;

/** The largest size of a policy. */
const LONGEST = 16 << 20;

/**
 * Converts a policy from YAML to JSON: `createGate(fromYaml(text))`. It refuses a text that other YAML readers might read differently.
 * @throws CountersignError with the line and column of the fault.
 */
export function fromYaml(text: string): string {
  if (typeof text !== "string" || text.length > LONGEST) throw refusal("it is not a text, or longer than 16 MiB");
  const fault = faultOfCharacters(text) ?? faultOfMarkers(text);
  if (fault) throw refusal(fault.what, place(text, fault.at));
  // A line break at the end, so that all readers agree on a literal text in the last line.
  const source = text.replaceAll("\r\n", "\n").replace(/[^\n]$/, "$&\n");
  try {
    return new Reader(source).json();
  } catch (fault) {
    if (fault instanceof CountersignError) throw fault;
    // The parser has run out of stack: no real policy is nested so deep.
    throw refusal(`collections nest deeper than ${DEEPEST}`);
  }
}

interface Fault {
  readonly what: string;
  readonly at: number;
}

const CHARACTERS: readonly (readonly [RegExp, string])[] = [
  [/\t/, "a tab: indent with spaces, or write `\\t` in double quotes"],
  [/\r(?!\n)/, "a carriage return without a line feed"],
  [/[\u0085\u2028\u2029]/, "a line break of YAML 1.1 only"],
  [/\ufeff/, "a byte order mark"],
  [/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/, "a control character"],
  [/[\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/, "a code point that is not a character"],
];

function faultOfCharacters(text: string): Fault | undefined {
  for (const [pattern, what] of CHARACTERS) {
    const at = text.search(pattern);
    if (at >= 0) return { what, at };
  }
  return undefined;
}

/** Checks that there is one document. It may begin with a line `---`. */
function faultOfMarkers(text: string): Fault | undefined {
  let begun = false;
  for (const { 0: line, index: at } of text.matchAll(/^.*$/gm)) {
    const bare = line.trim();
    if (line.startsWith("%")) return { what: "a directive", at };
    if (/^\.\.\.(\s|$)/.test(line)) return { what: "an end marker", at };
    if (/^---(\s|$)/.test(line)) {
      if (begun) return { what: "more than one document", at };
      if (bare !== "---") return { what: "`---` must be alone on its line", at };
    }
    begun ||= bare !== "" && !bare.startsWith("#");
  }
  return undefined;
}

/** Words that YAML 1.1 or another reader does not read as a text, in upper or lower case. */
const WORDS = new Set(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<", ".inf", "+.inf", "-.inf", ".nan"]);

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/;
const LIKE_A_NUMBER = /^[-+]?\.?\d/;
const JSON_ESCAPES = /^([^\\]|\\["\\/bfnrt]|\\u(?![dD][89a-fA-F])[\da-fA-F]{4})*$/;

class Reader {
  readonly #source: string;
  readonly #lines = new LineCounter();

  constructor(source: string) {
    this.#source = source;
  }

  json(): string {
    // The schema reads every scalar as a text; this class decides its type. With this `version`, `<<` is an ordinary key.
    const options = { schema: "failsafe", version: "1.2", keepSourceTokens: true, uniqueKeys: false, prettyErrors: false, logLevel: "silent", lineCounter: this.#lines } as const;
    const document = parseDocument(this.#source, options);
    const [fault] = [...document.errors, ...document.warnings];
    if (fault) throw this.#refusal(fault.message, fault.pos[0]);
    return this.#node(document.contents, 0, 0);
  }

  #node(node: Node | null, at: number, depth: number): string {
    if (node === null) throw this.#refusal("there is no value: write `null`", at);
    at = node.range?.[0] ?? at;
    if (isAlias(node)) throw this.#refusal("an alias", at);
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) throw this.#refusal("no value", at);
    if (node.anchor !== undefined) throw this.#refusal("an anchor", at);
    if (node.tag !== undefined) throw this.#refusal("a tag", at);
    if (isScalar(node)) return this.#scalar(node, at);
    if (depth >= DEEPEST) throw this.#refusal(`collections nest deeper than ${DEEPEST}`, at);
    return isMap(node) ? this.#map(node, at, depth + 1) : this.#list(node, at, depth + 1);
  }

  #list(list: YAMLSeq, at: number, depth: number): string {
    return `[${list.items.map((item) => this.#node(item as Node | null, at, depth)).join(",")}]`;
  }

  #map(map: YAMLMap, at: number, depth: number): string {
    if (map.flow && this.#source[at] !== "{") throw this.#refusal("a pair in a list: write it in braces", at);
    const members = new Map<string, string>();
    for (const { key, value, srcToken } of map.items) {
      const start = (key as Node | null)?.range?.[0] ?? at;
      if (srcToken?.start.some(({ type }) => type === "explicit-key-ind")) throw this.#refusal("an explicit key", start);
      if (!isScalar(key)) throw this.#refusal("a key that is not a text", start);
      const name = this.#node(key, start, depth);
      if (!name.startsWith('"')) throw this.#refusal("a key that is not a text: quote it", start);
      if (key.type === "BLOCK_LITERAL") throw this.#refusal("a key must be on one line", start);
      if (members.has(name)) throw this.#refusal("a duplicate key", start);
      members.set(name, this.#node(value as Node | null, start, depth));
    }
    return `{${[...members].map(([name, value]) => `${name}:${value}`).join(",")}}`;
  }

  #scalar({ type, value, range }: Scalar, at: number): string {
    const text = String(value ?? "");
    const written = this.#source.slice(at, range?.[1]);
    if (type === "BLOCK_LITERAL" || type === "BLOCK_FOLDED") {
      if (!/^\|-? *(#.*)?\n/.test(written)) throw this.#refusal("begin a text of several lines with only `|` or `|-`", at);
      return JSON.stringify(text);
    }
    if (written.includes("\n")) throw this.#refusal("a text must be on one line, or begin with `|`", at);
    if (type === "QUOTE_DOUBLE" && !JSON_ESCAPES.test(written)) throw this.#refusal("an escape that JSON does not have, or of a surrogate", at);
    return type === "PLAIN" ? this.#plain(text, at) : JSON.stringify(text);
  }

  #plain(text: string, at: number): string {
    if (text === "") throw this.#refusal("there is no value: write `null`", at);
    if (text === "true" || text === "false" || text === "null") return text;
    if (JSON_NUMBER.test(text)) {
      if (!Number.isFinite(Number(text))) throw this.#refusal("the number is too large for 64-bit floating point", at);
      return text;
    }
    if (LIKE_A_NUMBER.test(text)) throw this.#refusal("it begins like a number but is not a JSON number: quote it", at);
    if (WORDS.has(text.toLowerCase())) throw this.#refusal("some YAML readers do not read it as a text: quote it", at);
    if (/^[-?:]/.test(text)) throw this.#refusal("it begins like another part of YAML: quote it", at);
    return JSON.stringify(text);
  }

  #refusal(what: string, at: number): CountersignError {
    const { line, col } = this.#lines.linePos(at);
    return refusal(what, { line, column: col });
  }
}

function place(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at);
  return { line: before.split("\n").length, column: at - before.lastIndexOf("\n") };
}

function refusal(what: string, at?: { line: number; column: number }): CountersignError {
  return CountersignError.of("policy", "yaml_invalid", at ? `line ${at.line}, column ${at.column}: ${what}` : what);
}
