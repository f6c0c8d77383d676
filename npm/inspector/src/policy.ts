// Reads a policy: JSON is passed on unchanged, YAML is converted to JSON.

import { CountersignError, type Problem } from "countersign";
import { fromYaml } from "countersign/yaml";
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from "yaml";

/** A policy's text, converted to JSON. */
export interface Source {
  /** The JSON for the gate. */
  readonly json: string;
  /** The place of a JSON Pointer's member, or of its deepest parent that exists. */
  span(pointer: string): Span;
}

/** A part of the text. */
export interface Span {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** Offsets. */
  readonly start: number;
  readonly end: number;
}

/** A problem and its place in the text, if that is known. */
export type Located = Problem & { readonly span: Span | undefined };

/** The parts of a valid policy that the page itself reads. */
export interface Opened {
  readonly leeway_s?: number;
  readonly issuers: readonly {
    readonly name: string;
    /** An object for templates and for tokens without `iss`. */
    readonly issuer: unknown;
    /** One source or several. */
    readonly keys?: KeySource | readonly KeySource[];
    readonly revocations?: { readonly uri: string };
    readonly api_keys?: { readonly uri?: string };
    readonly introspection?: { readonly uri: string };
  }[];
  readonly credentials?: readonly Credential[];
  readonly rules?: readonly { readonly path: unknown; readonly credentials?: readonly Credential[] }[];
}

export interface KeySource {
  readonly jwks_uri?: string;
  readonly discovery?: unknown;
  readonly pem_uri?: string;
}

/** A place where a request has a token. */
export interface Credential {
  readonly header?: string;
  readonly scheme?: string;
  readonly cookie?: string;
  readonly query?: string;
  readonly websocket_protocol?: { readonly after?: string; readonly prefix?: string; readonly base64url?: boolean };
  /** The token is a second principal's. */
  readonly principal?: string;
}

/** The text as JSON, or its problems as YAML. */
export function read(text: string): Source | readonly Located[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const span = (pointer: string) => {
    const [start, end] = offsetsOf(document, pointer);
    const { line, col } = lines.linePos(start);
    return { line, column: col, start, end };
  };
  if (isJson(text)) return { json: text, span };
  try {
    return { json: fromYaml(text), span };
  } catch (error) {
    const problems = error instanceof CountersignError ? error.problems : [problem("it cannot be read")];
    return problems.map((one) => located(one, text));
  }
}

/** Takes the place from the message of `fromYaml`, which begins with it. */
function located(problem: Problem, text: string): Located {
  const [, line, column, message] = /^line (\d+), column (\d+): ([^]*)$/.exec(problem.message) ?? [];
  if (message === undefined) return { ...problem, span: undefined };
  const before = text.split("\n", Number(line) - 1);
  const start = before.reduce((sum, { length }) => sum + length + 1, 0) + Number(column) - 1;
  return { ...problem, message, span: { line: Number(line), column: Number(column), start, end: start } };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function problem(message: string): Problem {
  return { pointer: "", code: "yaml_invalid", message, severity: "error" };
}

/** The offsets of a JSON Pointer's member: its name and its value. If it does not exist, the offset of its deepest parent. */
function offsetsOf({ contents }: Document, pointer: string): [start: number, end: number] {
  let node: unknown = contents;
  let [start, end] = isNode(contents) ? (contents.range ?? [0, 0]) : [0, 0];
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    const pair = isMap(node) ? node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === name) : undefined;
    const key = isScalar(pair?.key) ? pair.key : undefined;
    node = isMap(node) ? pair?.value : isSeq(node) ? node.items[Number(name)] : undefined;
    if (!key && !isNode(node)) return [start, start];
    const [first, last] = [key, node].map((one) => (isNode(one) ? one.range : undefined));
    start = (first ?? last)?.[0] ?? start;
    end = (last ?? first)?.[1] ?? start;
  }
  return [start, end];
}
