// Reads a policy: JSON is passed on unchanged, YAML is converted to JSON.

import { CountersignError, type Problem } from "countersign";
import { fromYaml } from "countersign/yaml";
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from "yaml";

/** A policy's text, converted to JSON. */
export interface Source {
  /** The JSON for the gate. */
  readonly json: string;
  /** The place of a JSON Pointer in the text, as `line:column`; empty if unknown. */
  place(pointer: string): string;
}

/** A problem and its place in the text. */
export type Located = Problem & { readonly place: string };

/** The parts of a valid policy that the page itself reads. */
export interface Opened {
  readonly leeway_s?: number;
  readonly issuers: readonly {
    readonly name: string;
    readonly issuer: string;
    readonly keys: { readonly jwks_uri?: string; readonly discovery?: unknown };
    readonly revocations?: { readonly uri: string };
  }[];
  readonly credentials?: readonly { readonly header?: string; readonly scheme?: string; readonly cookie?: string }[];
}

/** The text as JSON, or its problems as YAML. */
export function read(text: string): Source | readonly Located[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  const place = (pointer: string) => at(offsetOf(document, pointer));
  if (isJson(text)) return { json: text, place };
  try {
    return { json: fromYaml(text), place };
  } catch (error) {
    const problems = error instanceof CountersignError ? error.problems : [problem("it cannot be read")];
    return problems.map(located);
  }
}

/** Takes the place from the message of `fromYaml`, which begins with it. */
function located(problem: Problem): Located {
  const [, line, column, message] = /^line (\d+), column (\d+): ([^]*)$/.exec(problem.message) ?? [];
  return message === undefined ? { ...problem, place: "" } : { ...problem, message, place: `${line}:${column}` };
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

/** The offset of a JSON Pointer's value, or of its deepest parent that exists. */
function offsetOf({ contents }: Document, pointer: string): number {
  let node: unknown = contents;
  let offset = isNode(contents) ? (contents.range?.[0] ?? 0) : 0;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === name);
      if (isScalar(pair?.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair?.value;
    } else {
      node = isSeq(node) ? node.items[Number(name)] : undefined;
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    }
  }
  return offset;
}
